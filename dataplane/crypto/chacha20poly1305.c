// SPDX-License-Identifier: Apache-2.0
#include "dataplane/crypto/chacha20poly1305.h"

#include <sodium.h>
#include <string.h>

enum {
	NONCE_LEN = 12,
};

static void write_counter(uint8_t nonce[NONCE_LEN], uint64_t counter)
{
	memset(nonce, 0, 4);
	for (unsigned int i = 0; i < 8; i++)
		nonce[4 + i] = (uint8_t)(counter >> (8 * i));
}

bool chacha20poly1305_seal(uint8_t *ret, const struct chacha20poly1305_data *d, uint64_t counter,
	const struct key *key)
{
	uint8_t nonce[NONCE_LEN];
	write_counter(nonce, counter);
	return crypto_aead_chacha20poly1305_ietf_encrypt(
		       ret, NULL, d->text, d->len, d->aad, d->aad_len, NULL, nonce, key->bytes)
		== 0;
}

bool chacha20poly1305_open(uint8_t *ret, const struct chacha20poly1305_data *d, uint64_t counter,
	const struct key *key)
{
	uint8_t nonce[NONCE_LEN];
	write_counter(nonce, counter);
	return crypto_aead_chacha20poly1305_ietf_decrypt(
		       ret, NULL, NULL, d->text, d->len, d->aad, d->aad_len, nonce, key->bytes)
		== 0;
}

bool xchacha20poly1305_seal(uint8_t *ret, const struct chacha20poly1305_data *d,
	const uint8_t nonce[XCHACHA20POLY1305_NONCE_LEN], const struct key *key)
{
	return crypto_aead_xchacha20poly1305_ietf_encrypt(
		       ret, NULL, d->text, d->len, d->aad, d->aad_len, NULL, nonce, key->bytes)
		== 0;
}

bool xchacha20poly1305_open(uint8_t *ret, const struct chacha20poly1305_data *d,
	const uint8_t nonce[XCHACHA20POLY1305_NONCE_LEN], const struct key *key)
{
	return crypto_aead_xchacha20poly1305_ietf_decrypt(
		       ret, NULL, NULL, d->text, d->len, d->aad, d->aad_len, nonce, key->bytes)
		== 0;
}
