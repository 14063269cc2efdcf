/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_BASE_RANDOM_H
#define DATAPLANE_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

enum {
	RANDOM_WORDS = 256,
};

/* Words drawn many at a time, for whoever needs few and often. One thread; zeroed it is empty. */
struct random_words {
	uint32_t word[RANDOM_WORDS];
	unsigned int left;
};

/* Bytes fit for keys, from getrandom(2); waits until the pool is seeded. 0 or -errno. */
int random_bytes(void *buf, size_t len);
/* 32 such bits. 0 or -errno. */
int random_word(struct random_words *r, uint32_t *ret);

#endif
