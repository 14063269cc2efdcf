// SPDX-License-Identifier: Apache-2.0
#include "dataplane/crypto/blake2s.h"

#include <string.h>

/* RFC 7693 section 2.6. */
static const uint32_t iv[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f,
	0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

/* RFC 7693 section 2.7. */
static const uint8_t sigma[10][16] = {
	{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
	{14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
	{11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
	{7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
	{9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
	{2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
	{12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
	{13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
	{6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
	{10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
};

static uint32_t rotate_right(uint32_t v, unsigned int n)
{
	return v >> n | v << (32 - n);
}

static uint32_t load_le32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void store_le32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
	p[2] = (uint8_t)(v >> 16);
	p[3] = (uint8_t)(v >> 24);
}

/* The mixing function G of section 3.1 on one column or diagonal. */
static inline void mix(uint32_t v[16], const uint8_t at[4], uint32_t x, uint32_t y)
{
	uint32_t a = v[at[0]], b = v[at[1]], c = v[at[2]], d = v[at[3]];
	a += b + x;
	d = rotate_right(d ^ a, 16);
	c += d;
	b = rotate_right(b ^ c, 12);
	a += b + y;
	d = rotate_right(d ^ a, 8);
	c += d;
	b = rotate_right(b ^ c, 7);
	v[at[0]] = a;
	v[at[1]] = b;
	v[at[2]] = c;
	v[at[3]] = d;
}

/* Section 3.2. */
static void compress(struct blake2s *s, uint32_t last)
{
	static const uint8_t lanes[8][4] = {{0, 4, 8, 12}, {1, 5, 9, 13}, {2, 6, 10, 14},
		{3, 7, 11, 15}, {0, 5, 10, 15}, {1, 6, 11, 12}, {2, 7, 8, 13}, {3, 4, 9, 14}};
	uint32_t v[16], m[16];
	for (unsigned int i = 0; i < 8; i++) {
		v[i] = s->h[i];
		v[i + 8] = iv[i];
	}
	v[12] ^= (uint32_t)s->counter;
	v[13] ^= (uint32_t)(s->counter >> 32);
	v[14] ^= last;
	for (unsigned int i = 0; i < 16; i++)
		m[i] = load_le32(s->block + 4UL * i);
/* whole, so that all indices are constants and v stays in registers */
#pragma GCC unroll 10
	for (unsigned int round = 0; round < 10; round++) {
#pragma GCC unroll 8
		for (unsigned int i = 0; i < 8; i++)
			mix(v, lanes[i], m[sigma[round][2UL * i]], m[sigma[round][2UL * i + 1]]);
	}
	for (unsigned int i = 0; i < 8; i++)
		s->h[i] ^= v[i] ^ v[i + 8];
}

void blake2s_init(struct blake2s *s, size_t out_len, const void *key, size_t key_len)
{
	memset(s, 0, sizeof(*s));
	memcpy(s->h, iv, sizeof(s->h));
	s->h[0] ^= 0x01010000 ^ (uint32_t)key_len << 8 ^ (uint32_t)out_len;
	s->out_len = (uint32_t)out_len;
	if (key_len > 0) {
		memcpy(s->block, key, key_len);
		s->used = BLAKE2S_BLOCK_LEN;
	}
}

void blake2s_update(struct blake2s *s, const void *data, size_t len)
{
	const uint8_t *from = data;
	while (len > 0) {
		if (s->used == BLAKE2S_BLOCK_LEN) {
			s->counter += BLAKE2S_BLOCK_LEN;
			compress(s, 0);
			s->used = 0;
		}
		size_t room = BLAKE2S_BLOCK_LEN - s->used;
		size_t n = len < room ? len : room;
		memcpy(s->block + s->used, from, n);
		s->used += (uint32_t)n;
		from += n;
		len -= n;
	}
}

void blake2s_final(struct blake2s *s, uint8_t *ret)
{
	uint8_t out[BLAKE2S_HASH_LEN];
	s->counter += s->used;
	memset(s->block + s->used, 0, BLAKE2S_BLOCK_LEN - s->used);
	compress(s, UINT32_MAX);
	for (unsigned int i = 0; i < 8; i++)
		store_le32(out + 4UL * i, s->h[i]);
	memcpy(ret, out, s->out_len);
	explicit_bzero(out, sizeof(out));
	explicit_bzero(s, sizeof(*s));
}

void blake2s_hash(
	uint8_t ret[BLAKE2S_HASH_LEN], const void *a, size_t a_len, const void *b, size_t b_len)
{
	struct blake2s s;
	blake2s_init(&s, BLAKE2S_HASH_LEN, NULL, 0);
	blake2s_update(&s, a, a_len);
	blake2s_update(&s, b, b_len);
	blake2s_final(&s, ret);
}

void blake2s_mac(
	uint8_t ret[BLAKE2S_MAC_LEN], const void *key, size_t key_len, const void *data, size_t len)
{
	struct blake2s s;
	blake2s_init(&s, BLAKE2S_MAC_LEN, key, key_len);
	blake2s_update(&s, data, len);
	blake2s_final(&s, ret);
}

void blake2s_hmac(uint8_t ret[BLAKE2S_HASH_LEN], const void *key, size_t key_len, const void *data,
	size_t len)
{
	struct blake2s s;
	uint8_t pad[BLAKE2S_BLOCK_LEN] = {0}, inner[BLAKE2S_HASH_LEN];
	if (key_len > BLAKE2S_BLOCK_LEN)
		blake2s_hash(pad, key, key_len, NULL, 0);
	else
		memcpy(pad, key, key_len);
	for (unsigned int i = 0; i < sizeof(pad); i++)
		pad[i] ^= 0x36;
	blake2s_init(&s, BLAKE2S_HASH_LEN, NULL, 0);
	blake2s_update(&s, pad, sizeof(pad));
	blake2s_update(&s, data, len);
	blake2s_final(&s, inner);
	for (unsigned int i = 0; i < sizeof(pad); i++)
		pad[i] ^= 0x36 ^ 0x5c;
	blake2s_init(&s, BLAKE2S_HASH_LEN, NULL, 0);
	blake2s_update(&s, pad, sizeof(pad));
	blake2s_update(&s, inner, sizeof(inner));
	blake2s_final(&s, ret);
	explicit_bzero(pad, sizeof(pad));
	explicit_bzero(inner, sizeof(inner));
}

void blake2s_kdf(uint8_t *ret1, uint8_t *ret2, uint8_t *ret3, const uint8_t key[BLAKE2S_HASH_LEN],
	const void *input, size_t len)
{
	uint8_t secret[BLAKE2S_HASH_LEN], message[BLAKE2S_HASH_LEN + 1];
	uint8_t *outputs[] = {ret1, ret2, ret3};
	size_t previous = 0; /* T(0) is empty */
	blake2s_hmac(secret, key, BLAKE2S_HASH_LEN, input, len);
	for (unsigned int i = 0; i < 3 && outputs[i] != NULL; i++) {
		message[previous] = (uint8_t)(i + 1);
		blake2s_hmac(message, secret, sizeof(secret), message, previous + 1);
		memcpy(outputs[i], message, BLAKE2S_HASH_LEN);
		previous = BLAKE2S_HASH_LEN;
	}
	explicit_bzero(secret, sizeof(secret));
	explicit_bzero(message, sizeof(message));
}
