/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_SERVER_UAPI_CONNECTION_H
#define DATAPLANE_SERVER_UAPI_CONNECTION_H

#include "dataplane/server/uapi.h"
#include "dataplane/server/uapi_get.h"
#include "dataplane/server/uapi_request.h"
#include "dataplane/server/uapi_text.h"

#include <stdbool.h>
#include <stdint.h>

struct server;

/* One client of a UAPI socket: it asks, and asks again when it has its answer. Server thread. */
struct uapi_connection {
	struct uapi_file file;
	struct uapi_connection *next;
	uint64_t instance; /* handle */
	uint64_t since_ns; /* monotonic: the client's last move */
	uint32_t interest; /* what epoll watches */
	bool answering; /* nothing is read meanwhile */
	bool closing; /* when the answer is gone */
	bool dead; /* freed at the end of the turn */
	struct uapi_request request;
	struct uapi_get get;
	struct uapi_text out;
};

/* Takes fd over. NULL: out of memory, fd is closed. */
struct uapi_connection *uapi_connection_new(int epoll_fd, int fd, uint64_t instance);
void uapi_connection_free(struct uapi_connection *c);
/* Reads a piece of a request, and does what it asks when it is complete. */
void uapi_connection_serve(struct server *s, struct uapi_connection *c, uint32_t epoll_events);
/* Sends a piece of the answer; at the end of each turn. */
void uapi_connection_update(struct server *s, struct uapi_connection *c, uint64_t now_ns);

#endif
