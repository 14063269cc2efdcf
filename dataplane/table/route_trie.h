/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_TABLE_ROUTE_TRIE_H
#define DATAPLANE_TABLE_ROUTE_TRIE_H

#include "dataplane/base/ip.h"
#include "dataplane/table/slab.h"

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
	ROUTE_TRIE_DEPTH = 15, /* of a child's word: the bits that hold its depth */
};

struct route_trie_slot {
	/* a node, aligned to 64, and its depth in the low bits: so that a reader of the next slot
	 * need not wait for the node's first line; 0: none */
	_Atomic uintptr_t child;
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

enum {
	ROUTE_TRIE_NODE_SIZE = (sizeof(struct route_trie_node) + 63) / 64 * 64,
};

struct route_trie {
	struct route_trie_node *root4, *root6;
	_Atomic uintptr_t default4, default6; /* 0.0.0.0/0 and ::/0 */
	struct slab *memory; /* of nodes; borrowed */
	/* where cut-out nodes go, to be freed with slab_free(); ctx is the writer's */
	void (*retire)(void *ctx, void *memory);
	void *ctx;
	size_t nodes; /* for memory accounting */
};

/* memory: of objects of ROUTE_TRIE_NODE_SIZE. retire may be NULL: then nodes are freed at once (no
 * readers). 0 or -ENOMEM. */
int route_trie_init(struct route_trie *t, struct slab *memory,
	void (*retire)(void *ctx, void *memory), void *ctx);
void route_trie_fini(struct route_trie *t);
/* Creates or replaces. prefix must be canonical. 0 or -ENOMEM (nothing changed). */
int route_trie_set(struct route_trie *t, const struct ip_prefix *prefix, uintptr_t value);
/* -ENOENT when the prefix is not there. */
int route_trie_del(struct route_trie *t, const struct ip_prefix *prefix);
/* Value of exactly that prefix; 0 when it is not there. Writer. */
uintptr_t route_trie_find(const struct route_trie *t, const struct ip_prefix *prefix);

static inline struct route_trie_node *route_trie_node_of(uintptr_t child)
{
	uintptr_t node = child & ~(uintptr_t)ROUTE_TRIE_DEPTH;
	return (struct route_trie_node *)node; // NOLINT(performance-no-int-to-ptr)
}

/* Do a and b differ in their first `bytes` bytes? */
static inline bool route_trie_differs4(const uint8_t *a, const uint8_t *b, unsigned int bytes)
{
	uint32_t x, y;
	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return (htobe32(x ^ y) >> (8 * (4 - bytes))) != 0;
}

/*
 * Reader. A walk that came to the last slot that can say something of an address, without looking at
 * its value: with many host routes nobody's cache holds that slot, so whoever has several addresses
 * walks them all, has the slots fetched, and then reads them.
 */
struct route_trie_walk {
	const struct route_trie_slot *slot;
	uintptr_t best; /* of the shorter prefixes */
};

/* Value of the longest prefix that contains the address; 0 when there is none. */
static inline uintptr_t route_trie_walk_value(const struct route_trie_walk *w)
{
	uintptr_t value = atomic_load_explicit(&w->slot->value, memory_order_acquire);
	return value != 0 ? value : w->best;
}

/*
 * The path of a node is looked at only where bytes were skipped, and then compared whole.
 * be4: 4 bytes, be6: 16 bytes, network order, any alignment. Nothing hangs below the last byte.
 */
static inline struct route_trie_walk route_trie_walk4(
	const struct route_trie *t, const uint8_t *be4)
{
	struct route_trie_walk w = {.slot = &t->root4->slot[be4[0]],
		.best = atomic_load_explicit(&t->default4, memory_order_relaxed)};
	for (unsigned int at = 0; at < 3;) {
		uintptr_t child = atomic_load_explicit(&w.slot->child, memory_order_acquire);
		if (child == 0)
			break;
		const struct route_trie_node *n = route_trie_node_of(child);
		unsigned int next = (child & ROUTE_TRIE_DEPTH) - ROUTE_TRIE_V4_BYTE;
		if (next != at + 1 && route_trie_differs4(n->path + ROUTE_TRIE_V4_BYTE, be4, next))
			break;
		w.best = route_trie_walk_value(&w);
		w.slot = &n->slot[be4[next]];
		at = next;
	}
	return w;
}

static inline struct route_trie_walk route_trie_walk6(
	const struct route_trie *t, const uint8_t *be6)
{
	struct route_trie_walk w = {.slot = &t->root6->slot[be6[0]],
		.best = atomic_load_explicit(&t->default6, memory_order_relaxed)};
	for (unsigned int at = 0; at < 15;) {
		uintptr_t child = atomic_load_explicit(&w.slot->child, memory_order_acquire);
		if (child == 0)
			break;
		const struct route_trie_node *n = route_trie_node_of(child);
		unsigned int next = child & ROUTE_TRIE_DEPTH;
		if (next != at + 1 && memcmp(n->path + at + 1, be6 + at + 1, next - at - 1) != 0)
			break;
		w.best = route_trie_walk_value(&w);
		w.slot = &n->slot[be6[next]];
		at = next;
	}
	return w;
}

/* All of it for one address. */
static inline uintptr_t route_trie_lookup4(const struct route_trie *t, const uint8_t *be4)
{
	struct route_trie_walk w = route_trie_walk4(t, be4);
	return route_trie_walk_value(&w);
}

static inline uintptr_t route_trie_lookup6(const struct route_trie *t, const uint8_t *be6)
{
	struct route_trie_walk w = route_trie_walk6(t, be6);
	return route_trie_walk_value(&w);
}

#endif
