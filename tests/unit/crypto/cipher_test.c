// SPDX-License-Identifier: Apache-2.0
/* The burst engine against OpenSSL's: every mix of algorithms, keys and lengths comes out the same. */
#include "dataplane/crypto/cipher.h"

#include "tests/unit/dice.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
	JOBS = 70, /* more than two bursts, and no multiple of one */
	AAD_MOST = 24,
	TEXT_AT = CIPHER_TAG_MOST + AAD_MOST + CIPHER_BLOCK_LEN, /* tag | aad | IV | text */
	AAD_AT = CIPHER_TAG_MOST,
	TEXT_ROOM = 9008,
	ROOM = TEXT_AT + TEXT_ROOM,
	SUITES = 4 + 9, /* AEADs, and each CBC with each digest */
	ROUNDS = 120,
};

struct side {
	struct cipher_engine *engine;
	struct cipher_job job[JOBS];
	struct cipher_key *key[JOBS];
	uint8_t *data[JOBS];
};

static uint8_t kept[JOBS][ROOM];

static struct cipher_suite nth_suite(unsigned int n)
{
	if (n <= CIPHER_CHACHA20_POLY1305)
		return (struct cipher_suite){(enum cipher_algorithm)n, CIPHER_NO_DIGEST};
	n -= CIPHER_AES_128_CBC;
	return (struct cipher_suite){(enum cipher_algorithm)(CIPHER_AES_128_CBC + n / 3),
		(enum cipher_digest)(CIPHER_HMAC_SHA1 + n % 3)};
}

static int set_up(void **state)
{
	struct side *s = calloc(2, sizeof(*s));
	*state = s;
	for (unsigned int n = 0; n < 2; n++)
		for (unsigned int j = 0; j < JOBS; j++)
			s[n].data[j] = malloc(ROOM);
	return cipher_engine_new(&s[0].engine) == 0 && cipher_engine_openssl_new(&s[1].engine) == 0
		? 0
		: -1;
}

static int tear_down(void **state)
{
	struct side *s = *state;
	for (unsigned int n = 0; n < 2; n++) {
		for (unsigned int j = 0; j < JOBS; j++) {
			cipher_key_free(s[n].key[j]);
			free(s[n].data[j]);
		}
		cipher_engine_free(s[n].engine);
	}
	free(s);
	return 0;
}

static void roll_bytes(uint8_t *to, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++)
		to[i] = (uint8_t)dice_roll();
}

/* The same job on both sides, of text of about len bytes. */
static void make_job(struct side *s, unsigned int j, struct cipher_suite suite, uint32_t len)
{
	uint8_t secret[CIPHER_KEY_MOST], mac_secret[CIPHER_TAG_MOST];
	bool is_aead = cipher_is_aead(suite.algorithm);
	roll_bytes(secret, sizeof(secret));
	roll_bytes(mac_secret, sizeof(mac_secret));
	roll_bytes(kept[j], TEXT_AT + len + CIPHER_BLOCK_LEN);
	struct cipher_job job = {.len = is_aead ? len : (len / 16 + 1) * 16,
		.aad_len = is_aead ? dice_roll() % (AAD_MOST + 1) : 0};
	roll_bytes(job.nonce, sizeof(job.nonce));
	for (unsigned int n = 0; n < 2; n++) {
		cipher_key_free(s[n].key[j]);
		s[n].key[j] = NULL;
		assert_int_equal(cipher_key_new(s[n].engine, &suite, secret,
					 is_aead ? NULL : mac_secret, &s[n].key[j]),
			0);
		memcpy(s[n].data[j], kept[j], TEXT_AT + job.len);
		job.key = s[n].key[j];
		job.data = s[n].data[j] + TEXT_AT;
		job.aad = job.aad_len > 0 ? s[n].data[j] + AAD_AT : NULL;
		job.tag = s[n].data[j];
		s[n].job[j] = job;
	}
}

static void assert_opened(const struct side *s, unsigned int j)
{
	assert_true(s->job[j].ok);
	assert_memory_equal(s->job[j].data, kept[j] + TEXT_AT, s->job[j].len);
}

/* A bit of what the tag covers: the text, or the tag itself, or what comes with the text. */
static void change_bit(struct cipher_job *job)
{
	uint8_t bit = (uint8_t)(1 << (dice_roll() % 8));
	uint32_t tag_len = cipher_tag_len(cipher_key_suite(job->key));
	bool is_aead = cipher_is_aead(cipher_key_suite(job->key)->algorithm);
	switch (dice_roll() % 4) {
	case 0:
		job->tag[dice_roll() % tag_len] ^= bit;
		return;
	case 1:
		if (is_aead)
			job->nonce[dice_roll() % CIPHER_NONCE_LEN] ^= bit;
		else
			job->data[-1 - (int)(dice_roll() % CIPHER_BLOCK_LEN)] ^= bit;
		return;
	case 2:
		if (job->aad_len > 0)
			job->tag[AAD_AT + dice_roll() % job->aad_len] ^= bit;
		else
			job->tag[0] ^= bit;
		return;
	default:
		if (job->len > 0)
			job->data[dice_roll() % job->len] ^= bit;
		else
			job->tag[tag_len - 1] ^= bit;
		return;
	}
}

/* What each has sealed it opens again, but for every third, of which a bit was changed. */
static void seal_and_open(struct side *s, unsigned int count)
{
	for (unsigned int n = 0; n < 2; n++)
		cipher_seal(s[n].engine, s[n].job, count);
	for (unsigned int j = 0; j < count; j++) {
		assert_true(s[0].job[j].ok && s[1].job[j].ok);
		assert_memory_equal(s[0].data[j], s[1].data[j], TEXT_AT + s[0].job[j].len);
	}
	for (unsigned int j = 0; j < count; j += 3)
		change_bit(&s[j / 3 % 2].job[j]);
	for (unsigned int n = 0; n < 2; n++)
		cipher_open(s[n].engine, s[n].job, count);
	for (unsigned int j = 0; j < count; j++) {
		for (unsigned int n = 0; n < 2; n++) {
			if (j % 3 == 0 && j / 3 % 2 == n)
				assert_false(s[n].job[j].ok);
			else
				assert_opened(&s[n], j);
		}
	}
}

static void random_mixes(void **state)
{
	struct side *s = *state;
	for (unsigned int n = 0; n < ROUNDS; n++) {
		unsigned int count = 1 + dice_roll() % JOBS;
		uint32_t most = n % 4 == 0 ? TEXT_ROOM - CIPHER_BLOCK_LEN : 300;
		for (unsigned int j = 0; j < count; j++)
			make_job(s, j, nth_suite(dice_roll() % SUITES), dice_roll() % (most + 1));
		seal_and_open(s, count);
	}
}

/* A full burst of one suite, and from one job to a handful, where CBC changes its engine. */
static void each_suite(void **state)
{
	struct side *s = *state;
	for (unsigned int suite = 0; suite < SUITES; suite++) {
		for (unsigned int count = 1; count <= 5; count++) {
			for (unsigned int j = 0; j < count; j++)
				make_job(s, j, nth_suite(suite), dice_roll() % 1500);
			seal_and_open(s, count);
		}
		for (uint32_t from = 0; from <= 320; from += CIPHER_BURST) {
			for (unsigned int j = 0; j < CIPHER_BURST; j++)
				make_job(s, j, nth_suite(suite), from + j);
			seal_and_open(s, CIPHER_BURST);
		}
	}
}

/* The longest text, on its own and in lanes. */
static void longest_text(void **state)
{
	static uint8_t data[2][CIPHER_BURST][CIPHER_TAG_MOST + 16 + CIPHER_TEXT_MOST];
	struct side *s = *state;
	for (unsigned int suite = 0; suite < SUITES; suite++) {
		unsigned int count = suite % 2 == 0 ? 4 : CIPHER_BURST;
		for (unsigned int j = 0; j < count; j++) {
			make_job(s, j, nth_suite(suite), 0);
			for (unsigned int n = 0; n < 2; n++) {
				struct cipher_job *job = &s[n].job[j];
				memset(data[n][j], (int)(j + suite), sizeof(data[n][j]));
				job->tag = data[n][j];
				job->data = data[n][j] + CIPHER_TAG_MOST + 16;
				job->len = CIPHER_TEXT_MOST;
			}
		}
		for (unsigned int n = 0; n < 2; n++)
			cipher_seal(s[n].engine, s[n].job, count);
		assert_memory_equal(data[0], data[1], count * sizeof(data[0][0]));
		cipher_open(s[0].engine, s[0].job, count);
		for (unsigned int j = 0; j < count; j++) {
			assert_true(s[0].job[j].ok);
			assert_int_equal(s[0].job[j].data[CIPHER_TEXT_MOST - 1], j + suite);
		}
	}
}

static void refuses(struct side *s, unsigned int j)
{
	for (unsigned int n = 0; n < 2; n++) {
		cipher_seal(s[n].engine, s[n].job, 4);
		for (unsigned int i = 0; i < 4; i++)
			assert_int_equal(s[n].job[i].ok, i != j);
		cipher_open(s[n].engine, s[n].job, 4);
		for (unsigned int i = 0; i < 4; i++)
			assert_int_equal(s[n].job[i].ok, i != j);
		assert_memory_equal(s[n].data[j], kept[j], TEXT_AT + 64);
	}
}

static void wrong_lengths(void **state)
{
	static const uint32_t wrong_cbc[] = {
		0, 1, 15, 17, 63, CIPHER_TEXT_MOST + 16, UINT32_MAX - 15};
	struct side *s = *state;
	for (size_t i = 0; i < sizeof(wrong_cbc) / sizeof(wrong_cbc[0]); i++) {
		for (unsigned int j = 0; j < 4; j++)
			make_job(s, j, nth_suite(4 + dice_roll() % 9), 100);
		s[0].job[2].len = s[1].job[2].len = wrong_cbc[i];
		refuses(s, 2);
	}
	for (unsigned int j = 0; j < 4; j++)
		make_job(s, j, nth_suite(j), 100);
	s[0].job[1].len = s[1].job[1].len = CIPHER_TEXT_MOST + 1;
	refuses(s, 1);
}

static void suites(void **state)
{
	struct side *s = *state;
	struct cipher_key *k = NULL;
	uint8_t secret[CIPHER_TAG_MOST] = {0};
	const struct cipher_suite wrong[] = {
		{CIPHER_AES_256_GCM, CIPHER_HMAC_SHA1},
		{CIPHER_AES_256_CBC, CIPHER_NO_DIGEST},
		{CIPHER_ALGORITHMS, CIPHER_NO_DIGEST},
		{CIPHER_AES_128_CBC, CIPHER_DIGESTS},
	};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(
			cipher_key_new(s[0].engine, &wrong[i], secret, secret, &k), -EINVAL);
	assert_null(k);
	cipher_key_free(NULL);
	assert_int_equal(cipher_key_len(CIPHER_AES_192_CBC), 24);
	for (unsigned int i = 0; i < SUITES; i++) {
		struct cipher_suite suite = nth_suite(i);
		assert_true(cipher_suite_is_valid(&suite));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_mixes),
		cmocka_unit_test(each_suite),
		cmocka_unit_test(longest_text),
		cmocka_unit_test(wrong_lengths),
		cmocka_unit_test(suites),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
