// SPDX-License-Identifier: Apache-2.0
/*
 * Neighbours of the ports and the adjacency array that workers read. An adjacency is one 64-bit
 * word, so that a worker always sees a MAC address and its port together. An entry stays once an
 * endpoint has asked for it: endpoints name adjacencies by number.
 */
#include "dataplane/table/underlay_private.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct neighbour_key {
	struct ip_addr addr;
	uint32_t port;
};

static uint64_t hash_neighbour(const struct underlay *u, uint32_t port, const struct ip_addr *addr)
{
	struct neighbour_key key = {*addr, port};
	return hash_of(&u->neighbours, &key, sizeof(key));
}

static struct neighbour_entry *find_entry(
	const struct underlay *u, uint32_t port, const struct ip_addr *addr)
{
	struct hash_entry *h = hash_first(&u->neighbours, hash_neighbour(u, port, addr));
	for (; h != NULL; h = hash_next(h)) {
		struct neighbour_entry *e = (struct neighbour_entry *)((char *)h
			- offsetof(struct neighbour_entry, by_addr));
		if (e->neighbour.port == port && ip_addr_equal(&e->neighbour.addr, addr))
			return e;
	}
	return NULL;
}

struct neighbour_entry *neighbour_want(
	struct underlay *u, uint32_t port, const struct ip_addr *addr)
{
	struct neighbour_entry *e = find_entry(u, port, addr);
	if (e != NULL || u->adjacencies == UNDERLAY_MAX_ADJACENCIES)
		return e;
	e = calloc(1, sizeof(*e));
	if (e == NULL)
		return NULL;
	e->neighbour.port = port;
	e->neighbour.addr = *addr;
	e->adjacency = u->adjacencies++;
	hash_add(&u->neighbours, &e->by_addr, hash_neighbour(u, port, addr));
	e->next = u->neighbour_list;
	u->neighbour_list = e;
	return e;
}

static void publish(struct underlay *u, const struct neighbour_entry *e)
{
	uint8_t bytes[8] = {0};
	memcpy(bytes, e->neighbour.mac, 6);
	bytes[6] = (uint8_t)e->neighbour.port;
	bytes[7] = e->neighbour.state == NEIGHBOUR_REACHABLE ? UNDERLAY_REACHABLE : 0;
	uint64_t word;
	memcpy(&word, bytes, sizeof(word));
	atomic_store_explicit(&u->adjacency[e->adjacency], word, memory_order_release);
	if (e->neighbour.state == NEIGHBOUR_REACHABLE)
		(void)atomic_fetch_add_explicit(&u->arrivals, 1, memory_order_release);
}

int neighbour_set(struct tables *t, const struct neighbour *n)
{
	struct underlay *u = t->underlay;
	(void)pthread_mutex_lock(&u->mutex);
	/* one that failed matters only to who asked for it: a scan must not fill the table */
	bool failed = n->state == NEIGHBOUR_FAILED;
	struct neighbour_entry *e =
		failed ? find_entry(u, n->port, &n->addr) : neighbour_want(u, n->port, &n->addr);
	if (e != NULL) {
		e->neighbour = *n;
		e->neighbour.known = true;
		publish(u, e);
	}
	(void)pthread_mutex_unlock(&u->mutex);
	return e != NULL || failed ? 0 : -ENOSPC;
}

static void forget(struct underlay *u, struct neighbour_entry *e)
{
	e->neighbour.known = false;
	e->neighbour.state = NEIGHBOUR_UNKNOWN;
	publish(u, e);
}

void neighbour_sweep(struct underlay *u, uint64_t stamp)
{
	for (struct neighbour_entry *e = u->neighbour_list; e != NULL; e = e->next) {
		if (e->neighbour.known && e->neighbour.sync_stamp != stamp)
			forget(u, e);
	}
}
