/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_CRYPTO_CHACHA20POLY1305_H
#define DATAPLANE_CRYPTO_CHACHA20POLY1305_H

#include "dataplane/base/key.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * One message at a time with additional data, for handshakes, by libsodium (crypto_init() before);
 * the packet path uses aead.h.
 * Sealing writes len + 16 bytes, opening len - 16; in place is allowed. false: opening failed
 * (ret is wiped), or the library is broken.
 */
enum {
	CHACHA20POLY1305_TAG_LEN = 16,
	XCHACHA20POLY1305_NONCE_LEN = 24,
};

struct chacha20poly1305_data {
	const void *text;
	size_t len;
	const void *aad;
	size_t aad_len;
};

/* RFC 8439 with the nonce of WireGuard and Noise: 32 zero bits and a little-endian counter. */
bool chacha20poly1305_seal(uint8_t *ret, const struct chacha20poly1305_data *d, uint64_t counter,
	const struct key *key);
bool chacha20poly1305_open(uint8_t *ret, const struct chacha20poly1305_data *d, uint64_t counter,
	const struct key *key);

/* draft-irtf-cfrg-xchacha-03: the cookie reply. */
bool xchacha20poly1305_seal(uint8_t *ret, const struct chacha20poly1305_data *d,
	const uint8_t nonce[XCHACHA20POLY1305_NONCE_LEN], const struct key *key);
bool xchacha20poly1305_open(uint8_t *ret, const struct chacha20poly1305_data *d,
	const uint8_t nonce[XCHACHA20POLY1305_NONCE_LEN], const struct key *key);

#endif
