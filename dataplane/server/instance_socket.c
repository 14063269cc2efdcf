// SPDX-License-Identifier: Apache-2.0
#include "dataplane/server/instance_socket.h"

#include "dataplane/api/management.h"
#include "dataplane/api/uapi.h"
#include "dataplane/base/clock.h"
#include "dataplane/server/bounds.h"
#include "dataplane/server/request.h"
#include "dataplane/server/state.h"
#include "dataplane/table/instance.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	FILES_A_TURN = 64,
};

struct socket_listener {
	struct socket_file file;
	uint64_t instance; /* handle */
	struct socket_listener *next;
};

int instance_sockets_init(struct instance_sockets *u, const struct socket_kind *kind)
{
	u->kind = kind;
	u->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	return u->epoll_fd >= 0 ? 0 : -errno;
}

/* Where the pointer to the instance's listener stands. */
static struct socket_listener **find_listener(struct instance_sockets *u, uint64_t instance)
{
	struct socket_listener **at = &u->listeners;
	while (*at != NULL && (*at)->instance != instance)
		at = &(*at)->next;
	return at;
}

/* Whoever gave the file may have it still, so that closing ours alone would leave it in the set. */
static void remove_listener(const struct instance_sockets *u, struct socket_listener **at)
{
	struct socket_listener *l = *at;
	*at = l->next;
	(void)epoll_ctl(u->epoll_fd, EPOLL_CTL_DEL, l->file.fd, NULL);
	(void)close(l->file.fd);
	free(l);
}

static void free_connection(const struct instance_sockets *u, struct socket_connection *c)
{
	u->kind->fini(c);
	socket_text_fini(&c->out);
	(void)close(c->file.fd);
	free(c);
}

void instance_sockets_fini(struct instance_sockets *u)
{
	while (u->listeners != NULL)
		remove_listener(u, &u->listeners);
	while (u->connections != NULL) {
		struct socket_connection *c = u->connections;
		u->connections = c->next;
		free_connection(u, c);
	}
	if (u->epoll_fd >= 0)
		(void)close(u->epoll_fd);
}

static bool option_is(int fd, int option, int wanted)
{
	int value = -1;
	socklen_t len = sizeof(value);
	return getsockopt(fd, SOL_SOCKET, option, &value, &len) == 0 && value == wanted;
}

static bool is_good(int fd)
{
	return option_is(fd, SO_DOMAIN, AF_UNIX) && option_is(fd, SO_TYPE, SOCK_STREAM)
		&& option_is(fd, SO_ACCEPTCONN, 1) && fcntl(fd, F_SETFL, O_NONBLOCK) == 0;
}

int instance_socket_listen(struct instance_sockets *u, const struct instance *i, int fd)
{
	struct socket_listener *l = calloc(1, sizeof(*l));
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = l};
	if (l == NULL || epoll_ctl(u->epoll_fd, EPOLL_CTL_ADD, fd, &e) != 0) {
		int err = l == NULL ? -ENOMEM : -errno;
		free(l);
		(void)close(fd);
		return err;
	}
	*l = (struct socket_listener){{fd, true}, instance_handle(i), NULL};
	struct socket_listener **at = find_listener(u, l->instance);
	if (*at != NULL)
		remove_listener(u, at);
	l->next = u->listeners;
	u->listeners = l;
	return 0;
}

void instance_socket_close(struct instance_sockets *u, const struct instance *i)
{
	uint64_t handle = instance_handle(i);
	struct socket_listener **at = find_listener(u, handle);
	if (*at != NULL)
		remove_listener(u, at);
	for (struct socket_connection *c = u->connections; c != NULL; c = c->next)
		c->dead = c->dead || c->instance == handle;
}

bool instance_socket_is_open(struct instance_sockets *u, const struct instance *i)
{
	return *find_listener(u, instance_handle(i)) != NULL;
}

int instance_socket_set(struct request *q, struct instance_sockets *u)
{
	static_assert(sizeof(struct dp_uapi_set) == sizeof(struct uuid)
		&& sizeof(struct dp_management_set) == sizeof(struct uuid));
	struct uuid id;
	memcpy(&id, q->payload, sizeof(id));
	struct instance *i = instance_find(q->server->tables, &id);
	if (i == NULL)
		return request_refuse_unknown(q, "instance", &id);
	if (!is_good(q->file))
		return request_refuse(q, -EINVAL,
			"instance %u: the file is no listening unix stream socket", i->number);
	int fd = q->file;
	q->file = -1;
	return instance_socket_listen(u, i, fd);
}

/* NULL: out of memory, fd is closed. */
static struct socket_connection *new_connection(
	const struct instance_sockets *u, int fd, uint64_t instance)
{
	struct socket_connection *c = calloc(1, u->kind->size);
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
	if (c == NULL || epoll_ctl(u->epoll_fd, EPOLL_CTL_ADD, fd, &e) != 0) {
		free(c);
		(void)close(fd);
		return NULL;
	}
	c->file = (struct socket_file){fd, false};
	c->instance = instance;
	c->interest = EPOLLIN;
	c->since_ns = clock_monotonic_ns();
	if (u->kind->greet != NULL)
		u->kind->greet(c);
	return c;
}

static void accept_connections(
	struct server *s, struct instance_sockets *u, const struct socket_listener *l)
{
	for (;;) {
		int fd = accept4(l->file.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0)
			return;
		/* keys are told, or sessions ended: root and our own user, whatever the file's mode */
		if (u->connection_count == u->kind->connections_max
			|| !server_is_welcome(s, fd, u->kind->name, false)) {
			(void)close(fd);
			continue;
		}
		struct socket_connection *c = new_connection(u, fd, l->instance);
		if (c == NULL)
			continue;
		c->next = u->connections;
		u->connections = c;
		u->connection_count++;
	}
}

static void serve_connection(struct server *s, const struct instance_sockets *u,
	struct socket_connection *c, uint32_t epoll_events)
{
	if (c->answering)
		c->dead = c->dead || (epoll_events & (EPOLLERR | EPOLLHUP)) != 0;
	else if (!c->dead)
		u->kind->read(s, c);
}

void instance_sockets_serve(struct server *s, struct instance_sockets *u)
{
	struct epoll_event events[FILES_A_TURN];
	int n = epoll_wait(u->epoll_fd, events, FILES_A_TURN, 0);
	for (int i = 0; i < n; i++) {
		struct socket_file *file = events[i].data.ptr;
		if (file->is_listener)
			accept_connections(s, u, (const struct socket_listener *)file);
		else
			serve_connection(s, u, (struct socket_connection *)file, events[i].events);
	}
}

size_t socket_connection_peek(struct socket_connection *c, uint8_t *buffer, size_t size)
{
	ssize_t n = recv(c->file.fd, buffer, size, MSG_PEEK | MSG_DONTWAIT);
	if (n < 0) {
		c->dead = errno != EAGAIN && errno != EINTR;
		return 0;
	}
	c->since_ns = clock_monotonic_ns();
	c->closing = c->closing || n == 0;
	return (size_t)n;
}

void socket_connection_take(
	const struct socket_connection *c, uint8_t *buffer, size_t peeked, size_t used)
{
	(void)recv(c->file.fd, buffer, used, MSG_DONTWAIT);
	explicit_bzero(buffer, peeked);
}

static void send_piece(
	struct server *s, const struct instance_sockets *u, struct socket_connection *c)
{
	size_t sent = c->out.sent;
	if (c->out.len == 0 && !c->whole)
		u->kind->answer_more(s, c);
	int err = socket_text_flush(&c->out, c->file.fd);
	if (err == 0 || c->out.sent != sent)
		c->since_ns = clock_monotonic_ns();
	if (err == 0 && c->whole) {
		c->answering = c->whole = false;
		c->dead = c->closing;
	} else if (err != 0 && err != -EAGAIN) {
		c->dead = true;
	}
}

static void update(struct server *s, const struct instance_sockets *u, struct socket_connection *c,
	uint64_t now_ns)
{
	unsigned int patience_ms = c->answering ? STALL_TIMEOUT_MS : u->kind->silence_ms;
	if (now_ns > c->since_ns + patience_ms * NS_PER_MS)
		c->dead = true;
	if (c->answering && !c->dead)
		send_piece(s, u, c);
	uint32_t want = c->answering ? (uint32_t)EPOLLOUT : (uint32_t)EPOLLIN;
	if (c->dead || want == c->interest)
		return;
	struct epoll_event e = {.events = want, .data.ptr = c};
	c->dead = epoll_ctl(u->epoll_fd, EPOLL_CTL_MOD, c->file.fd, &e) != 0;
	c->interest = want;
}

void instance_sockets_end_turn(struct server *s, struct instance_sockets *u, uint64_t now_ns)
{
	struct socket_connection **at = &u->connections;
	while (*at != NULL) {
		struct socket_connection *c = *at;
		update(s, u, c, now_ns);
		if (c->dead) {
			*at = c->next;
			u->connection_count--;
			free_connection(u, c);
		} else {
			at = &c->next;
		}
	}
}
