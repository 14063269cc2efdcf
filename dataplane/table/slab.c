// SPDX-License-Identifier: Apache-2.0
#include "dataplane/table/slab.h"

#include <assert.h>
#include <sanitizer/asan_interface.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

enum {
	FIRST_OBJECT = 64, /* of a chunk: behind struct slab_chunk, on a cache line of its own */
};

/* At the beginning of a huge page: from an object's address its chunk follows. */
struct slab_chunk {
	struct slab *slab;
	struct slab_chunk *next;
};

static_assert(sizeof(struct slab_chunk) <= FIRST_OBJECT, "the first object follows it");

void *slab_map(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return p == MAP_FAILED ? NULL : p;
}

void *slab_map_huge(size_t size)
{
	/* one page more than wanted, and what sticks out of the aligned part is given back */
	uint8_t *p = slab_map(size + SLAB_HUGE_PAGE);
	if (p == NULL)
		return NULL;
	size_t before = -(uintptr_t)p & (SLAB_HUGE_PAGE - 1);
	if (before > 0)
		(void)munmap(p, before);
	(void)munmap(p + before + size, SLAB_HUGE_PAGE - before);
	(void)madvise(p + before, size, MADV_HUGEPAGE); /* without it all works, slower */
	return p + before;
}

void slab_unmap(void *p, size_t size)
{
	if (p != NULL)
		(void)munmap(p, size);
}

void slab_init(struct slab *s, size_t size)
{
	memset(s, 0, sizeof(*s));
	(void)pthread_mutex_init(&s->mutex, NULL);
	s->size = size;
}

void slab_fini(struct slab *s)
{
	assert(s->used == 0);
	while (s->chunks != NULL) {
		struct slab_chunk *c = s->chunks;
		s->chunks = c->next;
		ASAN_UNPOISON_MEMORY_REGION(c, SLAB_HUGE_PAGE);
		slab_unmap(c, SLAB_HUGE_PAGE);
	}
	(void)pthread_mutex_destroy(&s->mutex);
}

static void add_chunk(struct slab *s)
{
	struct slab_chunk *c = slab_map_huge(SLAB_HUGE_PAGE);
	if (c == NULL)
		return;
	*c = (struct slab_chunk){s, s->chunks};
	s->chunks = c;
	s->fresh = (uint8_t *)c + FIRST_OBJECT;
	s->fresh_left = (SLAB_HUGE_PAGE - FIRST_OBJECT) / s->size;
	ASAN_POISON_MEMORY_REGION(s->fresh, s->fresh_left * s->size);
}

/* Freed objects first; fresh ones in order, so that pages are touched when they are needed. */
static void *take(struct slab *s)
{
	void *object = s->free;
	if (object != NULL) {
		memcpy(&s->free, object, sizeof(s->free));
	} else {
		if (s->fresh_left == 0)
			add_chunk(s);
		if (s->fresh_left == 0)
			return NULL;
		object = s->fresh;
		s->fresh += s->size;
		s->fresh_left--;
	}
	s->used++;
	return object;
}

size_t slab_used_bytes(struct slab *s)
{
	(void)pthread_mutex_lock(&s->mutex);
	size_t bytes = s->used * s->size;
	(void)pthread_mutex_unlock(&s->mutex);
	return bytes;
}

void *slab_alloc(struct slab *s)
{
	(void)pthread_mutex_lock(&s->mutex);
	void *object = take(s);
	(void)pthread_mutex_unlock(&s->mutex);
	if (object == NULL)
		return NULL;
	ASAN_UNPOISON_MEMORY_REGION(object, s->size);
	memset(object, 0, sizeof(s->free)); /* the rest was wiped, or never written */
	return object;
}

void slab_free(void *object)
{
	if (object == NULL)
		return;
	uintptr_t at = (uintptr_t)object & (SLAB_HUGE_PAGE - 1);
	struct slab *s = ((struct slab_chunk *)((uint8_t *)object - at))->slab;
	explicit_bzero(object, s->size);
	(void)pthread_mutex_lock(&s->mutex);
	memcpy(object, &s->free, sizeof(s->free));
	s->free = object;
	s->used--;
	/* for the address sanitizer: nobody may touch it but the list */
	ASAN_POISON_MEMORY_REGION((uint8_t *)object + sizeof(s->free), s->size - sizeof(s->free));
	(void)pthread_mutex_unlock(&s->mutex);
}
