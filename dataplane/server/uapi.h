/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_SERVER_UAPI_H
#define DATAPLANE_SERVER_UAPI_H

#include <stdbool.h>
#include <stdint.h>

struct instance;
struct server;
struct uapi_connection;
struct uapi_listener;

/* What epoll gives back; the first member of each listener and connection. */
struct uapi_file {
	int fd;
	bool is_listener;
};

/*
 * The sockets at which wg(8) asks about instances, one each. Server thread only. They have an
 * epoll of their own, which is one event of the server's.
 */
struct uapi {
	int epoll_fd; /* -1: none */
	struct uapi_listener *listeners;
	struct uapi_connection *connections;
	unsigned int connection_count;
};

/* 0 or -errno. */
int uapi_init(struct uapi *u);
void uapi_fini(struct uapi *u);
/* fd is a listening stream socket that does not block: taken over, whatever happens. Replaces the
 * one before. 0 or -errno. */
int uapi_listen(struct server *s, struct instance *i, int fd);
/* Closes the instance's socket and connections. */
void uapi_remove_instance(struct server *s, struct instance *i);
/* When epoll_fd is readable. */
void uapi_serve(struct server *s);
/* When nothing that was unlinked is left: sends answers, collects dead connections. */
void uapi_end_turn(struct server *s, uint64_t now_ns);

#endif
