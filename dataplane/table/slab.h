/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_TABLE_SLAB_H
#define DATAPLANE_TABLE_SLAB_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Objects of one size, aligned to cache lines, in chunks that the kernel backs with huge pages where
 * it can. With 100 000 peers a packet meets half a dozen objects that no cache holds; on small
 * pages each of them would cost a walk of the page tables besides.
 *
 * Any thread, under the slab's mutex. What is freed is wiped and serves the next who asks; chunks
 * go back with slab_fini() only.
 */
struct slab_chunk;

struct slab {
	pthread_mutex_t mutex; /* holds all that follows */
	size_t size; /* of an object */
	size_t used; /* objects that are out */
	struct slab_chunk *chunks;
	void *free; /* list through the objects' first words */
	uint8_t *fresh; /* of the newest chunk: what nobody has had yet */
	size_t fresh_left; /* objects */
};

/* size: a multiple of 64, small against SLAB_HUGE_PAGE. */
void slab_init(struct slab *s, size_t size);
/* All objects must have been freed. */
void slab_fini(struct slab *s);
/* Zeroed; NULL when there is no memory. */
void *slab_alloc(struct slab *s);
/* Wipes; NULL is fine. */
void slab_free(void *object);
/* Of the objects that are out. */
size_t slab_used_bytes(struct slab *s);

enum {
	SLAB_HUGE_PAGE = 1 << 21,
};

/* Zeroed memory, touched lazily: a small hub pays for the pages it uses. NULL. */
void *slab_map(size_t size);
/* The same for huge pages, of a multiple of SLAB_HUGE_PAGE bytes. */
void *slab_map_huge(size_t size);
/* Of either; NULL is fine. */
void slab_unmap(void *p, size_t size);

#endif
