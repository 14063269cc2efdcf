/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_CRYPTO_CIPHER_H
#define DATAPLANE_CRYPTO_CIPHER_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Bursts of packets in place, each with its own key and algorithm: AEAD with additional data
 * (AES-GCM, NIST SP 800-38D; ChaCha20-Poly1305, RFC 8439), and AES-CBC (SP 800-38A) with HMAC
 * (RFC 2104), encrypt-then-MAC. WireGuard's packets go through aead.h instead.
 */
enum cipher_algorithm {
	CIPHER_AES_128_GCM,
	CIPHER_AES_192_GCM,
	CIPHER_AES_256_GCM,
	CIPHER_CHACHA20_POLY1305,
	CIPHER_AES_128_CBC,
	CIPHER_AES_192_CBC,
	CIPHER_AES_256_CBC,
	CIPHER_ALGORITHMS, /* how many */
};

enum cipher_digest {
	CIPHER_NO_DIGEST, /* an AEAD has its own tag */
	CIPHER_HMAC_SHA1,
	CIPHER_HMAC_SHA256,
	CIPHER_HMAC_SHA512,
	CIPHER_DIGESTS, /* how many */
};

enum {
	CIPHER_BURST = 32, /* jobs that are worked on together */
	CIPHER_NONCE_LEN = 12,
	CIPHER_BLOCK_LEN = 16, /* of AES; also a CBC IV */
	CIPHER_KEY_MOST = 32,
	CIPHER_TAG_MOST = 64,
	CIPHER_AEAD_TAG_LEN = 16,
	CIPHER_TEXT_MOST = 65392, /* ipsec-mb counts a lane's bytes, with IV and pad, in 16 bits */
};

struct cipher_suite {
	enum cipher_algorithm algorithm;
	enum cipher_digest digest; /* CIPHER_NO_DIGEST exactly with an AEAD */
};

bool cipher_suite_is_valid(const struct cipher_suite *s);
bool cipher_is_aead(enum cipher_algorithm a);
/* Bytes of key: 16, 24 or 32. */
uint32_t cipher_key_len(enum cipher_algorithm a);
/* Bytes of tag, which is never cut short: 16, or the digest's 20, 32, 64. The key of an HMAC is
 * as long. */
uint32_t cipher_tag_len(const struct cipher_suite *s);

/* One a thread: it is not shared. */
struct cipher_engine;
/* A key expanded once: read only, so engines of one kind may share it among threads. */
struct cipher_key;

/* ipsec-mb where the machine has it, else OpenSSL. 0 or -errno. */
int cipher_engine_new(struct cipher_engine **ret);
/* The portable implementation, and the oracle of tests. 0 or -errno. */
int cipher_engine_openssl_new(struct cipher_engine **ret);
void cipher_engine_free(struct cipher_engine *e);
/* "ipsec-mb", "OpenSSL"; static storage. */
const char *cipher_engine_name(const struct cipher_engine *e);

/*
 * Copies cipher_key_len() bytes of secret, and for CBC cipher_tag_len() bytes of mac_secret, which
 * else may be NULL. The caller wipes its own. Works only with engines of e's kind. 0, -EINVAL for
 * an invalid suite, or -errno.
 */
int cipher_key_new(struct cipher_engine *e, const struct cipher_suite *s, const uint8_t *secret,
	const uint8_t *mac_secret, struct cipher_key **ret);
/* Wipes it. NULL is allowed. */
void cipher_key_free(struct cipher_key *k);
const struct cipher_suite *cipher_key_suite(const struct cipher_key *k);

/* Everything is borrowed. */
struct cipher_job {
	const struct cipher_key *key;
	/* AEAD: any length, also 0. CBC: whole blocks, at least one, padded by the caller; the 16
	 * bytes before data are the IV, and the MAC covers IV and ciphertext */
	uint8_t *data;
	uint32_t len; /* at most CIPHER_TEXT_MOST */
	uint32_t aad_len; /* CBC: 0 */
	const uint8_t *aad; /* AEAD only; may be NULL when aad_len is 0 */
	uint8_t *
		tag; /* written by seal, read by open: cipher_tag_len() bytes outside data and aad */
	uint8_t nonce[CIPHER_NONCE_LEN]; /* AEAD only */
	/* set by seal: it was done. Set by open: the tag was right; else data is garbage and must be
	 * dropped. A job with a wrong length is not ok and its data untouched */
	bool ok;
};

/* Any number of jobs. */
void cipher_seal(struct cipher_engine *e, struct cipher_job *jobs, unsigned int count);
/* Compares tags in constant time. */
void cipher_open(struct cipher_engine *e, struct cipher_job *jobs, unsigned int count);

#endif
