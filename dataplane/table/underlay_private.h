/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_TABLE_UNDERLAY_PRIVATE_H
#define DATAPLANE_TABLE_UNDERLAY_PRIVATE_H

/* Shared by underlay.c and neighbour.c only. */

#include "dataplane/table/underlay.h"

struct neighbour_entry {
	struct hash_entry by_addr;
	struct neighbour_entry *next;
	struct neighbour neighbour;
	uint32_t adjacency;
};

/* Both with the mutex held. want: finds or makes; NULL when there is no room. */
struct neighbour_entry *neighbour_want(
	struct underlay *u, uint32_t port, const struct ip_addr *addr);
void neighbour_sweep(struct underlay *u, uint64_t stamp);

#endif
