// SPDX-License-Identifier: Apache-2.0
/*
 * The loop of the main thread. A turn: take what epoll has, serve a batch of each connection, let
 * go of everything that the batch unlinked (one wait for keying and one grace period, however many
 * objects), send replies, collect dead connections. Nothing here is privileged: files come from the
 * node, and after server_new() no path is opened or removed.
 */
#include "dataplane/server/server.h"

#include "dataplane/base/clock.h"
#include "dataplane/base/log.h"
#include "dataplane/base/unix_socket.h"
#include "dataplane/keying/keying.h"
#include "dataplane/server/bounds.h"
#include "dataplane/server/connection.h"
#include "dataplane/server/management.h"
#include "dataplane/server/memory.h"
#include "dataplane/server/state.h"
#include "dataplane/server/uapi.h"
#include "dataplane/table/tables.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	EVENTS_A_TURN = CONNECTIONS_MAX + 5,
};

/* tag: what epoll_wait gives back. */
static int watch(struct server *s, int fd, void *tag)
{
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = tag};
	return epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, fd, &e) == 0 ? 0 : -errno;
}

static int init_sockets(
	struct server *s, struct instance_sockets *u, const struct socket_kind *kind)
{
	int err = instance_sockets_init(u, kind);
	return err != 0 ? err : watch(s, u->epoll_fd, u);
}

static int init(struct server *s, const char *path)
{
	int err = uuid_generate(&s->boot_id);
	if (err != 0)
		return err;
	err = event_ring_init(&s->events);
	if (err != 0)
		return err;
	s->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (s->epoll_fd < 0)
		return -errno;
	err = unix_socket_listen(path, SOCK_SEQPACKET, 0660, CONNECTIONS_MAX, &s->listen_fd);
	if (err != 0)
		return err;
	err = watch(s, s->listen_fd, &s->listen_fd);
	if (err == 0)
		err = watch(s, s->events.fd, &s->events);
	if (err == 0)
		err = init_sockets(s, &s->uapi, &uapi_kind);
	return err != 0 ? err : init_sockets(s, &s->management, &management_kind);
}

int server_new(const char *path, struct tables *tables, struct server **ret_server)
{
	struct server *s = calloc(1, sizeof(*s));
	if (s == NULL)
		return -ENOMEM;
	s->tables = tables;
	s->uid = geteuid();
	s->gid = getegid();
	s->statm_fd = memory_open();
	watchdog_init(&s->watchdog);
	s->listen_fd = s->epoll_fd = s->events.fd = -1;
	s->uapi.epoll_fd = s->management.epoll_fd = -1;
	int err = init(s, path);
	if (err != 0) {
		server_free(s);
		return err;
	}
	*ret_server = s;
	return 0;
}

static void close_if_open(int fd)
{
	if (fd >= 0)
		(void)close(fd);
}

void server_free(struct server *server)
{
	if (server == NULL)
		return;
	while (server->connections != NULL) {
		struct connection *c = server->connections;
		server->connections = c->next;
		connection_free(c);
	}
	instance_sockets_fini(&server->uapi);
	instance_sockets_fini(&server->management);
	event_ring_fini(&server->events);
	close_if_open(server->listen_fd);
	close_if_open(server->epoll_fd);
	close_if_open(server->statm_fd);
	watchdog_fini(&server->watchdog);
	free(server);
}

void server_attach(struct server *server, struct keying *keying, struct host_io *host_io,
	const struct rings *rings, struct worker *const *worker, unsigned int workers)
{
	server->keying = keying;
	server->host_io = host_io;
	server->rings = rings;
	server->worker = worker;
	server->workers = workers;
}

bool server_is_welcome(const struct server *s, int fd, const char *socket, bool group_too)
{
	struct ucred who;
	socklen_t len = sizeof(who);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) != 0)
		return false;
	if (who.uid == 0 || who.uid == s->uid || (group_too && who.gid == s->gid))
		return true;
	log_warning("%s: connection refused: pid %d, uid %u, gid %u", socket, (int)who.pid, who.uid,
		who.gid);
	return false;
}

static void accept_connections(struct server *s)
{
	for (;;) {
		int fd = accept4(s->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0)
			return;
		if (s->connection_count == CONNECTIONS_MAX
			|| !server_is_welcome(s, fd, "api", true)) {
			(void)close(fd);
			continue;
		}
		struct connection *c = connection_new(s, fd);
		if (c == NULL)
			continue;
		c->next = s->connections;
		s->connections = c;
		s->connection_count++;
	}
}

void server_reclaim(struct server *s)
{
	struct tables *t = s->tables;
	if (t->unlinked_instances == NULL && t->unlinked_peers == NULL && t->retired == NULL)
		return;
	keying_retire(s->keying);
	tables_reclaim(t);
}

static void end_turn(struct server *s)
{
	uint64_t now = clock_monotonic_ns();
	watchdog_tick(&s->watchdog, s->tables, now);
	struct connection **at = &s->connections;
	while (*at != NULL) {
		struct connection *c = *at;
		connection_update(c);
		connection_check_patience(c, now);
		if (c->dead) {
			*at = c->next;
			s->connection_count--;
			sync_drop_connection(&s->sync, c);
			connection_free(c);
		} else {
			at = &c->next;
		}
	}
	instance_sockets_end_turn(s, &s->uapi, now);
	instance_sockets_end_turn(s, &s->management, now);
}

/* true: told to stop. */
static bool take_turn(struct server *s, const struct epoll_event *events, int n, const void *stop)
{
	bool stopped = false;
	for (int i = 0; i < n; i++) {
		void *tag = events[i].data.ptr;
		if (tag == stop)
			stopped = true;
		else if (tag == &s->listen_fd)
			accept_connections(s);
		else if (tag == &s->events)
			event_deliver(s);
		else if (tag == &s->uapi || tag == &s->management)
			instance_sockets_serve(s, tag);
		else
			connection_serve(tag, events[i].events);
	}
	captures_sweep(s);
	server_reclaim(s);
	end_turn(s);
	return stopped;
}

int server_run(struct server *server, int stop_fd)
{
	int err = watch(server, stop_fd, &stop_fd);
	memory_log(server);
	watchdog_ready(&server->watchdog);
	while (err == 0) {
		struct epoll_event events[EVENTS_A_TURN];
		int n = epoll_wait(server->epoll_fd, events, EVENTS_A_TURN, WATCHDOG_TICK_MS);
		if (n < 0 && errno != EINTR)
			err = -errno;
		else if (take_turn(server, events, n, &stop_fd))
			break;
	}
	(void)epoll_ctl(server->epoll_fd, EPOLL_CTL_DEL, stop_fd, NULL);
	return err;
}
