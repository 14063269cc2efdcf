// SPDX-License-Identifier: Apache-2.0
/*
 * One client of the API socket. Requests are read only while few replies wait (OUTPUT_HIGH), so a
 * client that does not read makes nothing grow beyond one list, and is closed when it stays away
 * for STALL_TIMEOUT_MS. A subscriber is treated otherwise: nothing it could answer is waited for,
 * so its events are dropped and counted, and it is told how many.
 *
 * A connection is never freed in the middle of a turn: it is marked dead and server.c collects it.
 */
#include "dataplane/server/connection.h"

#include "dataplane/api/event.h"
#include "dataplane/base/clock.h"
#include "dataplane/base/log.h"
#include "dataplane/server/bounds.h"
#include "dataplane/server/request.h"
#include "dataplane/server/state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	FILES_MAX = 4, /* files taken from one datagram; any number but the right one is refused */
};

struct connection *connection_new(struct server *s, int fd)
{
	struct connection *c = calloc(1, sizeof(*c));
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
	if (c == NULL || epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, fd, &e) != 0) {
		free(c);
		(void)close(fd);
		return NULL;
	}
	c->server = s;
	c->fd = fd;
	c->interest = EPOLLIN;
	c->since_ns = clock_monotonic_ns();
	return c;
}

void connection_free(struct connection *c)
{
	output_fini(&c->out);
	(void)close(c->fd);
	free(c);
}

/* Keeps the first file, closes the rest. */
static void take_files(struct msghdr *m, int *ret_file, unsigned int *ret_files)
{
	*ret_file = -1;
	*ret_files = 0;
	for (struct cmsghdr *h = CMSG_FIRSTHDR(m); h != NULL; h = CMSG_NXTHDR(m, h)) {
		if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
			continue;
		size_t n = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;
			memcpy(&fd, CMSG_DATA(h) + i * sizeof(int), sizeof(int));
			if ((*ret_files)++ == 0)
				*ret_file = fd;
			else
				(void)close(fd);
		}
	}
}

/* Reads and answers one datagram. false: there is none, or the connection ended. */
static bool serve_one(struct connection *c)
{
	struct server *s = c->server;
	struct iovec iov = {.iov_base = s->rx, .iov_len = sizeof(s->rx)};
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(FILES_MAX * sizeof(int))];
	} control;
	struct msghdr m = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(c->fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n < 0) {
		c->dead = errno != EAGAIN && errno != EINTR;
		return false;
	}
	int file;
	unsigned int files;
	take_files(&m, &file, &files);
	if (n == 0 && files == 0) {
		c->dead = true;
		return false;
	}
	if ((m.msg_flags & MSG_CTRUNC) != 0)
		files = FILES_MAX + 1;
	request_dispatch(c, s->rx, (size_t)n, file, files);
	explicit_bzero(s->rx, (size_t)n);
	return true;
}

static bool reads_requests(const struct connection *c)
{
	return !c->closing && !c->dead && output_pending(&c->out) < OUTPUT_HIGH;
}

void connection_serve(struct connection *c, uint32_t epoll_events)
{
	if ((epoll_events & (EPOLLERR | EPOLLHUP)) != 0 && !reads_requests(c)) {
		c->dead = true;
		return;
	}
	for (unsigned int i = 0; i < SERVE_BATCH && reads_requests(c); i++) {
		if (!serve_one(c))
			return;
	}
}

static void queue_event(struct connection *c, const struct dp_event *event)
{
	struct dp_header h = {
		.type = DP_MSG_EVENT, .flags = DP_FLAG_EVENT, .payload_len = sizeof(*event)};
	if (output_put(&c->out, &h, event) != 0)
		c->lost_events++;
}

void connection_send_event(struct connection *c, const struct dp_event *event)
{
	if (c->lost_events > 0 || output_pending(&c->out) >= OUTPUT_HIGH)
		c->lost_events++;
	else
		queue_event(c, event);
}

/* The marker goes out when everything before it is gone: then there is room for what follows. */
static void tell_lost_events(struct connection *c)
{
	struct dp_event e = {
		.at_ns = clock_realtime_ns(), .type = DP_EVENT_LOST, .lost = c->lost_events};
	c->lost_events = 0;
	queue_event(c, &e);
}

static int flush(struct connection *c)
{
	size_t before = output_pending(&c->out);
	int err = output_flush(&c->out, c->fd);
	if (err == 0 && c->lost_events > 0) {
		tell_lost_events(c);
		err = output_flush(&c->out, c->fd);
	}
	if (c->greeted && (before == 0 || output_pending(&c->out) != before))
		c->since_ns = clock_monotonic_ns();
	return err;
}

void connection_update(struct connection *c)
{
	if (c->dead)
		return;
	int err = flush(c);
	if ((err != 0 && err != -EAGAIN) || (err == 0 && c->closing)) {
		c->dead = true;
		return;
	}
	uint32_t want = (err == -EAGAIN ? (uint32_t)EPOLLOUT : 0)
		| (reads_requests(c) ? (uint32_t)EPOLLIN : 0);
	if (want == c->interest)
		return;
	struct epoll_event e = {.events = want, .data.ptr = c};
	if (epoll_ctl(c->server->epoll_fd, EPOLL_CTL_MOD, c->fd, &e) != 0)
		c->dead = true;
	c->interest = want;
}

static bool is_waiting(const struct connection *c)
{
	return !c->greeted || c->closing || (output_pending(&c->out) > 0 && !c->subscribed);
}

void connection_check_patience(struct connection *c, uint64_t now_ns)
{
	uint64_t patience_ms = c->greeted ? STALL_TIMEOUT_MS : HELLO_TIMEOUT_MS;
	if (c->dead || !is_waiting(c) || now_ns < c->since_ns + patience_ms * NS_PER_MS)
		return;
	log_warning("api: connection closed: %s",
		c->greeted ? "the client does not read its replies" : "no hello came");
	c->dead = true;
}
