/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_CRYPTO_BLAKE2S_H
#define DATAPLANE_CRYPTO_BLAKE2S_H

#include <stddef.h>
#include <stdint.h>

/*
 * BLAKE2s (RFC 7693) and what the WireGuard paper (section 5.4) builds from it. Ours, because
 * OpenSSL's contexts cost more than the hash; constant time by construction.
 */
enum {
	BLAKE2S_HASH_LEN = 32,
	BLAKE2S_MAC_LEN = 16,
	BLAKE2S_BLOCK_LEN = 64,
};

struct blake2s {
	uint32_t h[8];
	uint64_t counter;
	uint8_t block[BLAKE2S_BLOCK_LEN];
	uint32_t used, out_len;
};

/* out_len 1..32; key_len 0..32. */
void blake2s_init(struct blake2s *s, size_t out_len, const void *key, size_t key_len);
void blake2s_update(struct blake2s *s, const void *data, size_t len);
/* Writes out_len bytes and wipes the state. */
void blake2s_final(struct blake2s *s, uint8_t *ret);

/* HASH(a || b). b may be NULL with length 0. */
void blake2s_hash(
	uint8_t ret[BLAKE2S_HASH_LEN], const void *a, size_t a_len, const void *b, size_t b_len);
/* MAC(key, data): keyed BLAKE2s of 16 bytes. */
void blake2s_mac(uint8_t ret[BLAKE2S_MAC_LEN], const void *key, size_t key_len, const void *data,
	size_t len);
/* HMAC(key, data) with BLAKE2s of 32 bytes (RFC 2104). */
void blake2s_hmac(uint8_t ret[BLAKE2S_HASH_LEN], const void *key, size_t key_len, const void *data,
	size_t len);
/* KDFn(key, input) (HKDF, RFC 5869): as many outputs as are not NULL, from the left. */
void blake2s_kdf(uint8_t *ret1, uint8_t *ret2, uint8_t *ret3, const uint8_t key[BLAKE2S_HASH_LEN],
	const void *input, size_t len);

#endif
