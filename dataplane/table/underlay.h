/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_TABLE_UNDERLAY_H
#define DATAPLANE_TABLE_UNDERLAY_H

#include "dataplane/base/ip.h"
#include "dataplane/table/session.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * The hub's side of the outside network, as nave-node mirrors it from Linux: local addresses,
 * routes and neighbours of the ports. The server thread writes, keying asks for the way to an
 * endpoint (both under one mutex, neither is the packet path); workers read only the adjacency
 * array and the snapshot of local addresses, without locks.
 */
struct tables;
struct underlay;

enum {
	UNDERLAY_MAX_ADDRESSES = 64,
	UNDERLAY_MAX_ROUTES = 4096,
	UNDERLAY_MAX_ADJACENCIES = 65536,
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

int underlay_new(struct underlay **ret);
void underlay_free(struct underlay *u);

/* Server thread. Create or replace / delete (-ENOENT) / visit all; -ENOSPC at the limits. A
 * visitor returns false to stop; it may not change the underlay. */
int underlay_address_set(
	struct tables *t, uint32_t port, const struct ip_prefix *prefix, uint64_t stamp);
int underlay_address_del(struct tables *t, uint32_t port, const struct ip_prefix *prefix);
void underlay_address_each(
	struct underlay *u, bool (*visit)(void *ctx, const struct underlay_address *a), void *ctx);
int underlay_route_set(struct tables *t, const struct underlay_route *r);
int underlay_route_del(struct tables *t, const struct ip_prefix *prefix, uint32_t port);
void underlay_route_each(
	struct underlay *u, bool (*visit)(void *ctx, const struct underlay_route *r), void *ctx);
int neighbour_set(struct tables *t, const struct neighbour *n);
int neighbour_del(struct tables *t, uint32_t port, const struct ip_addr *addr);
void neighbour_each(
	struct underlay *u, bool (*visit)(void *ctx, const struct neighbour *n), void *ctx);
/* SYNC_END: deletes addresses, routes and neighbours whose stamp is not this one. */
void underlay_sweep(struct tables *t, uint64_t stamp);

/* Grows with each change of addresses or routes; endpoints made before are then stale. */
uint32_t underlay_generation(const struct underlay *u);

/*
 * Keying thread. Fills adjacency, header and (when zero) local of an endpoint from remote.
 * -EHOSTUNREACH: no route; -EADDRNOTAVAIL: no local address of the family; -ENOSPC.
 * When the neighbour's MAC address is not known the endpoint is still good: ret_missing names
 * the neighbour to ask the node for (port and address), and packets are dropped until it comes.
 */
int underlay_resolve(
	struct tables *t, struct endpoint *e, bool *ret_missing, struct neighbour *ret_neighbour);

/* Worker. false: MAC not known. Writes destination and source MAC. */
bool underlay_adjacency_mac(
	const struct tables *t, uint32_t adjacency, uint8_t ret_macs[12], uint32_t *ret_port);
/* Keying thread, which is no QSBR reader: the same under the mutex. */
bool underlay_has_address(const struct tables *t, const struct ip_addr *addr);
/* Worker. Is it one of the hub's own outer addresses? */
bool underlay_is_local(const struct tables *t, const struct ip_addr *addr);

#endif
