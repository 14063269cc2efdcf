// SPDX-License-Identifier: Apache-2.0
#include "dataplane/server/uapi.h"

#include "dataplane/api/uapi.h"
#include "dataplane/server/bounds.h"
#include "dataplane/server/request.h"
#include "dataplane/server/state.h"
#include "dataplane/server/uapi_connection.h"
#include "dataplane/table/instance.h"
#include "dataplane/table/tables.h"

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

struct uapi_listener {
	struct uapi_file file;
	uint64_t instance; /* handle */
	struct uapi_listener *next;
};

int uapi_init(struct uapi *u)
{
	u->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	return u->epoll_fd >= 0 ? 0 : -errno;
}

/* Where the pointer to the instance's listener stands. */
static struct uapi_listener **find_listener(struct uapi *u, uint64_t instance)
{
	struct uapi_listener **at = &u->listeners;
	while (*at != NULL && (*at)->instance != instance)
		at = &(*at)->next;
	return at;
}

static void remove_listener(struct uapi_listener **at)
{
	struct uapi_listener *l = *at;
	*at = l->next;
	(void)close(l->file.fd);
	free(l);
}

void uapi_fini(struct uapi *u)
{
	while (u->listeners != NULL)
		remove_listener(&u->listeners);
	while (u->connections != NULL) {
		struct uapi_connection *c = u->connections;
		u->connections = c->next;
		uapi_connection_free(c);
	}
	if (u->epoll_fd >= 0)
		(void)close(u->epoll_fd);
}

int uapi_listen(struct server *s, struct instance *i, int fd)
{
	struct uapi *u = &s->uapi;
	struct uapi_listener *l = calloc(1, sizeof(*l));
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = l};
	if (l == NULL || epoll_ctl(u->epoll_fd, EPOLL_CTL_ADD, fd, &e) != 0) {
		int err = l == NULL ? -ENOMEM : -errno;
		free(l);
		(void)close(fd);
		return err;
	}
	*l = (struct uapi_listener){{fd, true}, instance_handle(i), NULL};
	struct uapi_listener **at = find_listener(u, l->instance);
	if (*at != NULL)
		remove_listener(at);
	l->next = u->listeners;
	u->listeners = l;
	i->has_uapi = true;
	return 0;
}

void uapi_remove_instance(struct server *s, struct instance *i)
{
	struct uapi *u = &s->uapi;
	uint64_t handle = instance_handle(i);
	struct uapi_listener **at = find_listener(u, handle);
	if (*at != NULL)
		remove_listener(at);
	for (struct uapi_connection *c = u->connections; c != NULL; c = c->next)
		c->dead = c->dead || c->instance == handle;
	i->has_uapi = false;
}

static void accept_connections(struct server *s, const struct uapi_listener *l)
{
	struct uapi *u = &s->uapi;
	for (;;) {
		int fd = accept4(l->file.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0)
			return;
		/* an answer has the private key: root and our own user, whatever the file's mode */
		if (u->connection_count == UAPI_CONNECTIONS_MAX
			|| !server_is_welcome(s, fd, "uapi", false)) {
			(void)close(fd);
			continue;
		}
		struct uapi_connection *c = uapi_connection_new(u->epoll_fd, fd, l->instance);
		if (c == NULL)
			continue;
		c->next = u->connections;
		u->connections = c;
		u->connection_count++;
	}
}

void uapi_serve(struct server *s)
{
	struct epoll_event events[FILES_A_TURN];
	int n = epoll_wait(s->uapi.epoll_fd, events, FILES_A_TURN, 0);
	for (int i = 0; i < n; i++) {
		struct uapi_file *file = events[i].data.ptr;
		if (file->is_listener)
			accept_connections(s, (const struct uapi_listener *)file);
		else
			uapi_connection_serve(s, (struct uapi_connection *)file, events[i].events);
	}
}

void uapi_end_turn(struct server *s, uint64_t now_ns)
{
	struct uapi_connection **at = &s->uapi.connections;
	while (*at != NULL) {
		struct uapi_connection *c = *at;
		uapi_connection_update(s, c, now_ns);
		if (c->dead) {
			*at = c->next;
			s->uapi.connection_count--;
			uapi_connection_free(c);
		} else {
			at = &c->next;
		}
	}
}

static bool option_is(int fd, int option, int wanted)
{
	int value = -1;
	socklen_t len = sizeof(value);
	return getsockopt(fd, SOL_SOCKET, option, &value, &len) == 0 && value == wanted;
}

int serve_uapi_set(struct request *q)
{
	struct server *s = q->server;
	struct dp_uapi_set m;
	memcpy(&m, q->payload, sizeof(m));
	struct instance *i = instance_find(s->tables, &m.instance);
	if (i == NULL)
		return request_refuse_unknown(q, "instance", &m.instance);
	if (!option_is(q->file, SO_DOMAIN, AF_UNIX) || !option_is(q->file, SO_TYPE, SOCK_STREAM)
		|| !option_is(q->file, SO_ACCEPTCONN, 1)
		|| fcntl(q->file, F_SETFL, O_NONBLOCK) != 0)
		return request_refuse(q, -EINVAL,
			"instance %u: the file is no listening unix stream socket", i->number);
	int fd = q->file;
	q->file = -1;
	return uapi_listen(s, i, fd);
}
