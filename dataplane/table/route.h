/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_TABLE_ROUTE_H
#define DATAPLANE_TABLE_ROUTE_H

#include "dataplane/base/ip.h"
#include "dataplane/table/hash.h"
#include "dataplane/table/route_trie.h"

#include <stdbool.h>
#include <stdint.h>

struct instance;
struct peer;

/*
 * Routes of one instance: longest prefix -> peer, egress (the internet, through the host), host
 * (the hub's own inner address) or drop. The same table says whose a source address is.
 */
enum route_target {
	ROUTE_NONE = 0, /* lookup: nothing matches */
	ROUTE_PEER = 1,
	ROUTE_EGRESS = 2,
	ROUTE_HOST = 3,
	ROUTE_DROP = 4,
	ROUTE_PEER_DEFAULT = 5, /* lookup: a peer that advertises 0.0.0.0/0 or ::/0 */
};

/* Server thread's record of a route. */
struct route {
	struct ip_prefix prefix;
	uint8_t target; /* enum route_target */
	uint32_t sync_stamp; /* server/sync.c */
	struct peer *peer; /* ROUTE_PEER */
	struct instance *instance;
	struct hash_entry by_prefix;
	struct route *next, **prev; /* in instance->route_list */
	struct route *peer_next, **peer_prev; /* in peer->routes */
};

/* Creates or replaces (another peer may take a prefix over). prefix canonical, peer of the same
 * instance exactly for ROUTE_PEER, else -EINVAL; -ENOMEM. */
int route_set(struct instance *i, const struct ip_prefix *prefix, enum route_target target,
	struct peer *peer);
struct route *route_find(const struct instance *i, const struct ip_prefix *prefix);
void route_del(struct route *r);

/* A lookup's answer in one word. */
static inline enum route_target route_value_target(uintptr_t value)
{
	return (enum route_target)(value & ROUTE_TRIE_TAG);
}

static inline struct peer *route_value_peer(uintptr_t value)
{
	uintptr_t peer = value & ~(uintptr_t)ROUTE_TRIE_TAG;
	return (struct peer *)peer; // NOLINT(performance-no-int-to-ptr)
}

#endif
