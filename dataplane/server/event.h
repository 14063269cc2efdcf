/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_SERVER_EVENT_H
#define DATAPLANE_SERVER_EVENT_H

#include "dataplane/keying/keying.h"
#include "dataplane/server/bounds.h"

#include <stdatomic.h>
#include <stdint.h>

struct server;

struct event_entry {
	struct keying_event event;
	uint64_t at_ns; /* realtime */
};

/* From the keying thread, its one producer, to the server thread, its one consumer. */
struct event_ring {
	struct event_entry entry[EVENT_RING_SIZE];
	_Atomic uint32_t put; /* set: keying */
	_Atomic uint32_t got; /* set: server */
	_Atomic uint64_t lost; /* added: keying; taken: server */
	int fd; /* eventfd: something was put */
};

/* 0 or -errno. */
int event_ring_init(struct event_ring *ring);
void event_ring_fini(struct event_ring *ring);
/* Server thread, when ring->fd is readable: hands everything to the subscribers. */
void event_deliver(struct server *s);

#endif
