/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_CRYPTO_CIPHER_PRIVATE_H
#define DATAPLANE_CRYPTO_CIPHER_PRIVATE_H

#include "dataplane/crypto/cipher.h"

#include <stddef.h>

enum {
	CIPHER_KEY_ALIGN = 64
};

/* Begins each implementation's state. */
struct cipher_engine {
	const char *name;
	size_t key_size; /* of its keys, a multiple of CIPHER_KEY_ALIGN */
	void (*expand)(struct cipher_engine *e, struct cipher_key *k);
	void (*seal)(struct cipher_engine *e, struct cipher_job *jobs, unsigned int count);
	void (*open)(struct cipher_engine *e, struct cipher_job *jobs, unsigned int count);
	void (*free)(struct cipher_engine *e);
};

/* Begins each implementation's key. */
struct cipher_key {
	struct cipher_suite suite;
	uint32_t tag_len;
	bool is_aead;
	size_t size;
	uint8_t secret[CIPHER_KEY_MOST];
	uint8_t mac_secret[CIPHER_TAG_MOST];
};

bool cipher_job_is_valid(const struct cipher_job *job);
/* Constant time; len is a multiple of 4. */
bool cipher_tags_equal(const uint8_t *a, const uint8_t *b, uint32_t len);

#ifdef NAVE_HAVE_IPSEC_MB
int cipher_engine_ipsec_mb_new(struct cipher_engine **ret);
#endif

#endif
