/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_KEYING_WORLD_H
#define TESTS_UNIT_KEYING_WORLD_H

#include "dataplane/keying/keying_private.h"
#include "dataplane/path/path.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Two whole hubs, each the other's one peer: real tables, the real path on a port in memory, and
 * keying's real rounds, on a clock of the test's. Chance comes from a seed: the linker puts
 * random_bytes() and clock_realtime_ns() of world.c in the place of the real ones.
 */
enum {
	SIDES = 2,
	FRAME_MAX = 256,
	OUTER_LEN = 42, /* Ethernet, IPv4, UDP */
};

struct side {
	struct tables *tables;
	struct counters *counters;
	struct instance *instance;
	struct peer *peer; /* the other side */
	struct keying k;
	struct path path;
	struct key private_key, public_key;
	int64_t clock_ns; /* its clock of people is that far off */
	unsigned int given_up; /* events */
};

struct world {
	uint64_t now_ns;
	struct rings rings; /* of whichever side works: they are empty in between */
	struct side side[SIDES];
};

/* Once a process: EAL and the ports. */
void world_open(void);
void world_start(struct world *w, uint64_t seed);
void world_end(struct world *w);

/* Chance for the network and the traffic, apart from that of the keys. */
uint64_t world_roll(void);

/* What a side does at w->now_ns, until it has nothing more to do. */
void world_work(struct world *w, unsigned int side);
/* A frame arrives; an inner packet with that number is to be sent to the other side. */
void world_receive(struct world *w, unsigned int side, const uint8_t *frame, uint16_t len);
void world_send(struct world *w, unsigned int side, uint32_t number);
/* The next frame that the side sent; 0: none. */
uint16_t world_sent(struct world *w, unsigned int side, uint8_t ret[FRAME_MAX]);
/* The number of the next inner packet that reached the side's host; false: none. */
bool world_delivered(struct world *w, uint32_t *ret);
/* When the side's timers want to be looked at; UINT64_MAX: not. */
uint64_t world_due(const struct world *w, unsigned int side);
void world_set_keepalive(struct world *w, unsigned int side, uint16_t seconds);

#endif
