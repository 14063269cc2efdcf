// SPDX-License-Identifier: Apache-2.0
#include "dataplane/table/tunnel.h"

#include "dataplane/base/random.h"

#include <errno.h>
#include <stdlib.h>

int tunnel_table_new(struct tunnel_table **ret)
{
	struct tunnel_table *t = calloc(1, sizeof(*t));
	if (t == NULL)
		return -ENOMEM;
	int err = random_bytes(&t->seed, sizeof(t->seed));
	if (err != 0) {
		free(t);
		return err;
	}
	*ret = t;
	return 0;
}

void tunnel_table_free(struct tunnel_table *t)
{
	free(t);
}

/* Only authenticated clients are in here, so a mix under a random seed is enough. */
static uint32_t bucket_of(
	const struct tunnel_table *t, const struct ip_endpoint *remote, uint16_t local_port)
{
	uint64_t word[3] = {ip_addr_word(&remote->addr, 0), ip_addr_word(&remote->addr, 1),
		(uint64_t)remote->port << 16 | local_port};
	uint64_t hash = t->seed;
	for (unsigned int n = 0; n < 3; n++) {
		hash = (hash ^ word[n]) * 0x9e3779b97f4a7c15U;
		hash ^= hash >> 32;
	}
	return (uint32_t)(hash % TUNNEL_ADDRESSES);
}

struct tunnel *tunnel_find_address(
	const struct tunnel_table *t, const struct ip_endpoint *remote, uint16_t local_port)
{
	struct tunnel *at = atomic_load_explicit(
		&t->by_address[bucket_of(t, remote, local_port)], memory_order_acquire);
	while (at != NULL
		&& (at->local_port != local_port || !ip_endpoint_equal(&at->remote, remote)))
		at = atomic_load_explicit(&at->address_next, memory_order_acquire);
	return at;
}

/* In front: of two at one address the newer one is found. */
static void publish_address(struct tunnel_table *table, struct tunnel *t)
{
	_Atomic(struct tunnel *) *first =
		&table->by_address[bucket_of(table, &t->remote, t->local_port)];
	t->address_next = *first;
	atomic_store_explicit(first, t, memory_order_release);
}

/* Who stands on t goes on from it: its next stays. */
static void unlink_address(struct tunnel_table *table, struct tunnel *t)
{
	_Atomic(struct tunnel *) *at =
		&table->by_address[bucket_of(table, &t->remote, t->local_port)];
	while (*at != t)
		at = &(*at)->address_next;
	atomic_store_explicit(at, t->address_next, memory_order_release);
}

/* Slots are given in turn, so that an id comes back as late as can be. */
int tunnel_publish(struct tunnel_table *table, struct tunnel *t)
{
	if (table->count >= TUNNEL_SLOT_MASK) /* one stays free: no id is DATA_NO_PEER_ID */
		return -ENOSPC;
	uint32_t slot;
	do {
		slot = table->next++ & TUNNEL_SLOT_MASK;
	} while (table->slot[slot] != NULL || slot == TUNNEL_SLOT_MASK);
	uint32_t generation =
		++table->generation[slot] & ((1U << (TUNNEL_ID_BITS - TUNNEL_SLOTS_LOG2)) - 1);
	t->id = generation << TUNNEL_SLOTS_LOG2 | slot;
	table->count++;
	atomic_store_explicit(&table->slot[slot], t, memory_order_release);
	if (t->remote.port != 0)
		publish_address(table, t);
	return 0;
}

void tunnel_unlink(struct tunnel_table *table, struct tunnel *t)
{
	atomic_store_explicit(&table->slot[t->id & TUNNEL_SLOT_MASK], NULL, memory_order_release);
	table->count--;
	if (t->remote.port != 0)
		unlink_address(table, t);
}
