// SPDX-License-Identifier: Apache-2.0
#include "control/http/cursor.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char scope[] = "/v1/instances?state=ready";
static const char position[] = "5f0c9c4a-3c3e-4d7e-8a56-000000000001";

static void comes_back_as_it_went(void **)
{
	struct cursor_key key;
	char text[CURSOR_TEXT];
	char back[CURSOR_POSITION_MAX + 1] = "";
	assert_int_equal(cursor_key_init(&key), 0);
	assert_int_equal(cursor_format(&key, scope, 1000, position, text), 0);
	assert_int_equal(cursor_parse(&key, scope, 1000 + CURSOR_LIFE_S, text, back), 0);
	assert_string_equal(back, position);
	assert_int_equal(cursor_parse(&key, scope, 1001 + CURSOR_LIFE_S, text, back), -ESTALE);
	assert_int_equal(cursor_parse(&key, "/v1/users", 1000, text, back), -EINVAL);
	char longest[CURSOR_POSITION_MAX + 2];
	memset(longest, '1', sizeof(longest));
	longest[CURSOR_POSITION_MAX + 1] = '\0';
	assert_int_equal(cursor_format(&key, scope, 1000, longest, text), -EMSGSIZE);
	longest[CURSOR_POSITION_MAX] = '\0';
	assert_int_equal(cursor_format(&key, scope, 1000, longest, text), 0);
}

static void every_changed_digit_is_seen(void **)
{
	struct cursor_key key;
	char text[CURSOR_TEXT];
	char back[CURSOR_POSITION_MAX + 1];
	assert_int_equal(cursor_key_init(&key), 0);
	assert_int_equal(cursor_format(&key, scope, 1000, position, text), 0);
	size_t len = strlen(text);
	for (size_t i = 0; i < len; i++) {
		char old = text[i];
		text[i] = old == '0' ? '1' : '0';
		/* The first 8 digits name the key: gone rather than forged. */
		assert_int_equal(
			cursor_parse(&key, scope, 1000, text, back), i < 8 ? -ESTALE : -EINVAL);
		text[i] = old;
	}
	for (size_t i = 0; i < len; i++) {
		char cut[CURSOR_TEXT];
		memcpy(cut, text, i);
		cut[i] = '\0';
		assert_true(cursor_parse(&key, scope, 1000, cut, back) < 0);
	}
}

static void another_run_says_gone(void **)
{
	struct cursor_key one;
	struct cursor_key two;
	char text[CURSOR_TEXT];
	char back[CURSOR_POSITION_MAX + 1];
	assert_int_equal(cursor_key_init(&one), 0);
	assert_int_equal(cursor_key_init(&two), 0);
	assert_int_equal(cursor_format(&one, scope, 1000, position, text), 0);
	assert_int_equal(cursor_parse(&two, scope, 1000, text, back), -ESTALE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comes_back_as_it_went),
		cmocka_unit_test(every_changed_digit_is_seen),
		cmocka_unit_test(another_run_says_gone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
