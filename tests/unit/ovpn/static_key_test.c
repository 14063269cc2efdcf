// SPDX-License-Identifier: Apache-2.0
/* The text of a static key file. */
#include "dataplane/ovpn/static_key.h"

#include "tests/unit/ovpn/vectors.h"

#include <errno.h>
#include <stdio.h>

static struct static_key vector_key(void)
{
	struct static_key k;
	assert_int_equal(unhex(vector_static_key, k.bytes, sizeof(k.bytes)), STATIC_KEY_LEN);
	return k;
}

static int parse(const char *text, struct static_key *ret)
{
	return static_key_from_text(text, strlen(text), ret);
}

static void text_and_back(void **state)
{
	char text[STATIC_KEY_TEXT], more[STATIC_KEY_TEXT + 100];
	struct static_key k = vector_key(), read = {0};
	const char *begin =
		"-----BEGIN OpenVPN Static key V1-----\n7bab495f3d6dc15c80bf474ee1caf514\n";
	assert_memory_equal(static_key_to_text(&k, text), begin, strlen(begin));
	assert_int_equal(strlen(text), 38 + 16 * 33 + 36);
	assert_int_equal(parse(text, &read), 0);
	assert_memory_equal(&read, &k, sizeof(k));
	(void)snprintf(
		more, sizeof(more), "#\n# 2048 bit OpenVPN static key\n#\n%s\n# end\n", text);
	assert_int_equal(parse(more, &read), 0);
}

/* Windows, upper case, and every digit by itself. */
static void white_space_does_not_matter(void **state)
{
	char text[2048];
	struct static_key k = vector_key(), read = {0};
	char *at = stpcpy(text, "-----BEGIN OpenVPN Static key V1-----\r\n");
	for (size_t i = 0; i < strlen(vector_static_key); i++) {
		char c = vector_static_key[i];
		*at++ = (char)(c >= 'a' ? c - 32 : c);
		*at++ = " \t\r\n"[i % 4];
	}
	(void)stpcpy(at, "-----END OpenVPN Static key V1-----");
	assert_int_equal(parse(text, &read), 0);
	assert_memory_equal(&read, &k, sizeof(k));
}

static void what_is_not_a_key(void **state)
{
	char good[STATIC_KEY_TEXT], bad[STATIC_KEY_TEXT + 8];
	struct static_key k = vector_key(), read = {{7}};
	size_t len = strlen(static_key_to_text(&k, good));
	for (size_t n = 0; n < len - 1; n++) /* all but the last newline is needed */
		assert_int_equal(static_key_from_text(good, n, &read), -EINVAL);
	memcpy(bad, good, sizeof(good));
	bad[100] = 'g';
	assert_int_equal(parse(bad, &read), -EINVAL);
	memcpy(bad, good, sizeof(good));
	bad[100] = ' '; /* one digit less */
	assert_int_equal(parse(bad, &read), -EINVAL);
	memcpy(bad, good, sizeof(good));
	bad[70] = '0'; /* where a newline was: one more */
	assert_int_equal(parse(bad, &read), -EINVAL);
	memcpy(bad, good, sizeof(good));
	bad[100] = '\0';
	assert_int_equal(static_key_from_text(bad, len, &read), -EINVAL);
	assert_int_equal(read.bytes[0], 7); /* untouched */
}

static void slots(void **state)
{
	struct static_key k = vector_key();
	assert_ptr_equal(static_key_cipher(&k, 0), k.bytes);
	assert_ptr_equal(static_key_hmac(&k, 0), k.bytes + 64);
	assert_ptr_equal(static_key_cipher(&k, 1), k.bytes + 128);
	assert_ptr_equal(static_key_hmac(&k, 1), k.bytes + 192);
}

static void generated_and_wiped(void **state)
{
	static const struct static_key zero;
	struct static_key a = {0}, b = {0};
	assert_int_equal(static_key_generate(&a), 0);
	assert_int_equal(static_key_generate(&b), 0);
	assert_memory_not_equal(&a, &b, sizeof(a));
	assert_memory_not_equal(a.bytes + 240, zero.bytes, 16);
	static_key_wipe(&a);
	assert_memory_equal(&a, &zero, sizeof(a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_and_back),
		cmocka_unit_test(white_space_does_not_matter),
		cmocka_unit_test(what_is_not_a_key),
		cmocka_unit_test(slots),
		cmocka_unit_test(generated_and_wiped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
