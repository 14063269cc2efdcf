// SPDX-License-Identifier: Apache-2.0
#include "dataplane/table/route.h"

#include "dataplane/table/instance.h"
#include "dataplane/table/peer.h"

#include <assert.h>
#include <errno.h>
#include <stdalign.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static_assert(alignof(struct peer) > ROUTE_TRIE_TAG, "the tag fits below a peer's address");

static uintptr_t route_value(enum route_target target, const struct peer *peer)
{
	return (uintptr_t)peer | (uintptr_t)target;
}

/* The IPv4 address of a host route, network order; 0: it is none. */
static uint32_t host4(const struct route *r)
{
	uint32_t be = 0;
	if (r->prefix.len == 128 && ip_prefix_is_v4(&r->prefix))
		memcpy(&be, r->prefix.addr.bytes + IP_V4_OFFSET / 8, sizeof(be));
	return be;
}

static void choose_source4(struct peer *p)
{
	uint32_t be = 0;
	for (const struct route *r = p->routes; be == 0 && r != NULL; r = r->peer_next)
		be = host4(r);
	atomic_store_explicit(&p->source4, be, memory_order_relaxed);
}

static void link_to_peer(struct route *r, struct peer *p)
{
	r->peer = p;
	if (p == NULL)
		return;
	r->peer_next = p->routes;
	r->peer_prev = &p->routes;
	if (p->routes != NULL)
		p->routes->peer_prev = &r->peer_next;
	p->routes = r;
	p->route_count++;
	if (p->source4 == 0) /* it has no other host route */
		atomic_store_explicit(&p->source4, host4(r), memory_order_relaxed);
}

static void unlink_from_peer(struct route *r)
{
	struct peer *p = r->peer;
	if (p == NULL)
		return;
	*r->peer_prev = r->peer_next;
	if (r->peer_next != NULL)
		r->peer_next->peer_prev = r->peer_prev;
	r->peer->route_count--;
	r->peer = NULL;
	if (host4(r) != 0 && p->source4 == host4(r))
		choose_source4(p);
}

struct route *route_find(const struct instance *i, const struct ip_prefix *prefix)
{
	const struct hash *h = &i->route_by_prefix;
	struct hash_entry *e = hash_first(h, hash_of(h, prefix, sizeof(*prefix)));
	for (; e != NULL; e = hash_next(e)) {
		struct route *r = (struct route *)((char *)e - offsetof(struct route, by_prefix));
		if (ip_prefix_equal(&r->prefix, prefix))
			return r;
	}
	return NULL;
}

static struct route *route_new(struct instance *i, const struct ip_prefix *prefix)
{
	struct route *r = calloc(1, sizeof(*r));
	if (r == NULL)
		return NULL;
	r->prefix = *prefix;
	r->instance = i;
	return r;
}

static void link_to_instance(struct route *r)
{
	struct instance *i = r->instance;
	hash_add(&i->route_by_prefix, &r->by_prefix,
		hash_of(&i->route_by_prefix, &r->prefix, sizeof(r->prefix)));
	r->next = i->route_list;
	r->prev = &i->route_list;
	if (i->route_list != NULL)
		i->route_list->prev = &r->next;
	i->route_list = r;
}

int route_set(struct instance *i, const struct ip_prefix *prefix, enum route_target target,
	struct peer *peer)
{
	bool to_peer = target == ROUTE_PEER;
	if (!ip_prefix_is_canonical(prefix) || target == ROUTE_NONE || target == ROUTE_PEER_DEFAULT
		|| to_peer != (peer != NULL) || (to_peer && peer->instance != i))
		return -EINVAL;
	struct route *r = route_find(i, prefix);
	bool created = r == NULL;
	if (created) {
		r = route_new(i, prefix);
		if (r == NULL)
			return -ENOMEM;
	}
	bool is_default = to_peer && ip_prefix_len(prefix) == 0;
	int err = route_trie_set(
		&i->routes, prefix, route_value(is_default ? ROUTE_PEER_DEFAULT : target, peer));
	if (err != 0) {
		if (created)
			free(r);
		return err;
	}
	if (created)
		link_to_instance(r);
	unlink_from_peer(r);
	r->target = (uint8_t)target;
	link_to_peer(r, peer);
	return 0;
}

void route_del(struct route *r)
{
	(void)route_trie_del(&r->instance->routes, &r->prefix);
	hash_del(&r->instance->route_by_prefix, &r->by_prefix);
	unlink_from_peer(r);
	*r->prev = r->next;
	if (r->next != NULL)
		r->next->prev = r->prev;
	free(r);
}
