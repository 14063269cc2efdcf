// SPDX-License-Identifier: Apache-2.0
/* The thread: what there is to do is read from the store each time it wakes. */
#include "control/provision/provision.h"

#include "control/provision/step.h"
#include "control/store/capture.h"
#include "control/store/hub.h"
#include "control/store/instance.h"
#include "control/store/peer.h"
#include "control/store/session.h"
#include "control/store/share_link.h"
#include "dataplane/base/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	LOOK_S = 1, /* expiry of peers is due to the second */
	WATCH_ROUNDS = 5, /* from one look at those that are ready to the next */
	PRUNE_S = 60, /* a key that was revealed is forgotten a minute later at most */
	STEPS_MAX = 8, /* of one instance in one round: more than there are */
};

struct provision {
	const struct control_config *config; /* borrowed */
	struct store *store; /* borrowed */
	void (*changed)(void *ctx);
	void *ctx;
	pthread_t thread;
	pthread_mutex_t lock; /* guards the three below */
	pthread_cond_t news;
	bool is_started, is_woken, ends;
	int64_t pruned_at; /* the thread's own; so below */
	unsigned int rounds;
	bool complained;
};

struct id_list {
	struct uuid *ids; /* owned */
	size_t count, room;
	bool with_ready; /* those that only need to be watched, too */
};

static int note_id(void *ctx, const struct instance *i)
{
	struct id_list *l = ctx;
	if (i->state == INSTANCE_DELETING || (i->state == INSTANCE_READY && !l->with_ready))
		return 0;
	if (l->count == l->room) {
		size_t room = l->room == 0 ? 16 : l->room * 2;
		struct uuid *new = reallocarray(l->ids, room, sizeof(*new));
		if (new == NULL)
			return -ENOMEM; /* the others come in the next round */
		l->ids = new;
		l->room = room;
	}
	l->ids[l->count++] = i->id;
	return 0;
}

static int list_instances(struct store *store, struct id_list *ret)
{
	static const struct instance_filter all;
	int rc = store_begin(store, STORE_READ);
	if (rc < 0)
		return rc;
	rc = instance_list(store, &all, note_id, ret);
	(void)store_end(store, false);
	return rc;
}

static int begin_write(struct store *store)
{
	static const struct store_actor actor = {.type = "system", .name = "provisioning"};
	int rc = store_begin(store, STORE_WRITE);
	if (rc == 0)
		store_set_actor(store, &actor);
	return rc;
}

/* One step in one transaction. */
static int do_step(struct provision *p, const struct uuid *id, bool *ret_changed)
{
	struct instance i;
	*ret_changed = false;
	int rc = begin_write(p->store);
	if (rc < 0)
		return rc;
	rc = instance_find(p->store, id, &i);
	if (rc == 0) {
		rc = step_instance(p->store, p->config, &i, ret_changed);
		instance_fini(&i);
	}
	int ended = store_end(p->store, rc == 0 && *ret_changed);
	if (rc == -ENOENT)
		return 0; /* deleted meanwhile */
	return rc < 0 ? rc : ended;
}

static int do_steps(struct provision *p, const struct uuid *id, bool *changed)
{
	int rc = 0;
	bool more = true;
	for (int n = 0; rc == 0 && more && n < STEPS_MAX; n++) {
		rc = do_step(p, id, &more);
		*changed |= more;
	}
	return rc;
}

/* In this order: who is on a hub that has gone silent is not taken for gone. Each: how many, or -errno. */
static int (*const chores[])(struct store *store) = {peers_expire, peers_forget_keys,
	share_links_forget_secrets, captures_expire, hubs_expire, sessions_expire};

static int do_housekeeping(struct provision *p, bool *changed)
{
	int rc = begin_write(p->store);
	if (rc < 0)
		return rc;
	int64_t now = store_now(p->store);
	bool prunes = now - p->pruned_at >= PRUNE_S, writes = prunes, expires = false;
	for (size_t n = 0; n < sizeof(chores) / sizeof(chores[0]) && rc >= 0; n++) {
		rc = chores[n](p->store);
		writes |= rc > 0;
		expires |= n == 0 && rc > 0;
	}
	if (rc >= 0)
		rc = prunes ? store_prune(p->store) : 0;
	int ended = store_end(p->store, rc == 0 && writes);
	if (rc == 0 && ended == 0) {
		*changed |= expires;
		p->pruned_at = prunes ? now : p->pruned_at;
	}
	return rc < 0 ? rc : ended;
}

static int do_round(struct provision *p)
{
	struct id_list l = {.with_ready = p->rounds++ % WATCH_ROUNDS == 0};
	bool changed = false;
	int rc = list_instances(p->store, &l);
	/* What fails for one instance must not hold up the others, nor the cut of who has expired. */
	for (size_t n = 0; n < l.count; n++) {
		int stepped = do_steps(p, &l.ids[n], &changed);
		rc = rc < 0 ? rc : stepped;
	}
	free(l.ids);
	int kept = do_housekeeping(p, &changed);
	if (changed)
		p->changed(p->ctx);
	return rc < 0 ? rc : kept;
}

/* false: the end. */
static bool wait_for_news(struct provision *p)
{
	struct timespec at;
	(void)clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_sec += LOOK_S;
	(void)pthread_mutex_lock(&p->lock);
	while (!p->ends && !p->is_woken) {
		if (pthread_cond_timedwait(&p->news, &p->lock, &at) == ETIMEDOUT)
			break;
	}
	p->is_woken = false;
	bool goes_on = !p->ends;
	(void)pthread_mutex_unlock(&p->lock);
	return goes_on;
}

static void *run(void *arg)
{
	struct provision *p = arg;
	do {
		int rc = do_round(p);
		if (rc < 0 && !p->complained)
			log_message(LOG_LEVEL_ERROR, "provisioning: %s; trying again",
				strerrordesc_np(-rc));
		p->complained = rc < 0;
	} while (wait_for_news(p));
	return NULL;
}

int provision_new(const struct control_config *config, struct store *store, struct provision **ret)
{
	pthread_condattr_t monotonic;
	struct provision *p = calloc(1, sizeof(*p));
	if (p == NULL)
		return -ENOMEM;
	p->config = config;
	p->store = store;
	(void)pthread_mutex_init(&p->lock, NULL);
	(void)pthread_condattr_init(&monotonic);
	(void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&p->news, &monotonic);
	(void)pthread_condattr_destroy(&monotonic);
	*ret = p;
	return 0;
}

int provision_start(struct provision *p, void (*changed)(void *ctx), void *ctx)
{
	p->changed = changed;
	p->ctx = ctx;
	int err = pthread_create(&p->thread, NULL, run, p);
	p->is_started = err == 0;
	return -err;
}

void provision_free(struct provision *p)
{
	if (p == NULL)
		return;
	(void)pthread_mutex_lock(&p->lock);
	p->ends = true;
	(void)pthread_cond_signal(&p->news);
	(void)pthread_mutex_unlock(&p->lock);
	if (p->is_started)
		(void)pthread_join(p->thread, NULL);
	(void)pthread_cond_destroy(&p->news);
	(void)pthread_mutex_destroy(&p->lock);
	free(p);
}

void provision_wake(struct provision *p)
{
	(void)pthread_mutex_lock(&p->lock);
	p->is_woken = true;
	(void)pthread_cond_signal(&p->news);
	(void)pthread_mutex_unlock(&p->lock);
}
