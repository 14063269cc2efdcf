// SPDX-License-Identifier: Apache-2.0
/*
 * One packet after the other by OpenSSL: where there is no ipsec-mb, to check it against, and for
 * the few CBC packets for which its lanes would run mostly empty. Keys stay as they are: OpenSSL's
 * expanded ones live in contexts, which threads cannot share.
 */
#include "dataplane/crypto/cipher_private.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdlib.h>
#include <string.h>

struct cipher_openssl {
	struct cipher_engine engine; /* first */
	EVP_CIPHER *cipher[CIPHER_ALGORITHMS];
	/* one an algorithm: a context that changes its cipher allocates */
	EVP_CIPHER_CTX *ctx[CIPHER_ALGORITHMS];
	EVP_MAC *hmac;
	EVP_MAC_CTX *mac[CIPHER_DIGESTS];
};

static const char *const algorithm_name[CIPHER_ALGORITHMS] = {
	[CIPHER_AES_128_GCM] = "AES-128-GCM",
	[CIPHER_AES_192_GCM] = "AES-192-GCM",
	[CIPHER_AES_256_GCM] = "AES-256-GCM",
	[CIPHER_CHACHA20_POLY1305] = "ChaCha20-Poly1305",
	[CIPHER_AES_128_CBC] = "AES-128-CBC",
	[CIPHER_AES_192_CBC] = "AES-192-CBC",
	[CIPHER_AES_256_CBC] = "AES-256-CBC",
};

static const char digest_name[CIPHER_DIGESTS][8] = {
	[CIPHER_HMAC_SHA1] = "SHA1",
	[CIPHER_HMAC_SHA256] = "SHA256",
	[CIPHER_HMAC_SHA512] = "SHA512",
};

static void free_openssl(struct cipher_engine *e)
{
	struct cipher_openssl *o = (struct cipher_openssl *)e;
	for (unsigned int i = 0; i < CIPHER_ALGORITHMS; i++) {
		EVP_CIPHER_CTX_free(o->ctx[i]);
		EVP_CIPHER_free(o->cipher[i]);
	}
	for (unsigned int i = 0; i < CIPHER_DIGESTS; i++)
		EVP_MAC_CTX_free(o->mac[i]);
	EVP_MAC_free(o->hmac);
	free(o);
}

/* A failing EVP call here means a broken library, not a bad packet: the job is then not ok. */
static bool crypt_aead(struct cipher_openssl *o, struct cipher_job *job, int encrypt)
{
	int n = 0;
	const struct cipher_key *k = job->key;
	EVP_CIPHER_CTX *ctx = o->ctx[k->suite.algorithm];
	const EVP_CIPHER *cipher = o->cipher[k->suite.algorithm];
	if (EVP_CipherInit_ex2(ctx, cipher, k->secret, job->nonce, encrypt, NULL) != 1)
		return false;
	if (!encrypt
		&& EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, CIPHER_AEAD_TAG_LEN, job->tag)
			!= 1)
		return false;
	if (job->aad_len > 0 && EVP_CipherUpdate(ctx, NULL, &n, job->aad, (int)job->aad_len) != 1)
		return false;
	n = 0;
	if (job->len > 0 && EVP_CipherUpdate(ctx, job->data, &n, job->data, (int)job->len) != 1)
		return false;
	if (EVP_CipherFinal_ex(ctx, job->data + n, &n) != 1)
		return false;
	return !encrypt
		|| EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, CIPHER_AEAD_TAG_LEN, job->tag)
		== 1;
}

static bool crypt_cbc(struct cipher_openssl *o, struct cipher_job *job, int encrypt)
{
	int n = 0;
	const struct cipher_key *k = job->key;
	EVP_CIPHER_CTX *ctx = o->ctx[k->suite.algorithm];
	const EVP_CIPHER *cipher = o->cipher[k->suite.algorithm];
	const uint8_t *iv = job->data - CIPHER_BLOCK_LEN;
	return EVP_CipherInit_ex2(ctx, cipher, k->secret, iv, encrypt, NULL) == 1
		&& EVP_CIPHER_CTX_set_padding(ctx, 0) == 1
		&& EVP_CipherUpdate(ctx, job->data, &n, job->data, (int)job->len) == 1
		&& (uint32_t)n == job->len;
}

static bool compute_mac(struct cipher_openssl *o, const struct cipher_job *job, uint8_t *mac)
{
	size_t n = 0;
	const struct cipher_key *k = job->key;
	EVP_MAC_CTX *ctx = o->mac[k->suite.digest];
	const uint8_t *from = job->data - CIPHER_BLOCK_LEN;
	return EVP_MAC_init(ctx, k->mac_secret, k->tag_len, NULL) == 1
		&& EVP_MAC_update(ctx, from, CIPHER_BLOCK_LEN + job->len) == 1
		&& EVP_MAC_final(ctx, mac, &n, CIPHER_TAG_MOST) == 1 && n == k->tag_len;
}

static bool seal_cbc(struct cipher_openssl *o, struct cipher_job *job)
{
	uint8_t mac[CIPHER_TAG_MOST];
	if (!crypt_cbc(o, job, 1) || !compute_mac(o, job, mac))
		return false;
	memcpy(job->tag, mac, job->key->tag_len);
	return true;
}

static bool open_cbc(struct cipher_openssl *o, struct cipher_job *job)
{
	uint8_t mac[CIPHER_TAG_MOST];
	if (!compute_mac(o, job, mac) || !cipher_tags_equal(mac, job->tag, job->key->tag_len))
		return false;
	return crypt_cbc(o, job, 0);
}

static bool seal_job(struct cipher_openssl *o, struct cipher_job *job)
{
	if (!cipher_job_is_valid(job))
		return false;
	return job->key->is_aead ? crypt_aead(o, job, 1) : seal_cbc(o, job);
}

static bool open_job(struct cipher_openssl *o, struct cipher_job *job)
{
	if (!cipher_job_is_valid(job))
		return false;
	return job->key->is_aead ? crypt_aead(o, job, 0) : open_cbc(o, job);
}

static void seal_openssl(struct cipher_engine *e, struct cipher_job *jobs, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		jobs[i].ok = seal_job((struct cipher_openssl *)e, &jobs[i]);
}

static void open_openssl(struct cipher_engine *e, struct cipher_job *jobs, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		jobs[i].ok = open_job((struct cipher_openssl *)e, &jobs[i]);
}

static void expand_nothing(struct cipher_engine *e, struct cipher_key *k)
{
}

static bool fetch_ciphers(struct cipher_openssl *o)
{
	for (unsigned int i = 0; i < CIPHER_ALGORITHMS; i++) {
		o->cipher[i] = EVP_CIPHER_fetch(NULL, algorithm_name[i], NULL);
		o->ctx[i] = EVP_CIPHER_CTX_new();
		if (o->cipher[i] == NULL || o->ctx[i] == NULL)
			return false;
	}
	return true;
}

static bool fetch_digests(struct cipher_openssl *o)
{
	o->hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	if (o->hmac == NULL)
		return false;
	for (unsigned int i = CIPHER_HMAC_SHA1; i < CIPHER_DIGESTS; i++) {
		char name[8];
		memcpy(name, digest_name[i], sizeof(name)); /* an OSSL_PARAM is not const */
		const OSSL_PARAM params[] = {
			OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
			OSSL_PARAM_construct_end()};
		o->mac[i] = EVP_MAC_CTX_new(o->hmac);
		if (o->mac[i] == NULL || EVP_MAC_CTX_set_params(o->mac[i], params) != 1)
			return false;
	}
	return true;
}

int cipher_engine_openssl_new(struct cipher_engine **ret)
{
	struct cipher_openssl *o = calloc(1, sizeof(*o));
	if (o == NULL)
		return -ENOMEM;
	o->engine = (struct cipher_engine){
		.name = "OpenSSL",
		.key_size = (sizeof(struct cipher_key) + CIPHER_KEY_ALIGN - 1) / CIPHER_KEY_ALIGN
			* CIPHER_KEY_ALIGN,
		.expand = expand_nothing,
		.seal = seal_openssl,
		.open = open_openssl,
		.free = free_openssl,
	};
	if (!fetch_ciphers(o) || !fetch_digests(o)) {
		free_openssl(&o->engine);
		return -ENOTSUP;
	}
	*ret = &o->engine;
	return 0;
}
