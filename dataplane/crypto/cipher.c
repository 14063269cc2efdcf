// SPDX-License-Identifier: Apache-2.0
#include "dataplane/crypto/cipher.h"

#include "dataplane/crypto/cipher_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	uint8_t key_len;
	bool is_aead;
} algorithms[CIPHER_ALGORITHMS] = {
	[CIPHER_AES_128_GCM] = {16, true},
	[CIPHER_AES_192_GCM] = {24, true},
	[CIPHER_AES_256_GCM] = {32, true},
	[CIPHER_CHACHA20_POLY1305] = {32, true},
	[CIPHER_AES_128_CBC] = {16, false},
	[CIPHER_AES_192_CBC] = {24, false},
	[CIPHER_AES_256_CBC] = {32, false},
};

static const uint8_t tag_len[CIPHER_DIGESTS] = {
	[CIPHER_NO_DIGEST] = CIPHER_AEAD_TAG_LEN,
	[CIPHER_HMAC_SHA1] = 20,
	[CIPHER_HMAC_SHA256] = 32,
	[CIPHER_HMAC_SHA512] = 64,
};

bool cipher_suite_is_valid(const struct cipher_suite *s)
{
	if ((unsigned int)s->algorithm >= CIPHER_ALGORITHMS
		|| (unsigned int)s->digest >= CIPHER_DIGESTS)
		return false;
	return algorithms[s->algorithm].is_aead == (s->digest == CIPHER_NO_DIGEST);
}

bool cipher_is_aead(enum cipher_algorithm a)
{
	return algorithms[a].is_aead;
}

uint32_t cipher_key_len(enum cipher_algorithm a)
{
	return algorithms[a].key_len;
}

uint32_t cipher_tag_len(const struct cipher_suite *s)
{
	return tag_len[s->digest];
}

int cipher_engine_new(struct cipher_engine **ret)
{
#ifdef NAVE_HAVE_IPSEC_MB
	if (cipher_engine_ipsec_mb_new(ret) == 0)
		return 0;
#endif
	return cipher_engine_openssl_new(ret);
}

void cipher_engine_free(struct cipher_engine *e)
{
	if (e != NULL)
		e->free(e);
}

const char *cipher_engine_name(const struct cipher_engine *e)
{
	return e->name;
}

int cipher_key_new(struct cipher_engine *e, const struct cipher_suite *s, const uint8_t *secret,
	const uint8_t *mac_secret, struct cipher_key **ret)
{
	if (!cipher_suite_is_valid(s))
		return -EINVAL;
	struct cipher_key *k = aligned_alloc(CIPHER_KEY_ALIGN, e->key_size);
	if (k == NULL)
		return -ENOMEM;
	memset(k, 0, e->key_size);
	k->suite = *s;
	k->tag_len = cipher_tag_len(s);
	k->is_aead = cipher_is_aead(s->algorithm);
	k->size = e->key_size;
	memcpy(k->secret, secret, cipher_key_len(s->algorithm));
	if (!k->is_aead)
		memcpy(k->mac_secret, mac_secret, k->tag_len);
	e->expand(e, k);
	*ret = k;
	return 0;
}

void cipher_key_free(struct cipher_key *k)
{
	if (k == NULL)
		return;
	explicit_bzero(k, k->size);
	free(k);
}

const struct cipher_suite *cipher_key_suite(const struct cipher_key *k)
{
	return &k->suite;
}

bool cipher_job_is_valid(const struct cipher_job *job)
{
	if (job->len > CIPHER_TEXT_MOST)
		return false;
	return job->key->is_aead
		|| (job->aad_len == 0 && job->len > 0 && job->len % CIPHER_BLOCK_LEN == 0);
}

bool cipher_tags_equal(const uint8_t *a, const uint8_t *b, uint32_t len)
{
	uint32_t difference = 0;
	for (uint32_t i = 0; i < len; i += 4) {
		uint32_t x, y;
		memcpy(&x, a + i, 4);
		memcpy(&y, b + i, 4);
		difference |= x ^ y;
	}
	return difference == 0;
}

void cipher_seal(struct cipher_engine *e, struct cipher_job *jobs, unsigned int count)
{
	e->seal(e, jobs, count);
}

void cipher_open(struct cipher_engine *e, struct cipher_job *jobs, unsigned int count)
{
	e->open(e, jobs, count);
}
