/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_SERVER_CONNECTION_H
#define DATAPLANE_SERVER_CONNECTION_H

#include "dataplane/server/output.h"

#include <stdbool.h>
#include <stdint.h>

struct dp_event;
struct server;

/* One client. Server thread only. */
struct connection {
	struct connection *next;
	struct server *server;
	int fd;
	uint32_t interest; /* what epoll watches */
	bool greeted; /* HELLO was accepted */
	bool subscribed; /* events, no requests any more */
	bool closing; /* as soon as the output is gone */
	bool dead; /* freed at the end of the turn */
	bool complained; /* its malformed requests are logged once */
	uint8_t fenced; /* bit a scope: another connection took it over */
	uint64_t since_ns; /* monotonic: output waits, or HELLO is waited for, since then */
	uint64_t lost_events;
	struct output out;
};

/* Takes fd over. NULL: out of memory, fd is closed. */
struct connection *connection_new(struct server *s, int fd);
void connection_free(struct connection *c);
/* Reads and answers up to SERVE_BATCH requests. */
void connection_serve(struct connection *c, uint32_t epoll_events);
/* Sends what can be sent and says to epoll what is waited for; at the end of each turn. */
void connection_update(struct connection *c);
/* Closes the connection when it has waited too long for its client. */
void connection_check_patience(struct connection *c, uint64_t now_ns);
/* Queues an event for a subscriber, or counts it as lost. */
void connection_send_event(struct connection *c, const struct dp_event *event);

#endif
