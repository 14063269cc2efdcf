/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_TABLE_ROUTE_TRIE_H
#define DATAPLANE_TABLE_ROUTE_TRIE_H

#include "dataplane/base/ip.h"

#include <endian.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * Longest-prefix match: a multibit trie of 8-bit strides with path compression, one root a
 * family. One writer; readers walk without locks, because a node's place (depth, path) never
 * changes, a slot is one atomic word, and a node that is cut out is freed only after a grace
 * period. A value is a pointer aligned to 8 with a tag in its low bits; 0 is "nothing".
 */
enum {
	ROUTE_TRIE_TAG = 7,
	ROUTE_TRIE_FANOUT = 256,
	ROUTE_TRIE_V4_BYTE = 12, /* IPv4 begins at this byte of a mapped address */
};

struct route_trie_slot {
	_Atomic(struct route_trie_node *) child;
	_Atomic uintptr_t value; /* of the longest prefix of this node that covers the slot */
};

struct route_trie_entry; /* writer's record of one prefix */

struct route_trie_node {
	uint8_t path[16]; /* the bytes before depth */
	uint8_t depth; /* the byte of the address this node looks at */
	uint16_t children;
	struct route_trie_entry *entries; /* writer: prefixes that end in this node */
	struct route_trie_slot slot[ROUTE_TRIE_FANOUT];
};

struct route_trie {
	struct route_trie_node *root4, *root6;
	_Atomic uintptr_t default4, default6; /* 0.0.0.0/0 and ::/0 */
	/* where cut-out nodes go; ctx is the writer's */
	void (*retire)(void *ctx, void *memory);
	void *ctx;
	size_t nodes; /* for memory accounting */
};

/* retire may be NULL: then nodes are freed at once (no readers). 0 or -ENOMEM. */
int route_trie_init(struct route_trie *t, void (*retire)(void *ctx, void *memory), void *ctx);
void route_trie_fini(struct route_trie *t);
/* Creates or replaces. prefix must be canonical. 0 or -ENOMEM (nothing changed). */
int route_trie_set(struct route_trie *t, const struct ip_prefix *prefix, uintptr_t value);
/* -ENOENT when the prefix is not there. */
int route_trie_del(struct route_trie *t, const struct ip_prefix *prefix);
/* Value of exactly that prefix; 0 when it is not there. Writer. */
uintptr_t route_trie_find(const struct route_trie *t, const struct ip_prefix *prefix);

/* The bits of the first `bytes` bytes of a word that was loaded from memory; bytes 0..8. */
static inline uint64_t route_trie_mask(unsigned int bytes)
{
	return bytes >= 8 ? UINT64_MAX : htole64((UINT64_C(1) << (8 * bytes)) - 1);
}

/* Reader. Value of the longest prefix that contains the address; 0 when there is none. A node's
 * path is compared whole, in words: that is cheaper than only the bytes that were skipped.
 * be4: 4 bytes, be6: 16 bytes, network order, any alignment. */
static inline uintptr_t route_trie_lookup4(const struct route_trie *t, const uint8_t *be4)
{
	uintptr_t best = atomic_load_explicit(&t->default4, memory_order_relaxed);
	const struct route_trie_node *n = t->root4;
	uint32_t addr, path;
	memcpy(&addr, be4, sizeof(addr));
	for (;;) {
		const struct route_trie_slot *s = &n->slot[be4[n->depth - ROUTE_TRIE_V4_BYTE]];
		uintptr_t value = atomic_load_explicit(&s->value, memory_order_acquire);
		best = value != 0 ? value : best;
		n = atomic_load_explicit(&s->child, memory_order_acquire);
		if (n == NULL)
			return best;
		memcpy(&path, n->path + ROUTE_TRIE_V4_BYTE, sizeof(path));
		if (((path ^ addr) & route_trie_mask(n->depth - ROUTE_TRIE_V4_BYTE)) != 0)
			return best;
	}
}

static inline uintptr_t route_trie_lookup6(const struct route_trie *t, const uint8_t *be6)
{
	uintptr_t best = atomic_load_explicit(&t->default6, memory_order_relaxed);
	const struct route_trie_node *n = t->root6;
	uint64_t addr[2], path[2];
	memcpy(addr, be6, sizeof(addr));
	for (;;) {
		const struct route_trie_slot *s = &n->slot[be6[n->depth]];
		uintptr_t value = atomic_load_explicit(&s->value, memory_order_acquire);
		best = value != 0 ? value : best;
		n = atomic_load_explicit(&s->child, memory_order_acquire);
		if (n == NULL)
			return best;
		memcpy(path, n->path, sizeof(path));
		uint64_t high = n->depth > 8 ? route_trie_mask(n->depth - 8U) : 0;
		if (((path[0] ^ addr[0]) & route_trie_mask(n->depth)) != 0
			|| ((path[1] ^ addr[1]) & high) != 0)
			return best;
	}
}

#endif
