// SPDX-License-Identifier: Apache-2.0
/*
 * A peer is written by three threads, each its own fields (peer.h says whose). The server makes
 * it, links it into every lookup and takes it out again; the keying thread puts sessions and
 * endpoints into it; workers stamp and count.
 */
#include "dataplane/table/peer.h"

#include "dataplane/table/instance.h"
#include "dataplane/table/tables.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static_assert(sizeof(struct peer) <= 1024, "at most 1 KiB a configured peer");

struct peer *peer_find(const struct tables *t, const struct uuid *id)
{
	const struct hash *h = &t->peer_by_id;
	struct hash_entry *e = hash_first(h, hash_of(h, id, sizeof(*id)));
	for (; e != NULL; e = hash_next(e)) {
		struct peer *p = (struct peer *)((char *)e - offsetof(struct peer, by_id));
		if (uuid_equal(&p->id, id))
			return p;
	}
	return NULL;
}

static uint64_t hash_of_key(const struct tables *t, const struct instance *i, const struct key *k)
{
	uint8_t both[sizeof(i->id) + sizeof(*k)];
	memcpy(both, &i->id, sizeof(i->id));
	memcpy(both + sizeof(i->id), k, sizeof(*k));
	return hash_of(&t->peer_by_key, both, sizeof(both));
}

struct peer *peer_find_key(
	const struct tables *t, const struct instance *i, const struct key *public_key)
{
	struct hash_entry *e = hash_first(&t->peer_by_key, hash_of_key(t, i, public_key));
	for (; e != NULL; e = hash_next(e)) {
		struct peer *p = (struct peer *)((char *)e - offsetof(struct peer, by_key));
		if (p->instance == i && key_equal(&p->public_key, public_key))
			return p;
	}
	return NULL;
}

uint64_t peer_handle(const struct peer *p)
{
	return (uint64_t)p->generation << 32 | p->slot;
}

struct peer *peer_from_handle(const struct tables *t, uint64_t handle)
{
	uint32_t slot = (uint32_t)handle;
	if (slot >= TABLE_MAX_PEERS)
		return NULL;
	struct peer *p = atomic_load_explicit(&t->peer_slot[slot], memory_order_acquire);
	return p != NULL && p->generation == handle >> 32 ? p : NULL;
}

static int find_slot(struct tables *t, uint32_t *ret)
{
	if (t->peer_count == TABLE_MAX_PEERS)
		return -ENOSPC;
	uint32_t slot;
	do {
		slot = t->peer_next_slot++ % TABLE_MAX_PEERS;
	} while (t->peer_slot[slot] != NULL);
	*ret = slot;
	return 0;
}

static int allowed_new(const struct peer_settings *s, struct peer_allowed **ret)
{
	if (s->allowed_any) {
		*ret = NULL;
		return 0;
	}
	size_t size = s->allowed_count * sizeof(s->allowed[0]);
	struct peer_allowed *a = calloc(1, sizeof(*a) + size);
	if (a == NULL)
		return -ENOMEM;
	a->count = s->allowed_count;
	if (size > 0)
		memcpy(a->prefix, s->allowed, size);
	*ret = a;
	return 0;
}

/* A list that says the same need not go through a grace period. */
static bool allowed_equal(const struct peer_allowed *a, const struct peer_allowed *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return a->count == b->count
		&& memcmp(a->prefix, b->prefix, a->count * sizeof(a->prefix[0])) == 0;
}

static struct peer *peer_new(struct tables *t, const struct peer_settings *s, uint32_t slot)
{
	struct peer *p = slab_alloc(&t->peer_memory);
	if (p == NULL)
		return NULL;
	p->id = s->id;
	p->instance = s->instance;
	p->public_key = s->public_key;
	p->slot = slot;
	p->generation = ++t->generation;
	return p;
}

static void link_peer(struct tables *t, struct peer *p)
{
	struct instance *i = p->instance;
	hash_add(&t->peer_by_id, &p->by_id, hash_of(&t->peer_by_id, &p->id, sizeof(p->id)));
	if (peer_has_wireguard(p))
		hash_add(&t->peer_by_key, &p->by_key, hash_of_key(t, i, &p->public_key));
	p->instance_next = i->peers;
	p->instance_prev = &i->peers;
	if (i->peers != NULL)
		i->peers->instance_prev = &p->instance_next;
	i->peers = p;
	t->peer_count++;
	atomic_store_explicit(&t->peer_slot[p->slot], p, memory_order_release);
}

static int create(struct tables *t, const struct peer_settings *s, struct peer **ret)
{
	if (!key_is_zero(&s->public_key) && key_equal(&s->instance->public_key, &s->public_key))
		return -EKEYREJECTED;
	if (!key_is_zero(&s->public_key) && peer_find_key(t, s->instance, &s->public_key) != NULL)
		return -EEXIST;
	uint32_t slot;
	int err = find_slot(t, &slot);
	if (err != 0)
		return err;
	*ret = peer_new(t, s, slot);
	return *ret != NULL ? 0 : -ENOMEM;
}

int peer_set(struct tables *t, const struct peer_settings *s, struct peer **ret, bool *ret_created)
{
	struct peer *p = peer_find(t, &s->id);
	bool created = p == NULL;
	if (!created && (p->instance != s->instance || !key_equal(&p->public_key, &s->public_key)))
		return -EBUSY;
	struct peer_allowed *allowed = NULL;
	int err = allowed_new(s, &allowed);
	if (err == 0 && created)
		err = create(t, s, &p);
	if (err != 0) {
		free(allowed);
		return err;
	}
	atomic_store_explicit(&p->type, (uint8_t)s->type, memory_order_relaxed);
	atomic_store_explicit(&p->route_all, s->route_all, memory_order_relaxed);
	atomic_store_explicit(&p->expires_at_s, s->expires_at_s, memory_order_relaxed);
	if (allowed_equal(p->allowed, allowed)) {
		free(allowed);
	} else {
		struct peer_allowed *old =
			atomic_exchange_explicit(&p->allowed, allowed, memory_order_acq_rel);
		if (old != NULL)
			tables_retire(t, old);
	}
	if (created)
		link_peer(t, p);
	*ret = p;
	*ret_created = created;
	return 0;
}

void peer_unlink(struct tables *t, struct peer *p)
{
	atomic_store_explicit(&t->peer_slot[p->slot], NULL, memory_order_release);
	while (p->routes != NULL)
		route_del(p->routes);
	hash_del(&t->peer_by_id, &p->by_id);
	if (peer_has_wireguard(p))
		hash_del(&t->peer_by_key, &p->by_key);
	*p->instance_prev = p->instance_next;
	if (p->instance_next != NULL)
		p->instance_next->instance_prev = p->instance_prev;
	t->peer_count--;
	p->unlinked_next = t->unlinked_peers;
	t->unlinked_peers = p;
}

void peer_free(struct peer *p)
{
	free(p->allowed);
	slab_free(p);
}
