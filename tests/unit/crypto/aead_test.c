// SPDX-License-Identifier: Apache-2.0
/* The burst AEAD against OpenSSL's: every mix of lengths and keys must come out the same. */
#include "dataplane/crypto/aead.h"

#include "tests/unit/dice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
	JOBS = 100, /* more than a burst, and no multiple of one */
	ROOM = 9000 + AEAD_TAG_LEN,
	ROUNDS = 60,
};

struct side {
	struct aead *aead;
	struct aead_job job[JOBS];
	uint8_t *data[JOBS];
};

static struct key keys[JOBS];

static int set_up(void **state)
{
	struct side *s = calloc(2, sizeof(*s));
	*state = s;
	for (unsigned int n = 0; n < 2; n++)
		for (unsigned int j = 0; j < JOBS; j++)
			s[n].data[j] = malloc(ROOM);
	return aead_new(&s[0].aead) == 0 && aead_openssl_new(&s[1].aead) == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
	struct side *s = *state;
	for (unsigned int n = 0; n < 2; n++) {
		for (unsigned int j = 0; j < JOBS; j++)
			free(s[n].data[j]);
		aead_free(s[n].aead);
	}
	free(s);
	return 0;
}

static void fill(struct side *s, unsigned int count, uint32_t max_len)
{
	for (unsigned int j = 0; j < count; j++) {
		uint32_t len = dice_roll() % (max_len + 1);
		for (unsigned int i = 0; i < KEY_LEN; i++)
			keys[j].bytes[i] = (uint8_t)dice_roll();
		for (unsigned int n = 0; n < 2; n++)
			s[n].job[j] = (struct aead_job){
				.key = &keys[j], .data = s[n].data[j], .len = len};
		for (unsigned int i = 0; i < AEAD_NONCE_LEN; i++)
			s[0].job[j].nonce[i] = s[1].job[j].nonce[i] = (uint8_t)dice_roll();
		for (uint32_t i = 0; i < len; i++)
			s[0].data[j][i] = s[1].data[j][i] = (uint8_t)dice_roll();
	}
}

static void assert_same(const struct side *s, unsigned int count, uint32_t tag)
{
	for (unsigned int j = 0; j < count; j++)
		assert_memory_equal(s[0].data[j], s[1].data[j], s[0].job[j].len + tag);
}

static void check_round(struct side *s, unsigned int count, uint32_t max_len)
{
	static uint8_t kept[JOBS][ROOM];
	fill(s, count, max_len);
	for (unsigned int j = 0; j < count; j++)
		memcpy(kept[j], s[0].data[j], s[0].job[j].len);
	for (unsigned int n = 0; n < 2; n++)
		aead_chacha20_poly1305_seal(s[n].aead, s[n].job, count);
	assert_same(s, count, AEAD_TAG_LEN);
	/* what the one has sealed the other opens, but for every third, of which a bit was changed */
	for (unsigned int j = 0; j < count; j += 3) {
		uint32_t at = dice_roll() % (s[0].job[j].len + AEAD_TAG_LEN);
		s[0].data[j][at] ^= (uint8_t)(1 << (dice_roll() % 8));
	}
	aead_chacha20_poly1305_open(s[0].aead, s[0].job, count);
	aead_chacha20_poly1305_open(s[1].aead, s[1].job, count);
	for (unsigned int j = 0; j < count; j++) {
		assert_int_equal(s[0].job[j].ok, j % 3 != 0);
		assert_true(s[1].job[j].ok);
		assert_memory_equal(s[1].data[j], kept[j], s[1].job[j].len);
		if (j % 3 != 0)
			assert_memory_equal(s[0].data[j], kept[j], s[0].job[j].len);
	}
}

static void same_as_openssl(void **state)
{
	for (unsigned int n = 0; n < ROUNDS; n++)
		check_round(*state, 1 + dice_roll() % JOBS, n % 2 == 0 ? 200 : 9000);
}

/* Each length alone, and each in a full burst. */
static void every_short_length(void **state)
{
	struct side *s = *state;
	for (uint32_t len = 0; len <= 300; len++) {
		fill(s, AEAD_BURST, 0);
		for (unsigned int j = 0; j < AEAD_BURST; j++) {
			s[0].job[j].len = s[1].job[j].len = len;
			memset(s[0].data[j], (int)j, len);
			memset(s[1].data[j], (int)j, len);
		}
		aead_chacha20_poly1305_seal(s[0].aead, s[0].job, AEAD_BURST);
		for (unsigned int j = 0; j < AEAD_BURST; j++)
			aead_chacha20_poly1305_seal(s[1].aead, &s[1].job[j], 1);
		assert_same(s, AEAD_BURST, AEAD_TAG_LEN);
	}
}

static void wrong_key_and_nonce(void **state)
{
	struct side *s = *state;
	fill(s, 4, 64);
	aead_chacha20_poly1305_seal(s[0].aead, s[0].job, 4);
	s[0].job[0].key = &keys[1];
	s[0].job[2].nonce[11] ^= 1;
	aead_chacha20_poly1305_open(s[0].aead, s[0].job, 4);
	assert_false(s[0].job[0].ok);
	assert_true(s[0].job[1].ok);
	assert_false(s[0].job[2].ok);
	assert_true(s[0].job[3].ok);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_as_openssl),
		cmocka_unit_test(every_short_length),
		cmocka_unit_test(wrong_key_and_nonce),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
