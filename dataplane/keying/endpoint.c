// SPDX-License-Identifier: Apache-2.0
/*
 * Where a peer is. An endpoint is immutable: roaming makes a new one and publishes it with one
 * store, so that a worker never mixes an old address with a new port. Only authenticated packets
 * lead here (WireGuard paper section 2.1), and the hint a restart brings.
 */
#include "dataplane/base/clock.h"
#include "dataplane/keying/keying_private.h"
#include "dataplane/table/underlay.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* At most once a second a peer: the node needs a moment to ask the neighbour. */
static void ask_for_neighbour(struct keying *k, struct peer *p, const struct neighbour *n)
{
	if (p->neighbour_asked_ns != 0 && k->now_ns - p->neighbour_asked_ns < NS_PER_SEC)
		return;
	p->neighbour_asked_ns = k->now_ns;
	struct keying_event e = {
		.type = KEYING_EVENT_NEIGHBOUR_MISSING, .remote.addr = n->addr, .port = n->port};
	keying_tell(k, &e);
}

static uint64_t hash_of_endpoint(const struct hash *h, const struct ip_endpoint *e)
{
	uint8_t bytes[sizeof(e->addr.bytes) + sizeof(e->port)];
	memcpy(bytes, e->addr.bytes, sizeof(e->addr.bytes));
	memcpy(bytes + sizeof(e->addr.bytes), &e->port, sizeof(e->port));
	return hash_of(h, bytes, sizeof(bytes));
}

bool keying_endpoint_is_known(const struct keying_instance *ki, const struct ip_endpoint *e)
{
	const struct hash *h = &ki->peer_by_endpoint;
	struct hash_entry *at = hash_first(h, hash_of_endpoint(h, e));
	for (; at != NULL; at = hash_next(at)) {
		const struct peer *p =
			(struct peer *)((char *)at - offsetof(struct peer, keying_by_endpoint));
		if (ip_endpoint_equal(&p->endpoint->remote, e))
			return true;
	}
	return false;
}

/* new may be NULL. */
static void publish(struct keying *k, struct peer *p, struct endpoint *new)
{
	struct hash *h = &((struct keying_instance *)p->instance->keying)->peer_by_endpoint;
	(void)pthread_mutex_lock(&k->status_mutex);
	struct endpoint *old = atomic_exchange_explicit(&p->endpoint, new, memory_order_acq_rel);
	(void)pthread_mutex_unlock(&k->status_mutex);
	if (old != NULL) {
		hash_del(h, &p->keying_by_endpoint);
		keying_defer_free(k, old);
	}
	if (new != NULL)
		hash_add(h, &p->keying_by_endpoint, hash_of_endpoint(h, &new->remote));
}

void keying_endpoint_drop(struct keying *k, struct peer *p)
{
	publish(k, p, NULL);
}

/* Keeps the old endpoint when there is no way to the new one (yet). */
static bool resolve_and_publish(struct keying *k, struct peer *p, const struct endpoint *wanted)
{
	struct endpoint *new = slab_alloc(&k->tables->endpoint_memory);
	if (new == NULL)
		return false;
	*new = *wanted;
	bool missing = false;
	struct neighbour neighbour;
	if (underlay_resolve(k->tables, new, &missing, &neighbour) != 0) {
		slab_free(new);
		return false;
	}
	publish(k, p, new);
	if (missing)
		ask_for_neighbour(k, p, &neighbour);
	return true;
}

void keying_endpoint_set(struct keying *k, struct peer *p, const struct ip_endpoint *remote,
	const struct ip_addr *local, uint16_t local_port)
{
	const struct endpoint *old = p->endpoint;
	bool moved = old == NULL || !ip_endpoint_equal(&old->remote, remote);
	if (!moved && ip_addr_equal(&old->local, local) && old->local_port == local_port)
		return;
	struct endpoint wanted = {.remote = *remote, .local = *local, .local_port = local_port};
	if (!resolve_and_publish(k, p, &wanted))
		return;
	struct keying_event e = {
		.type = KEYING_EVENT_ENDPOINT_MOVED, .peer = peer_handle(p), .remote = *remote};
	if (moved)
		keying_tell(k, &e);
}

void keying_endpoint_renew(struct keying *k, struct peer *p)
{
	if (p->endpoint == NULL)
		return;
	struct endpoint wanted = {
		.remote = p->endpoint->remote,
		.local = p->endpoint->local,
		.local_port =
			p->tunnel != NULL ? p->endpoint->local_port : p->instance->wireguard_port,
	};
	if (!underlay_has_address(k->tables, &wanted.local))
		memset(&wanted.local, 0, sizeof(wanted.local));
	(void)resolve_and_publish(k, p, &wanted);
}
