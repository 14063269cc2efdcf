/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_TABLE_UNDERLAY_H
#define DATAPLANE_TABLE_UNDERLAY_H

#include "dataplane/base/ip.h"
#include "dataplane/table/hash.h"
#include "dataplane/table/session.h"
#include "dataplane/table/tables.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/*
 * The hub's side of the outside network, as nave-node mirrors it from Linux: local addresses,
 * routes and neighbours of the ports. The server thread writes, keying asks for the way to an
 * endpoint (both under one mutex, neither is the packet path); workers read only the adjacency
 * array and the snapshot of local addresses, without locks.
 */
enum {
	UNDERLAY_MAX_ADDRESSES = 64,
	UNDERLAY_MAX_ROUTES = 4096,
	UNDERLAY_MAX_ADJACENCIES = 65536,
	UNDERLAY_REACHABLE = 1,
};

struct underlay_address {
	uint32_t port;
	struct ip_prefix prefix;
	uint64_t sync_stamp;
};

struct underlay_route {
	struct ip_prefix prefix;
	uint32_t port;
	struct ip_addr gateway; /* zero: on link */
	uint64_t sync_stamp;
};

enum neighbour_state {
	NEIGHBOUR_UNKNOWN,
	NEIGHBOUR_REACHABLE,
	NEIGHBOUR_FAILED,
};

struct neighbour {
	uint32_t port;
	struct ip_addr addr;
	uint8_t mac[6];
	enum neighbour_state state;
	bool known; /* told by the node, not only wanted by an endpoint */
	uint64_t sync_stamp;
};

struct neighbour_entry;

struct local_addresses {
	unsigned int count, count4;
	struct ip_addr addr[UNDERLAY_MAX_ADDRESSES];
	uint32_t addr4[UNDERLAY_MAX_ADDRESSES]; /* those of IPv4 once more, network order */
};

struct underlay {
	/* read: workers */
	_Atomic uint64_t *adjacency; /* 6 bytes of MAC, port, 1 = reachable: one word, one store */
	_Atomic(struct local_addresses *) local;
	_Atomic uint32_t generation;
	_Atomic uint32_t arrivals; /* read: keying */

	/* underlay.c and neighbour.c only */
	pthread_mutex_t mutex; /* holds all that follows */
	struct underlay_address address[UNDERLAY_MAX_ADDRESSES];
	struct underlay_route route[UNDERLAY_MAX_ROUTES];
	unsigned int addresses, routes;
	struct hash neighbours;
	struct neighbour_entry *neighbour_list;
	uint32_t adjacencies; /* handed out so far; an entry keeps its own for ever */
};

int underlay_new(struct underlay **ret);
void underlay_free(struct underlay *u);

/* Server thread. Create or replace; -ENOSPC at the limits. */
int underlay_address_set(
	struct tables *t, uint32_t port, const struct ip_prefix *prefix, uint64_t stamp);
int underlay_route_set(struct tables *t, const struct underlay_route *r);
int neighbour_set(struct tables *t, const struct neighbour *n);
/* SYNC_END: deletes addresses, routes and neighbours whose stamp is not this one. */
void underlay_sweep(struct tables *t, uint64_t stamp);

/* Grows with each change of addresses or routes; endpoints made before are then stale. */
static inline uint32_t underlay_generation(const struct underlay *u)
{
	return atomic_load_explicit(&u->generation, memory_order_acquire);
}

/*
 * Keying thread. Fills adjacency, header and (when zero) local of an endpoint from remote.
 * -EHOSTUNREACH: no route; -EADDRNOTAVAIL: no local address of the family; -ENOSPC.
 * When the neighbour's MAC address is not known the endpoint is still good: ret_missing names
 * the neighbour to ask the node for (port and address), and packets are dropped until it comes.
 */
int underlay_resolve(
	struct tables *t, struct endpoint *e, bool *ret_missing, struct neighbour *ret_neighbour);

/* Grows after a neighbour's MAC address has become known: whoever waited for one looks again. */
static inline uint32_t underlay_arrivals(const struct underlay *u)
{
	return atomic_load_explicit(&u->arrivals, memory_order_acquire);
}

/* Keying thread. Is the MAC address known? adjacency: of a resolved endpoint. */
static inline bool underlay_is_reachable(const struct tables *t, uint32_t adjacency)
{
	uint64_t word =
		atomic_load_explicit(&t->underlay->adjacency[adjacency], memory_order_acquire);
	uint8_t bytes[8];
	memcpy(bytes, &word, sizeof(bytes));
	return bytes[7] == UNDERLAY_REACHABLE;
}

/* Worker. The port that leads there, or NULL: MAC not known. Writes destination and source MAC. */
static inline const struct port *underlay_adjacency_port(
	const struct tables *t, uint32_t adjacency, uint8_t ret_macs[12])
{
	if (adjacency >= UNDERLAY_MAX_ADJACENCIES)
		return NULL;
	uint64_t word =
		atomic_load_explicit(&t->underlay->adjacency[adjacency], memory_order_acquire);
	uint8_t bytes[8];
	memcpy(bytes, &word, sizeof(bytes));
	if (bytes[7] != UNDERLAY_REACHABLE || bytes[6] >= t->ports)
		return NULL;
	const struct port *port = &t->port[bytes[6]];
	memcpy(ret_macs, bytes, sizeof(bytes)); /* two more than the MAC address: one store */
	memcpy(ret_macs + 6, port->mac, 6);
	return port;
}

/* The same of an IPv4 address in network order: asked twice a packet. */
static inline bool underlay_is_local4(const struct tables *t, uint32_t be)
{
	const struct local_addresses *l =
		atomic_load_explicit(&t->underlay->local, memory_order_acquire);
	for (unsigned int i = 0; i < l->count4; i++) {
		if (l->addr4[i] == be)
			return true;
	}
	return false;
}

/* Keying thread, which is no QSBR reader: the same under the mutex. */
bool underlay_has_address(const struct tables *t, const struct ip_addr *addr);
/* Worker. Is it one of the hub's own outer addresses? */
static inline bool underlay_is_local(const struct tables *t, const struct ip_addr *addr)
{
	const struct local_addresses *l =
		atomic_load_explicit(&t->underlay->local, memory_order_acquire);
	for (unsigned int i = 0; i < l->count; i++) {
		if (ip_addr_equal(&l->addr[i], addr))
			return true;
	}
	return false;
}

#endif
