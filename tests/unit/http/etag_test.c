// SPDX-License-Identifier: Apache-2.0
#include "control/http/etag.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void the_longest_fits(void **)
{
	char text[ETAG_TEXT];
	assert_string_equal(etag_format(UINT64_MAX, text), "\"v18446744073709551615\"");
	assert_int_equal(strlen(text) + 1, ETAG_TEXT);
	assert_int_equal(etag_match(text, UINT64_MAX), ETAG_MATCHES);
	assert_int_equal(etag_match(text, UINT64_MAX - 1), ETAG_DIFFERS);
}

static void lists_and_stars(void **)
{
	static const struct {
		const char *if_match;
		enum etag_verdict verdict;
	} rows[] = {
		{"*", ETAG_MATCHES},
		{" * ", ETAG_MATCHES},
		{"\"v7\"", ETAG_MATCHES},
		{" \"v7\"\t", ETAG_MATCHES},
		{"\"v6\", \"v7\"", ETAG_MATCHES},
		{"\"v7\",\"x\"", ETAG_MATCHES},
		{"W/\"v7\", \"v7\"", ETAG_MATCHES},
		{"\"a,b\", \"v7\"", ETAG_MATCHES},
		{"\"v8\"", ETAG_DIFFERS},
		{"\"V7\"", ETAG_DIFFERS},
		{"\"v77\"", ETAG_DIFFERS},
		{"\"v\"", ETAG_DIFFERS},
		{"\"\"", ETAG_DIFFERS},
		{"W/\"v7\"", ETAG_DIFFERS},
		{"", ETAG_MALFORMED},
		{"v7", ETAG_MALFORMED},
		{"\"v7", ETAG_MALFORMED},
		{"\"v7\" \"v8\"", ETAG_MALFORMED},
		{"\"v7\",", ETAG_MALFORMED},
		{",\"v7\"", ETAG_MALFORMED},
		{"*, \"v7\"", ETAG_MALFORMED},
		{"w/\"v7\"", ETAG_MALFORMED},
		{"\"v 7\"", ETAG_MALFORMED},
		{"\"v7\"x", ETAG_MALFORMED},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (etag_match(rows[i].if_match, 7) != rows[i].verdict)
			fail_msg("If-Match: %s", rows[i].if_match);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_longest_fits),
		cmocka_unit_test(lists_and_stars),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
