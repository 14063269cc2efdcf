// SPDX-License-Identifier: Apache-2.0
/*
 * Long polls. "News" is a counter: a request reads it, looks at the store, and then waits for a
 * greater one; so news that comes between the look and the wait is never slept over. A connection
 * is suspended and put into the table under one lock, and only the thread here takes it out
 * again, so that each is resumed exactly once.
 */
#include "control/http/wait.h"

#include "dataplane/base/clock.h"

#include <errno.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>

struct waiter {
	struct MHD_Connection *connection;
	uint64_t deadline_ns;
};

struct wait_list {
	pthread_mutex_t lock; /* all below */
	pthread_cond_t changed;
	pthread_t thread;
	uint64_t news;
	uint64_t told; /* news up to which the waiters were resumed */
	size_t count;
	bool closed;
	bool ends;
	size_t room;
	struct waiter waiters[]; /* room of them */
};

static uint64_t resume_waiters(struct wait_list *list)
{
	uint64_t now = clock_monotonic_ns();
	uint64_t next = now + 60 * NS_PER_SEC;
	bool all = list->closed || list->told != list->news;
	size_t kept = 0;
	for (size_t i = 0; i < list->count; i++) {
		struct waiter *w = &list->waiters[i];
		if (all || w->deadline_ns <= now) {
			MHD_resume_connection(w->connection);
			continue;
		}
		if (w->deadline_ns < next)
			next = w->deadline_ns;
		list->waiters[kept++] = *w;
	}
	list->count = kept;
	list->told = list->news;
	return next;
}

static void *run_wait_list(void *arg)
{
	struct wait_list *list = arg;
	(void)pthread_mutex_lock(&list->lock);
	while (!list->ends) {
		uint64_t next = resume_waiters(list);
		struct timespec at = {
			.tv_sec = (time_t)(next / NS_PER_SEC),
			.tv_nsec = (long)(next % NS_PER_SEC),
		};
		(void)pthread_cond_timedwait(&list->changed, &list->lock, &at);
	}
	(void)pthread_mutex_unlock(&list->lock);
	return NULL;
}

int wait_list_new(size_t room, struct wait_list **ret)
{
	struct wait_list *list = calloc(1, sizeof(*list) + room * sizeof(list->waiters[0]));
	pthread_condattr_t attr;
	if (list == NULL)
		return -ENOMEM;
	list->room = room;
	(void)pthread_mutex_init(&list->lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&list->changed, &attr);
	(void)pthread_condattr_destroy(&attr);
	int rc = -pthread_create(&list->thread, NULL, run_wait_list, list);
	if (rc < 0) {
		(void)pthread_cond_destroy(&list->changed);
		(void)pthread_mutex_destroy(&list->lock);
		free(list);
		return rc;
	}
	*ret = list;
	return 0;
}

void wait_list_free(struct wait_list *list)
{
	if (list == NULL)
		return;
	(void)pthread_mutex_lock(&list->lock);
	list->ends = true;
	(void)pthread_cond_signal(&list->changed);
	(void)pthread_mutex_unlock(&list->lock);
	(void)pthread_join(list->thread, NULL);
	(void)pthread_cond_destroy(&list->changed);
	(void)pthread_mutex_destroy(&list->lock);
	free(list);
}

uint64_t wait_list_news(struct wait_list *list)
{
	(void)pthread_mutex_lock(&list->lock);
	uint64_t news = list->news;
	(void)pthread_mutex_unlock(&list->lock);
	return news;
}

void wait_list_wake(struct wait_list *list)
{
	(void)pthread_mutex_lock(&list->lock);
	list->news++;
	(void)pthread_cond_signal(&list->changed);
	(void)pthread_mutex_unlock(&list->lock);
}

void wait_list_close(struct wait_list *list)
{
	(void)pthread_mutex_lock(&list->lock);
	list->closed = true;
	(void)resume_waiters(list);
	(void)pthread_mutex_unlock(&list->lock);
}

int wait_list_add(struct wait_list *list, struct MHD_Connection *connection, uint64_t seen,
	uint64_t deadline_ns)
{
	int rc = 0;
	(void)pthread_mutex_lock(&list->lock);
	if (list->closed)
		rc = -ESHUTDOWN;
	else if (list->news != seen)
		rc = -EAGAIN;
	else if (list->count == list->room)
		rc = -EBUSY;
	if (rc == 0) {
		MHD_suspend_connection(connection);
		list->waiters[list->count++] = (struct waiter){connection, deadline_ns};
		(void)pthread_cond_signal(&list->changed); /* its deadline may be the next */
	}
	(void)pthread_mutex_unlock(&list->lock);
	return rc;
}
