/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_TABLE_UNDERLAY_PRIVATE_H
#define DATAPLANE_TABLE_UNDERLAY_PRIVATE_H

/* Shared by underlay.c and neighbour.c only. */

#include "dataplane/table/hash.h"
#include "dataplane/table/underlay.h"

#include <pthread.h>

struct local_addresses {
	unsigned int count;
	struct ip_addr addr[UNDERLAY_MAX_ADDRESSES];
};

struct neighbour_entry {
	struct hash_entry by_addr;
	struct neighbour_entry *next;
	struct neighbour neighbour;
	uint32_t adjacency;
};

struct underlay {
	/* read: workers */
	_Atomic uint64_t *adjacency; /* 6 bytes of MAC, port, 1 = reachable: one word, one store */
	_Atomic(struct local_addresses *) local;
	_Atomic uint32_t generation;

	pthread_mutex_t mutex; /* holds all that follows */
	struct underlay_address address[UNDERLAY_MAX_ADDRESSES];
	struct underlay_route route[UNDERLAY_MAX_ROUTES];
	unsigned int addresses, routes;
	struct hash neighbours;
	struct neighbour_entry *neighbour_list;
	uint32_t adjacencies; /* handed out so far; an entry keeps its own for ever */
};

/* Both with the mutex held. want: finds or makes; NULL when there is no room. */
struct neighbour_entry *neighbour_want(
	struct underlay *u, uint32_t port, const struct ip_addr *addr);
void neighbour_sweep(struct underlay *u, uint64_t stamp);

#endif
