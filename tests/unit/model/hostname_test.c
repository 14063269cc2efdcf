// SPDX-License-Identifier: Apache-2.0
#include "control/model/hostname.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void good_labels_are_folded(void **)
{
	static const struct {
		const char *label, *folded;
	} table[] = {
		{"abc", "abc"},
		{"ACME", "acme"},
		{"Acme-2", "acme-2"},
		{"123", "123"},
		{"a-b", "a-b"},
		{"a--b", "a--b"}, /* -- only in the third and fourth place is kept */
		{"ab-c-d", "ab-c-d"},
		{"abcdefghijklmnopqrst", "abcdefghijklmnopqrst"},
		{"wwww", "wwww"},
		{"ns10", "ns10"},
	};
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		char ret[HOSTNAME_TEXT] = "untouched";
		assert_null(hostname_check(table[i].label, ret));
		assert_string_equal(ret, table[i].folded);
	}
}

static void bad_labels_are_refused(void **)
{
	static const char *const table[] = {"", "a", "ab", "abcdefghijklmnopqrstu", "-abc", "abc-",
		"ab--cd", "xn--abc", "a_b", "a.b", "a b", "abc\n", "\tabc", "a/b", "b\303\274ro",
		"ab\x7f", "www", "WWW", "Api", "vpn", "mail", "cdn", "ns1", "ns9", "smtp", "imap",
		"ftp", "mx1", "admin", "portal", "auth", "status", "localhost", "wpad",
		"autodiscover"};
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		char ret[HOSTNAME_TEXT] = "untouched";
		assert_non_null(hostname_check(table[i], ret));
		assert_string_equal(ret, "untouched");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_labels_are_folded),
		cmocka_unit_test(bad_labels_are_refused),
	};
	return cmocka_run_group_tests_name("model/hostname", tests, NULL, NULL);
}
