/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_TABLE_HASH_H
#define DATAPLANE_TABLE_HASH_H

#include <stddef.h>
#include <stdint.h>

/*
 * An intrusive chained hash that doubles when full; for one thread. Objects embed the entry; the
 * caller compares keys while it walks the chain. Never used by a worker: the packet path finds
 * things by index.
 */
struct hash_entry {
	struct hash_entry *next;
	uint64_t value;
};

struct hash {
	struct hash_entry **bucket;
	size_t buckets; /* power of two */
	size_t count;
	uint64_t seed[2]; /* random: keys come from outside */
};

/* 0, -ENOMEM, or -errno of the random source. */
int hash_init(struct hash *h);
void hash_fini(struct hash *h);
/* A keyed mix of len bytes under the seed of h. */
uint64_t hash_of(const struct hash *h, const void *data, size_t len);
void hash_add(struct hash *h, struct hash_entry *e, uint64_t value);
void hash_del(struct hash *h, struct hash_entry *e);
/* First entry with that hash value, and the next one after it; NULL at the end. */
struct hash_entry *hash_first(const struct hash *h, uint64_t value);
struct hash_entry *hash_next(const struct hash_entry *e);

#endif
