/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_CRYPTO_AEAD_H
#define DATAPLANE_CRYPTO_AEAD_H

#include "dataplane/base/key.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * ChaCha20-Poly1305 (RFC 8439) over bursts of packets, in place, each with its own key. The
 * packet path uses nothing else. Neither call allocates; both work for any number of jobs.
 */
enum {
	AEAD_TAG_LEN = 16,
	AEAD_NONCE_LEN = 12,
	AEAD_BURST = 16, /* jobs that are worked on together */
};

struct aead_job {
	const struct key *key; /* borrowed */
	uint8_t *data; /* len bytes of text, then room for or the bytes of the tag */
	uint32_t len; /* without the tag; may be 0 */
	uint8_t nonce[AEAD_NONCE_LEN];
	bool ok; /* set by open: the tag was right. Else data is garbage and must be dropped */
};

struct aead;

/* One a thread: it is not shared. ipsec-mb where the machine has it, else OpenSSL. 0 or -errno. */
int aead_new(struct aead **ret);
/* The portable implementation, and the oracle of tests. 0 or -errno. */
int aead_openssl_new(struct aead **ret);
void aead_free(struct aead *a);
/* "ipsec-mb AVX2", "OpenSSL"; static storage. */
const char *aead_name(const struct aead *a);

void aead_chacha20_poly1305_seal(struct aead *a, struct aead_job *jobs, unsigned int count);
/* Compares tags in constant time. */
void aead_chacha20_poly1305_open(struct aead *a, struct aead_job *jobs, unsigned int count);

#endif
