// SPDX-License-Identifier: Apache-2.0
/*
 * Local addresses and routes of the outside network, and the way to an endpoint. Neighbours are
 * in neighbour.c. The mutex orders the server thread (writer) and the keying threads (which ask
 * for the way to an endpoint, rarely); workers never take it.
 */
#include "dataplane/table/underlay.h"

#include "dataplane/table/underlay_private.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ip.h>

int underlay_new(struct underlay **ret)
{
	struct underlay *u = calloc(1, sizeof(*u));
	if (u == NULL)
		return -ENOMEM;
	u->adjacency = calloc(UNDERLAY_MAX_ADJACENCIES, sizeof(u->adjacency[0]));
	u->local = calloc(1, sizeof(*u->local));
	int err = hash_init(&u->neighbours);
	if (err == 0 && (u->adjacency == NULL || u->local == NULL))
		err = -ENOMEM;
	if (err != 0) {
		underlay_free(u);
		return err;
	}
	(void)pthread_mutex_init(&u->mutex, NULL);
	*ret = u;
	return 0;
}

void underlay_free(struct underlay *u)
{
	if (u == NULL)
		return;
	while (u->neighbour_list != NULL) {
		struct neighbour_entry *e = u->neighbour_list;
		u->neighbour_list = e->next;
		free(e);
	}
	if (u->neighbours.bucket != NULL)
		hash_fini(&u->neighbours);
	free((void *)u->adjacency);
	free(u->local);
	free(u);
}

static void touch(struct underlay *u)
{
	(void)atomic_fetch_add_explicit(&u->generation, 1, memory_order_release);
}

/* Workers compare against an immutable copy; the old one goes after a grace period. */
static int publish_addresses(struct tables *t)
{
	struct underlay *u = t->underlay;
	struct local_addresses *new = calloc(1, sizeof(*new));
	if (new == NULL)
		return -ENOMEM;
	for (unsigned int i = 0; i < u->addresses; i++) {
		const struct ip_addr *a = &u->address[i].prefix.addr;
		new->addr[new->count++] = *a;
		if (ip_addr_is_v4(a))
			new->addr4[new->count4++] = ip_addr_v4(a);
	}
	struct local_addresses *old =
		atomic_exchange_explicit(&u->local, new, memory_order_acq_rel);
	tables_retire(t, old);
	touch(u);
	return 0;
}

static struct underlay_address *find_address(
	struct underlay *u, uint32_t port, const struct ip_prefix *prefix)
{
	for (unsigned int i = 0; i < u->addresses; i++) {
		if (u->address[i].port == port && ip_prefix_equal(&u->address[i].prefix, prefix))
			return &u->address[i];
	}
	return NULL;
}

int underlay_address_set(
	struct tables *t, uint32_t port, const struct ip_prefix *prefix, uint64_t stamp)
{
	struct underlay *u = t->underlay;
	int err = 0;
	(void)pthread_mutex_lock(&u->mutex);
	struct underlay_address *a = find_address(u, port, prefix);
	if (a != NULL) {
		a->sync_stamp = stamp;
	} else if (u->addresses == UNDERLAY_MAX_ADDRESSES) {
		err = -ENOSPC;
	} else {
		u->address[u->addresses++] = (struct underlay_address){port, *prefix, stamp};
		err = publish_addresses(t);
		u->addresses -= err != 0;
	}
	(void)pthread_mutex_unlock(&u->mutex);
	return err;
}

static struct underlay_route *find_route(
	struct underlay *u, const struct ip_prefix *prefix, uint32_t port)
{
	for (unsigned int i = 0; i < u->routes; i++) {
		if (u->route[i].port == port && ip_prefix_equal(&u->route[i].prefix, prefix))
			return &u->route[i];
	}
	return NULL;
}

int underlay_route_set(struct tables *t, const struct underlay_route *r)
{
	struct underlay *u = t->underlay;
	int err = 0;
	(void)pthread_mutex_lock(&u->mutex);
	struct underlay_route *old = find_route(u, &r->prefix, r->port);
	if (old == NULL && u->routes == UNDERLAY_MAX_ROUTES) {
		err = -ENOSPC;
	} else {
		bool same = old != NULL && ip_addr_equal(&old->gateway, &r->gateway);
		*(old != NULL ? old : &u->route[u->routes++]) = *r;
		if (!same)
			touch(u);
	}
	(void)pthread_mutex_unlock(&u->mutex);
	return err;
}

static void sweep_addresses(struct tables *t, uint64_t stamp)
{
	struct underlay *u = t->underlay;
	unsigned int kept = 0;
	for (unsigned int i = 0; i < u->addresses; i++) {
		if (u->address[i].sync_stamp == stamp)
			u->address[kept++] = u->address[i];
	}
	bool changed = kept != u->addresses;
	u->addresses = kept;
	if (changed)
		(void)publish_addresses(t);
}

static void sweep_routes(struct underlay *u, uint64_t stamp)
{
	unsigned int kept = 0;
	for (unsigned int i = 0; i < u->routes; i++) {
		if (u->route[i].sync_stamp == stamp)
			u->route[kept++] = u->route[i];
	}
	if (kept != u->routes)
		touch(u);
	u->routes = kept;
}

void underlay_sweep(struct tables *t, uint64_t stamp)
{
	(void)pthread_mutex_lock(&t->underlay->mutex);
	sweep_addresses(t, stamp);
	sweep_routes(t->underlay, stamp);
	neighbour_sweep(t->underlay, stamp);
	(void)pthread_mutex_unlock(&t->underlay->mutex);
}

static const struct underlay_route *lookup_route(const struct underlay *u, const struct ip_addr *to)
{
	const struct underlay_route *best = NULL;
	for (unsigned int i = 0; i < u->routes; i++) {
		const struct underlay_route *r = &u->route[i];
		if (ip_prefix_contains(&r->prefix, to)
			&& (best == NULL || r->prefix.len > best->prefix.len))
			best = r;
	}
	return best;
}

/* An address of that family on the port; the one whose network holds the next hop comes first. */
static const struct ip_addr *choose_local(
	const struct underlay *u, uint32_t port, const struct ip_addr *next_hop)
{
	const struct ip_addr *any = NULL;
	for (unsigned int i = 0; i < u->addresses; i++) {
		const struct underlay_address *a = &u->address[i];
		bool family = ip_addr_is_v4(&a->prefix.addr) == ip_addr_is_v4(next_hop);
		if (a->port != port || !family || ip_addr_is_link_local(&a->prefix.addr))
			continue;
		if (ip_prefix_contains(&a->prefix, next_hop))
			return &a->prefix.addr;
		any = &a->prefix.addr;
	}
	return any;
}

static void put_be16(uint8_t *at, uint16_t v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

/* Lengths, MAC addresses and the UDP checksum are left to udp_output. */
static void write_header(struct endpoint *e)
{
	uint8_t *h = e->header;
	memset(h, 0, sizeof(e->header));
	e->is_v6 = !ip_addr_is_v4(&e->remote.addr);
	uint8_t *ip = h + 14;
	uint8_t *udp = ip + (e->is_v6 ? 40 : 20);
	if (e->is_v6) {
		put_be16(h + 12, 0x86dd);
		ip[0] = 0x60;
		ip[6] = 17; /* next header: UDP */
		ip[7] = 64; /* hop limit */
		memcpy(ip + 8, e->local.bytes, 16);
		memcpy(ip + 24, e->remote.addr.bytes, 16);
	} else {
		put_be16(h + 12, 0x0800);
		ip[0] = 0x45;
		ip[8] = 64; /* TTL */
		ip[9] = 17; /* protocol: UDP */
		memcpy(ip + 12, e->local.bytes + 12, 4);
		memcpy(ip + 16, e->remote.addr.bytes + 12, 4);
		uint16_t checksum = rte_ipv4_cksum((const struct rte_ipv4_hdr *)ip);
		memcpy(ip + 10, &checksum, sizeof(checksum));
	}
	put_be16(udp, e->local_port);
	put_be16(udp + 2, e->remote.port);
	e->header_len = (uint8_t)(udp + 8 - h);
}

static int resolve_locked(
	struct underlay *u, struct endpoint *e, bool *ret_missing, struct neighbour *ret_neighbour)
{
	const struct underlay_route *r = lookup_route(u, &e->remote.addr);
	if (r == NULL)
		return -EHOSTUNREACH;
	const struct ip_addr *hop = ip_addr_is_zero(&r->gateway) ? &e->remote.addr : &r->gateway;
	if (ip_addr_is_zero(&e->local)) {
		const struct ip_addr *local = choose_local(u, r->port, hop);
		if (local == NULL)
			return -EADDRNOTAVAIL;
		e->local = *local;
	}
	struct neighbour_entry *n = neighbour_want(u, r->port, hop);
	if (n == NULL)
		return -ENOSPC;
	e->adjacency = n->adjacency;
	e->underlay_generation = u->generation;
	*ret_missing = n->neighbour.state != NEIGHBOUR_REACHABLE;
	*ret_neighbour = n->neighbour;
	return 0;
}

int underlay_resolve(
	struct tables *t, struct endpoint *e, bool *ret_missing, struct neighbour *ret_neighbour)
{
	struct underlay *u = t->underlay;
	(void)pthread_mutex_lock(&u->mutex);
	int err = resolve_locked(u, e, ret_missing, ret_neighbour);
	(void)pthread_mutex_unlock(&u->mutex);
	if (err == 0)
		write_header(e);
	return err;
}

bool underlay_has_address(const struct tables *t, const struct ip_addr *addr)
{
	struct underlay *u = t->underlay;
	(void)pthread_mutex_lock(&u->mutex);
	bool found = underlay_is_local(t, addr); /* replaced only under the mutex */
	(void)pthread_mutex_unlock(&u->mutex);
	return found;
}
