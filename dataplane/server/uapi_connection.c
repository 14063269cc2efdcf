// SPDX-License-Identifier: Apache-2.0
/*
 * An answer of any length is made a piece at a time, the next when the one before is gone: the
 * server thread never waits for a client, and holds no more for it than a piece and one peer. A
 * client that does not move for STALL_TIMEOUT_MS is dropped.
 */
#include "dataplane/server/uapi_connection.h"

#include "dataplane/base/clock.h"
#include "dataplane/server/bounds.h"
#include "dataplane/server/state.h"
#include "dataplane/server/uapi_set.h"
#include "dataplane/table/instance.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static_assert(sizeof(((struct server *)0)->rx) >= UAPI_CHUNK);

struct uapi_connection *uapi_connection_new(int epoll_fd, int fd, uint64_t instance)
{
	struct uapi_connection *c = calloc(1, sizeof(*c));
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
	if (c == NULL || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &e) != 0) {
		free(c);
		(void)close(fd);
		return NULL;
	}
	c->file = (struct uapi_file){fd, false};
	c->instance = instance;
	c->interest = EPOLLIN;
	c->since_ns = clock_monotonic_ns();
	return c;
}

void uapi_connection_free(struct uapi_connection *c)
{
	uapi_request_fini(&c->request);
	uapi_get_end(&c->get);
	uapi_text_fini(&c->out);
	(void)close(c->file.fd);
	free(c);
}

static void answer(struct server *s, struct uapi_connection *c)
{
	const struct uapi_request *r = &c->request;
	struct instance *i = instance_from_handle(s->tables, c->instance);
	int err = r->error;
	c->answering = true;
	if (err == 0)
		err = r->operation == UAPI_SET ? uapi_set(s, i, r)
					       : uapi_get_begin(&c->get, s, i, &c->out);
	if (err != 0 || r->operation == UAPI_SET)
		uapi_text_add(&c->out, "errno=%d\n\n", err);
	uapi_request_fini(&c->request);
}

/* true: the request is complete. Bytes behind its end stay in the socket. */
static bool read_piece(struct server *s, struct uapi_connection *c)
{
	size_t used;
	ssize_t n = recv(c->file.fd, s->rx, UAPI_CHUNK, MSG_PEEK | MSG_DONTWAIT);
	if (n < 0) {
		c->dead = errno != EAGAIN && errno != EINTR;
		return false;
	}
	c->since_ns = clock_monotonic_ns();
	if (n == 0) {
		c->closing = true;
		c->dead = c->request.operation == UAPI_NONE;
		c->request.error = -EINVAL;
		return !c->dead;
	}
	bool complete = uapi_request_feed(&c->request, (const char *)s->rx, (size_t)n, &used);
	(void)recv(c->file.fd, s->rx, used, MSG_DONTWAIT);
	explicit_bzero(s->rx, (size_t)n);
	/* the node alone changes what it manages; and nothing is kept of such a request */
	if (c->request.operation == UAPI_SET && !s->stand_alone)
		c->request.error = -EPERM;
	return complete;
}

void uapi_connection_serve(struct server *s, struct uapi_connection *c, uint32_t epoll_events)
{
	if (c->answering)
		c->dead = c->dead || (epoll_events & (EPOLLERR | EPOLLHUP)) != 0;
	else if (!c->dead && read_piece(s, c))
		answer(s, c);
}

static void send_piece(struct server *s, struct uapi_connection *c)
{
	size_t sent = c->out.sent;
	if (c->out.len == 0)
		uapi_get_continue(&c->get, s, &c->out);
	int err = uapi_text_flush(&c->out, c->file.fd);
	if (err == 0 || c->out.sent != sent)
		c->since_ns = clock_monotonic_ns();
	if (err == 0 && uapi_get_is_over(&c->get)) {
		c->answering = false;
		c->dead = c->closing;
	} else if (err != 0 && err != -EAGAIN) {
		c->dead = true;
	}
}

void uapi_connection_update(struct server *s, struct uapi_connection *c, uint64_t now_ns)
{
	if (now_ns > c->since_ns + STALL_TIMEOUT_MS * NS_PER_MS)
		c->dead = true;
	if (c->answering && !c->dead)
		send_piece(s, c);
	uint32_t want = c->answering ? (uint32_t)EPOLLOUT : (uint32_t)EPOLLIN;
	if (c->dead || want == c->interest)
		return;
	struct epoll_event e = {.events = want, .data.ptr = c};
	c->dead = epoll_ctl(s->uapi.epoll_fd, EPOLL_CTL_MOD, c->file.fd, &e) != 0;
	c->interest = want;
}
