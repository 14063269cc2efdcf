// SPDX-License-Identifier: Apache-2.0
/*
 * A prefix of length L ends in the node that looks at byte (L - 1) / 8 and covers a run of its
 * slots; in each slot stands the value of the longest prefix of that node, so a reader takes one
 * load a byte of address and remembers the last value it met. Bytes on which nothing branches
 * and in which nothing ends have no node: a node carries its whole path, and a reader compares
 * the bytes that it skipped.
 *
 * What keeps readers safe: depth and path of a node never change; a new node is filled before the
 * one store that links it; a node is cut out by one store and freed after a grace period. While
 * a prefix that covers several slots is written, a reader sees it in some of them: the same as
 * seeing two packets, one before and one after.
 */
#include "dataplane/table/route_trie.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct route_trie_entry {
	struct route_trie_entry *next;
	uint8_t first; /* first slot it covers */
	uint8_t bits; /* 1..8: of this node's byte that belong to the prefix */
	uintptr_t value;
};

static struct route_trie_node *node_new(struct route_trie *t, uint8_t depth, const uint8_t path[16])
{
	struct route_trie_node *n = slab_alloc(t->memory);
	if (n == NULL)
		return NULL;
	n->depth = depth;
	memcpy(n->path, path, depth);
	t->nodes++;
	return n;
}

/* Writer: the child in a slot, or NULL; and its word. */
static struct route_trie_node *child_at(const struct route_trie_node *n, uint8_t byte)
{
	return route_trie_node_of(n->slot[byte].child);
}

static void set_child(struct route_trie_node *n, uint8_t byte, const struct route_trie_node *child)
{
	uintptr_t word = child != NULL ? (uintptr_t)child | child->depth : 0;
	atomic_store_explicit(&n->slot[byte].child, word, memory_order_release);
}

static void node_retire(struct route_trie *t, struct route_trie_node *n)
{
	t->nodes--;
	if (t->retire != NULL)
		t->retire(t->ctx, n);
	else
		slab_free(n);
}

int route_trie_init(struct route_trie *t, struct slab *memory,
	void (*retire)(void *ctx, void *memory), void *ctx)
{
	static const uint8_t mapped[16] = {[10] = 0xff, [11] = 0xff};
	memset(t, 0, sizeof(*t));
	t->memory = memory;
	t->retire = retire;
	t->ctx = ctx;
	t->root4 = node_new(t, ROUTE_TRIE_V4_BYTE, mapped);
	t->root6 = node_new(t, 0, mapped);
	if (t->root4 != NULL && t->root6 != NULL)
		return 0;
	slab_free(t->root4);
	slab_free(t->root6);
	return -ENOMEM;
}

static void free_entries(struct route_trie_node *n)
{
	while (n->entries != NULL) {
		struct route_trie_entry *e = n->entries;
		n->entries = e->next;
		free(e);
	}
}

/* Depth is at most 16, and so is the recursion. */
static void free_subtree(struct route_trie_node *n) // NOLINT(misc-no-recursion)
{
	for (unsigned int i = 0; i < ROUTE_TRIE_FANOUT; i++) {
		struct route_trie_node *child = child_at(n, (uint8_t)i);
		if (child != NULL)
			free_subtree(child);
	}
	free_entries(n);
	slab_free(n);
}

void route_trie_fini(struct route_trie *t)
{
	if (t->root4 != NULL)
		free_subtree(t->root4);
	if (t->root6 != NULL)
		free_subtree(t->root6);
	memset(t, 0, sizeof(*t));
}

static _Atomic uintptr_t *default_of(struct route_trie *t, const struct ip_prefix *prefix)
{
	if (prefix->len == 0)
		return &t->default6;
	if (prefix->len == IP_V4_OFFSET && ip_prefix_is_v4(prefix))
		return &t->default4;
	return NULL;
}

static struct route_trie_node *root_of(const struct route_trie *t, const struct ip_prefix *prefix)
{
	/* t is never NULL. NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
	return ip_prefix_is_v4(prefix) ? t->root4 : t->root6;
}

/* First byte in [from, to) in which a and b differ; to when none does. */
static unsigned int first_difference(
	const uint8_t *a, const uint8_t *b, unsigned int from, unsigned int to)
{
	while (from < to && a[from] == b[from])
		from++;
	return from;
}

/*
 * Puts a new node between n and its child, at the byte where the path to addr leaves the child's
 * path or where the prefix ends, whichever comes first.
 */
static struct route_trie_node *split(struct route_trie *t, struct route_trie_node *n,
	struct route_trie_node *child, const uint8_t *addr, uint8_t depth)
{
	struct route_trie_node *mid = node_new(t, depth, child->path);
	if (mid == NULL)
		return NULL;
	set_child(mid, child->path[depth], child);
	mid->children = 1;
	set_child(n, addr[n->depth], mid);
	return mid;
}

/* The node for byte `depth` of addr, made when it is not there; NULL: no memory. */
static struct route_trie_node *reach(
	struct route_trie *t, struct route_trie_node *n, const uint8_t *addr, uint8_t depth)
{
	while (n->depth != depth) {
		struct route_trie_node *child = child_at(n, addr[n->depth]);
		if (child == NULL) {
			child = node_new(t, depth, addr);
			if (child == NULL)
				return NULL;
			n->children++;
			set_child(n, addr[n->depth], child);
			return child;
		}
		unsigned int stop = child->depth < depth ? child->depth : depth;
		unsigned int fork = first_difference(child->path, addr, n->depth + 1U, stop);
		if (fork < child->depth) {
			child = split(t, n, child, addr, (uint8_t)fork);
			if (child == NULL)
				return NULL;
		}
		n = child;
	}
	return n;
}

/* Writes into each slot of the run the value of the longest prefix that still covers it. */
static void refresh_slots(struct route_trie_node *n, unsigned int first, unsigned int bits)
{
	unsigned int count = 1U << (8 - bits);
	for (unsigned int s = first; s < first + count; s++) {
		const struct route_trie_entry *best = NULL;
		for (const struct route_trie_entry *e = n->entries; e != NULL; e = e->next) {
			bool covers = s >> (8 - e->bits) == (unsigned int)e->first >> (8 - e->bits);
			if (covers && (best == NULL || e->bits > best->bits))
				best = e;
		}
		atomic_store_explicit(
			&n->slot[s].value, best != NULL ? best->value : 0, memory_order_release);
	}
}

static struct route_trie_entry **find_entry(struct route_trie_node *n, uint8_t first, uint8_t bits)
{
	struct route_trie_entry **e = &n->entries;
	while (*e != NULL && ((*e)->first != first || (*e)->bits != bits))
		e = &(*e)->next;
	return e;
}

/* Where a prefix that is no default ends. */
static void prefix_place(const struct ip_prefix *p, uint8_t *ret_depth, uint8_t *ret_bits)
{
	*ret_depth = (uint8_t)((p->len - 1) / 8);
	*ret_bits = (uint8_t)(p->len - *ret_depth * 8);
}

/* Takes nodes out that hold nothing any more, from the leaf up; roots stay. */
static void prune(
	struct route_trie *t, struct route_trie_node *root, const uint8_t *addr, uint8_t depth)
{
	for (;;) {
		struct route_trie_node *parent = NULL, *n = root;
		while (n->depth < depth) {
			struct route_trie_node *child = child_at(n, addr[n->depth]);
			if (child == NULL || child->depth > depth)
				return;
			parent = n;
			n = child;
		}
		if (parent == NULL || n->entries != NULL || n->children > 1)
			return;
		struct route_trie_node *only = NULL;
		for (unsigned int i = 0; n->children == 1 && only == NULL && i < ROUTE_TRIE_FANOUT;
			i++)
			only = child_at(n, (uint8_t)i);
		set_child(parent, addr[parent->depth], only);
		parent->children -= only == NULL;
		node_retire(t, n);
		if (only != NULL)
			return;
		depth = parent->depth;
	}
}

int route_trie_set(struct route_trie *t, const struct ip_prefix *prefix, uintptr_t value)
{
	_Atomic uintptr_t *fallback = default_of(t, prefix);
	if (fallback != NULL) {
		atomic_store_explicit(fallback, value, memory_order_release);
		return 0;
	}
	uint8_t depth, bits;
	prefix_place(prefix, &depth, &bits);
	struct route_trie_node *n = reach(t, root_of(t, prefix), prefix->addr.bytes, depth);
	if (n == NULL)
		return -ENOMEM;
	uint8_t first = prefix->addr.bytes[depth];
	struct route_trie_entry **e = find_entry(n, first, bits);
	if (*e == NULL) {
		struct route_trie_entry *new = calloc(1, sizeof(*new));
		if (new == NULL) {
			prune(t, root_of(t, prefix), prefix->addr.bytes, depth);
			return -ENOMEM;
		}
		new->first = first;
		new->bits = bits;
		*e = new;
	}
	(*e)->value = value;
	refresh_slots(n, first, bits);
	return 0;
}

/* The node in which the prefix ends, if it is there. */
static struct route_trie_node *find_node(
	const struct route_trie *t, const struct ip_prefix *prefix, uint8_t depth)
{
	const uint8_t *addr = prefix->addr.bytes;
	struct route_trie_node *n = root_of(t, prefix);
	while (n != NULL && n->depth < depth)
		n = child_at(n, addr[n->depth]);
	return n != NULL && n->depth == depth && memcmp(n->path, addr, depth) == 0 ? n : NULL;
}

int route_trie_del(struct route_trie *t, const struct ip_prefix *prefix)
{
	_Atomic uintptr_t *fallback = default_of(t, prefix);
	if (fallback != NULL)
		return atomic_exchange_explicit(fallback, 0, memory_order_acq_rel) != 0 ? 0
											: -ENOENT;
	uint8_t depth, bits;
	prefix_place(prefix, &depth, &bits);
	struct route_trie_node *n = find_node(t, prefix, depth);
	if (n == NULL)
		return -ENOENT;
	uint8_t first = prefix->addr.bytes[depth];
	struct route_trie_entry **e = find_entry(n, first, bits);
	if (*e == NULL)
		return -ENOENT;
	struct route_trie_entry *gone = *e;
	*e = gone->next;
	free(gone);
	refresh_slots(n, first, bits);
	prune(t, root_of(t, prefix), prefix->addr.bytes, depth);
	return 0;
}

uintptr_t route_trie_find(const struct route_trie *t, const struct ip_prefix *prefix)
{
	if (prefix->len == 0)
		return t->default6;
	if (prefix->len == IP_V4_OFFSET && ip_prefix_is_v4(prefix))
		return t->default4;
	uint8_t depth, bits;
	prefix_place(prefix, &depth, &bits);
	struct route_trie_node *n = find_node(t, prefix, depth);
	if (n == NULL)
		return 0;
	const struct route_trie_entry *e = *find_entry(n, prefix->addr.bytes[depth], bits);
	return e != NULL ? e->value : 0;
}
