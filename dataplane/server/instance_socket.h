/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_SERVER_INSTANCE_SOCKET_H
#define DATAPLANE_SERVER_INSTANCE_SOCKET_H

#include "dataplane/server/socket_text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Unix stream sockets at which programs ask about instances in words, one socket an instance. Server
 * thread only. What is spoken there is the kind's: WireGuard's UAPI (uapi.c), OpenVPN's management
 * interface (management.c). They have an epoll of their own, which is one event of the server's.
 *
 * An answer of any length is made a piece at a time, the next when the one before is gone: the server
 * thread never waits for a client, and holds no more for it than a piece. A client that does not take its
 * answer is dropped, and so is one that is silent for longer than its kind allows.
 */
struct instance;
struct request;
struct server;
struct socket_listener;

/* What epoll gives back; the first member of each listener and connection. */
struct socket_file {
	int fd;
	bool is_listener;
};

/* One client; the first member of what its kind keeps of it. All zero but for what is marked. */
struct socket_connection {
	struct socket_file file; /* set */
	struct socket_connection *next;
	uint64_t instance; /* set: handle */
	uint64_t since_ns; /* set: monotonic, the client's last move */
	uint32_t interest; /* set: what epoll watches */
	bool answering; /* nothing is read meanwhile */
	bool whole; /* nothing is to be added to the answer */
	bool closing; /* when the answer is gone */
	bool dead; /* freed at the end of the turn */
	struct socket_text out;
};

struct socket_kind {
	const char *name; /* in the log */
	unsigned int connections_max;
	unsigned int silence_ms; /* of a client that is asked nothing */
	size_t size; /* of a connection */
	/* NULL: the client speaks first */
	void (*greet)(struct socket_connection *c);
	/* Reads a piece of a request; answering when there is something to answer. */
	void (*read)(struct server *s, struct socket_connection *c);
	/* Adds the next piece to an answer that is not whole yet. */
	void (*answer_more)(struct server *s, struct socket_connection *c);
	/* Frees what the kind holds. */
	void (*fini)(struct socket_connection *c);
};

struct instance_sockets {
	const struct socket_kind *kind;
	int epoll_fd; /* -1: none */
	struct socket_listener *listeners;
	struct socket_connection *connections;
	unsigned int connection_count;
};

/* 0 or -errno. */
int instance_sockets_init(struct instance_sockets *u, const struct socket_kind *kind);
void instance_sockets_fini(struct instance_sockets *u);
/* The instance of the request gets the request's file, if that is a listening unix stream socket. */
int instance_socket_set(struct request *q, struct instance_sockets *u);
bool instance_socket_is_open(struct instance_sockets *u, const struct instance *i);
/* fd is such a socket: taken over, whatever happens. Replaces the one before. 0 or -errno. */
int instance_socket_listen(struct instance_sockets *u, const struct instance *i, int fd);
/* Closes the instance's socket and connections. */
void instance_socket_close(struct instance_sockets *u, const struct instance *i);
/* When epoll_fd is readable. */
void instance_sockets_serve(struct server *s, struct instance_sockets *u);
/* When nothing that was unlinked is left: sends answers, collects dead connections. */
void instance_sockets_end_turn(struct server *s, struct instance_sockets *u, uint64_t now_ns);

/* For kinds: what the socket has, up to size bytes, which stay there; 0: nothing, and c is closing if it
 * never will. */
size_t socket_connection_peek(struct socket_connection *c, uint8_t *buffer, size_t size);
/* Takes so many of these bytes, and wipes the buffer. */
void socket_connection_take(
	const struct socket_connection *c, uint8_t *buffer, size_t peeked, size_t used);

#endif
