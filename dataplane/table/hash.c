// SPDX-License-Identifier: Apache-2.0
#include "dataplane/table/hash.h"

#include "dataplane/base/random.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	FIRST_BUCKETS = 64,
};

int hash_init(struct hash *h)
{
	memset(h, 0, sizeof(*h));
	int err = random_bytes(h->seed, sizeof(h->seed));
	if (err != 0)
		return err;
	h->bucket = calloc(FIRST_BUCKETS, sizeof(struct hash_entry *));
	if (h->bucket == NULL)
		return -ENOMEM;
	h->buckets = FIRST_BUCKETS;
	return 0;
}

void hash_fini(struct hash *h)
{
	free(h->bucket);
	memset(h, 0, sizeof(*h));
}

static uint64_t mix(uint64_t a, uint64_t b)
{
	__extension__ unsigned __int128 product = (unsigned __int128)a * b;
	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

uint64_t hash_of(const struct hash *h, const void *data, size_t len)
{
	const uint8_t *p = data;
	uint64_t v = h->seed[0] ^ len;
	for (size_t at = 0; at < len; at += 8) {
		uint64_t word = 0;
		memcpy(&word, p + at, len - at < 8 ? len - at : 8);
		v = mix(v ^ word, h->seed[1] | 1);
	}
	return mix(v, h->seed[0] | 1);
}

/* Stays as it is when there is no memory: chains get longer, nothing is lost. */
static void grow(struct hash *h)
{
	size_t buckets = h->buckets * 2;
	struct hash_entry **bucket = calloc(buckets, sizeof(struct hash_entry *));
	if (bucket == NULL)
		return;
	for (size_t i = 0; i < h->buckets; i++) {
		struct hash_entry *e = h->bucket[i];
		while (e != NULL) {
			struct hash_entry *next = e->next;
			e->next = bucket[e->value & (buckets - 1)];
			bucket[e->value & (buckets - 1)] = e;
			e = next;
		}
	}
	free(h->bucket);
	h->bucket = bucket;
	h->buckets = buckets;
}

void hash_add(struct hash *h, struct hash_entry *e, uint64_t value)
{
	if (h->count >= h->buckets)
		grow(h);
	e->value = value;
	e->next = h->bucket[value & (h->buckets - 1)];
	h->bucket[value & (h->buckets - 1)] = e;
	h->count++;
}

void hash_del(struct hash *h, struct hash_entry *e)
{
	struct hash_entry **at = &h->bucket[e->value & (h->buckets - 1)];
	while (*at != NULL && *at != e)
		at = &(*at)->next;
	if (*at == NULL)
		return;
	*at = e->next;
	e->next = NULL;
	h->count--;
}

static struct hash_entry *skip_others(struct hash_entry *e, uint64_t value)
{
	while (e != NULL && e->value != value)
		e = e->next;
	return e;
}

struct hash_entry *hash_first(const struct hash *h, uint64_t value)
{
	return skip_others(h->bucket[value & (h->buckets - 1)], value);
}

struct hash_entry *hash_next(const struct hash_entry *e)
{
	return skip_others(e->next, e->value);
}
