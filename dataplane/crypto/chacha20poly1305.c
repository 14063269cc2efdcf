// SPDX-License-Identifier: Apache-2.0
#include "dataplane/crypto/chacha20poly1305.h"

#include <openssl/evp.h>
#include <string.h>

enum {
	NONCE_LEN = 12,
};

static bool seal_message(uint8_t *ret, const struct chacha20poly1305_data *d,
	const uint8_t nonce[NONCE_LEN], const struct key *key)
{
	int n = 0, last = 0;
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	bool ok = ctx != NULL
		&& EVP_EncryptInit_ex2(ctx, EVP_chacha20_poly1305(), key->bytes, nonce, NULL) == 1;
	if (ok && d->aad_len > 0)
		ok = EVP_EncryptUpdate(ctx, NULL, &n, d->aad, (int)d->aad_len) == 1;
	n = 0;
	if (ok && d->len > 0)
		ok = EVP_EncryptUpdate(ctx, ret, &n, d->text, (int)d->len) == 1;
	ok = ok && EVP_EncryptFinal_ex(ctx, ret + n, &last) == 1
		&& EVP_CIPHER_CTX_ctrl(
			   ctx, EVP_CTRL_AEAD_GET_TAG, CHACHA20POLY1305_TAG_LEN, ret + d->len)
			== 1;
	EVP_CIPHER_CTX_free(ctx);
	return ok;
}

static bool open_message(uint8_t *ret, const struct chacha20poly1305_data *d,
	const uint8_t nonce[NONCE_LEN], const struct key *key)
{
	if (d->len < CHACHA20POLY1305_TAG_LEN)
		return false;
	size_t len = d->len - CHACHA20POLY1305_TAG_LEN;
	uint8_t tag[CHACHA20POLY1305_TAG_LEN];
	memcpy(tag, (const uint8_t *)d->text + len, sizeof(tag));
	int n = 0, last = 0;
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	bool ok = ctx != NULL
		&& EVP_DecryptInit_ex2(ctx, EVP_chacha20_poly1305(), key->bytes, nonce, NULL) == 1
		&& EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, sizeof(tag), tag) == 1;
	if (ok && d->aad_len > 0)
		ok = EVP_DecryptUpdate(ctx, NULL, &n, d->aad, (int)d->aad_len) == 1;
	n = 0;
	if (ok && len > 0)
		ok = EVP_DecryptUpdate(ctx, ret, &n, d->text, (int)len) == 1;
	uint8_t none[1]; /* nothing is left for the last call to write */
	ok = ok && EVP_DecryptFinal_ex(ctx, none, &last) == 1;
	EVP_CIPHER_CTX_free(ctx);
	if (!ok && len > 0)
		explicit_bzero(ret, len);
	return ok;
}

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
	return seal_message(ret, d, nonce, key);
}

bool chacha20poly1305_open(uint8_t *ret, const struct chacha20poly1305_data *d, uint64_t counter,
	const struct key *key)
{
	uint8_t nonce[NONCE_LEN];
	write_counter(nonce, counter);
	return open_message(ret, d, nonce, key);
}

static uint32_t rotate_left(uint32_t v, unsigned int n)
{
	return v << n | v >> (32 - n);
}

/* RFC 8439 section 2.1. */
static void quarter_round(
	uint32_t x[16], unsigned int a, unsigned int b, unsigned int c, unsigned int d)
{
	x[a] += x[b];
	x[d] = rotate_left(x[d] ^ x[a], 16);
	x[c] += x[d];
	x[b] = rotate_left(x[b] ^ x[c], 12);
	x[a] += x[b];
	x[d] = rotate_left(x[d] ^ x[a], 8);
	x[c] += x[d];
	x[b] = rotate_left(x[b] ^ x[c], 7);
}

static uint32_t load_le32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

void hchacha20(struct key *ret, const struct key *key, const uint8_t nonce[16])
{
	uint32_t x[16] = {
		0x61707865, 0x3320646e, 0x79622d32, 0x6b206574}; /* RFC 8439 section 2.3 */
	for (unsigned int i = 0; i < 8; i++)
		x[4 + i] = load_le32(key->bytes + 4UL * i);
	for (unsigned int i = 0; i < 4; i++)
		x[12 + i] = load_le32(nonce + 4UL * i);
	for (unsigned int round = 0; round < 10; round++) {
		for (unsigned int i = 0; i < 4; i++)
			quarter_round(x, i, 4 + i, 8 + i, 12 + i);
		for (unsigned int i = 0; i < 4; i++)
			quarter_round(x, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4);
	}
	for (unsigned int i = 0; i < 8; i++) {
		uint32_t word = x[i < 4 ? i : i + 8]; /* the first and the last row */
		for (unsigned int b = 0; b < 4; b++)
			ret->bytes[4 * i + b] = (uint8_t)(word >> (8 * b));
	}
	explicit_bzero(x, sizeof(x));
}

static void derive(struct key *subkey, uint8_t nonce12[NONCE_LEN], const struct key *key,
	const uint8_t nonce[XCHACHA20POLY1305_NONCE_LEN])
{
	hchacha20(subkey, key, nonce);
	memset(nonce12, 0, 4);
	memcpy(nonce12 + 4, nonce + 16, 8);
}

bool xchacha20poly1305_seal(uint8_t *ret, const struct chacha20poly1305_data *d,
	const uint8_t nonce[XCHACHA20POLY1305_NONCE_LEN], const struct key *key)
{
	struct key subkey;
	uint8_t nonce12[NONCE_LEN];
	derive(&subkey, nonce12, key, nonce);
	bool ok = seal_message(ret, d, nonce12, &subkey);
	key_wipe(&subkey);
	return ok;
}

bool xchacha20poly1305_open(uint8_t *ret, const struct chacha20poly1305_data *d,
	const uint8_t nonce[XCHACHA20POLY1305_NONCE_LEN], const struct key *key)
{
	struct key subkey;
	uint8_t nonce12[NONCE_LEN];
	derive(&subkey, nonce12, key, nonce);
	bool ok = open_message(ret, d, nonce12, &subkey);
	key_wipe(&subkey);
	return ok;
}
