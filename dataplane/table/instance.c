// SPDX-License-Identifier: Apache-2.0
#include "dataplane/table/instance.h"

#include "dataplane/base/clock.h"
#include "dataplane/crypto/x25519.h"
#include "dataplane/table/listener.h"
#include "dataplane/table/peer.h"
#include "dataplane/table/tables.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

struct instance *instance_find(const struct tables *t, const struct uuid *id)
{
	const struct hash *h = &t->instance_by_id;
	struct hash_entry *e = hash_first(h, hash_of(h, id, sizeof(*id)));
	for (; e != NULL; e = hash_next(e)) {
		struct instance *i =
			(struct instance *)((char *)e - offsetof(struct instance, by_id));
		if (uuid_equal(&i->id, id))
			return i;
	}
	return NULL;
}

uint64_t instance_handle(const struct instance *i)
{
	return (uint64_t)i->generation << 32 | i->slot;
}

struct instance *instance_from_handle(const struct tables *t, uint64_t handle)
{
	uint32_t slot = (uint32_t)handle;
	if (slot >= TABLE_MAX_INSTANCES)
		return NULL;
	struct instance *i = atomic_load_explicit(&t->instance_slot[slot], memory_order_acquire);
	return i != NULL && i->generation == handle >> 32 ? i : NULL;
}

static int check_conflicts(
	const struct tables *t, const struct instance_settings *s, const struct instance *self)
{
	if (s->mtu > t->inner_max)
		return -EMSGSIZE;
	const struct instance *holder = t->listener[s->wireguard_port];
	if ((holder != NULL && holder != self) || t->openvpn_port[s->wireguard_port] != NULL)
		return -EADDRINUSE;
	for (const struct instance *i = t->instances; i != NULL; i = i->next) {
		if (i != self && i->number == s->number)
			return -EEXIST;
	}
	if (self == NULL)
		return 0;
	bool same = self->number == s->number && self->wireguard_port == s->wireguard_port
		&& ip_prefix_equal(&self->address4, &s->address4)
		&& ip_prefix_equal(&self->address6, &s->address6);
	return same ? 0 : -EBUSY;
}

static int find_slot(struct tables *t, uint32_t *ret)
{
	for (unsigned int tries = 0; tries < TABLE_MAX_INSTANCES; tries++) {
		uint32_t slot = t->instance_next_slot++ % TABLE_MAX_INSTANCES;
		if (t->instance_slot[slot] == NULL) {
			*ret = slot;
			return 0;
		}
	}
	return -ENOSPC;
}

static void retire_node(void *ctx, void *memory)
{
	tables_retire_object(ctx, memory);
}

static struct instance *instance_new(struct tables *t, const struct instance_settings *s)
{
	struct instance *i = calloc(1, sizeof(*i));
	if (i == NULL)
		return NULL;
	if (hash_init(&i->route_by_prefix) != 0) {
		free(i);
		return NULL;
	}
	if (route_trie_init(&i->routes, &t->route_memory, retire_node, t) != 0) {
		hash_fini(&i->route_by_prefix);
		free(i);
		return NULL;
	}
	i->id = s->id;
	i->number = s->number;
	i->wireguard_port = s->wireguard_port;
	i->address4 = s->address4;
	i->address6 = s->address6;
	i->created_realtime_ns = clock_realtime_ns();
	return i;
}

static int create(struct tables *t, const struct instance_settings *s, struct instance **ret)
{
	uint32_t slot;
	int err = find_slot(t, &slot);
	if (err != 0)
		return err;
	struct instance *i = instance_new(t, s);
	if (i == NULL)
		return -ENOMEM;
	i->slot = slot;
	i->generation = ++t->generation;
	hash_add(&t->instance_by_id, &i->by_id, hash_of(&t->instance_by_id, &i->id, sizeof(i->id)));
	i->next = t->instances;
	i->prev = &t->instances;
	if (t->instances != NULL)
		t->instances->prev = &i->next;
	t->instances = i;
	atomic_store_explicit(&t->instance_slot[slot], i, memory_order_release);
	*ret = i;
	return 0;
}

int instance_set(struct tables *t, const struct instance_settings *s, struct instance **ret)
{
	struct instance *i = instance_find(t, &s->id);
	struct key public_key = {0};
	int err = check_conflicts(t, s, i);
	if (err == 0 && s->private_key != NULL)
		err = x25519_public(s->private_key, &public_key);
	if (err == 0 && i == NULL)
		err = create(t, s, &i);
	if (err != 0)
		return err;
	i->public_key = public_key;
	atomic_store_explicit(&i->flags, s->flags, memory_order_relaxed);
	atomic_store_explicit(&i->mtu, s->mtu, memory_order_relaxed);
	atomic_store_explicit(&t->listener[s->wireguard_port], i, memory_order_release);
	*ret = i;
	return 0;
}

int instance_move(struct tables *t, struct instance *i, uint16_t port)
{
	const struct instance *holder = t->listener[port];
	if (holder != NULL)
		return holder == i ? 0 : -EADDRINUSE;
	if (t->openvpn_port[port] != NULL)
		return -EADDRINUSE;
	atomic_store_explicit(&t->listener[port], i, memory_order_release);
	atomic_store_explicit(&t->listener[i->wireguard_port], NULL, memory_order_release);
	atomic_store_explicit(&i->wireguard_port, port, memory_order_relaxed);
	return 0;
}

void instance_unlink(struct tables *t, struct instance *i)
{
	atomic_store_explicit(&t->listener[i->wireguard_port], NULL, memory_order_release);
	atomic_store_explicit(&t->instance_slot[i->slot], NULL, memory_order_release);
	while (i->listeners != NULL)
		listener_del(t, i->listeners);
	while (i->peers != NULL)
		peer_unlink(t, i->peers);
	while (i->route_list != NULL)
		route_del(i->route_list);
	hash_del(&t->instance_by_id, &i->by_id);
	*i->prev = i->next;
	if (i->next != NULL)
		i->next->prev = i->prev;
	i->next = t->unlinked_instances;
	t->unlinked_instances = i;
}

void instance_free(struct instance *i)
{
	route_trie_fini(&i->routes);
	hash_fini(&i->route_by_prefix);
	free(i);
}
