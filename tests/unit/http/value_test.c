// SPDX-License-Identifier: Apache-2.0
#include "control/http/value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static bool read(const char *text, int64_t *ret)
{
	struct model_errors errors = {0};
	json_t *v = json_string(text);
	bool good = value_read_time(v, "/at", ret, &errors);
	json_decref(v);
	assert_int_equal(errors.count, good ? 0 : 1);
	assert_true(good || errors.has_invalid);
	assert_true(good || strcmp(errors.list[0].pointer, "/at") == 0);
	return good;
}

static void times_are_read(void **)
{
	static const struct {
		const char *text;
		int64_t at;
	} rows[] = {
		{"1970-01-01T00:00:01Z", 1},
		{"2000-02-29T00:00:00Z", 951782400},
		{"2038-01-19T03:14:08Z", 2147483648},
		{"2026-11-21T07:30:00Z", 1795246200},
		{"2026-11-21T07:30:00z", 1795246200},
		{"2026-11-21T07:30:00.999999999Z", 1795246200},
		{"2026-11-21T09:30:00+02:00", 1795246200},
		{"2026-11-21T02:00:00-05:30", 1795246200},
		{"9999-12-31T23:59:59Z", 253402300799},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t at = 0;
		if (!read(rows[i].text, &at) || at != rows[i].at)
			fail_msg("%s: %lld", rows[i].text, (long long)at);
	}
}

static void what_is_no_time_is_refused(void **)
{
	static const char *const rows[] = {
		"",
		"yesterday",
		"2026-11-21",
		"2026-11-21T07:30Z",
		"2026-11-21T07:30:00",
		"2026-11-21 07:30:00Z",
		"2026-11-21T07:30:00Zulu",
		"2026-11-21T07:30:00.Z",
		"2026-11-21T07:30:00+2:00",
		"2026-11-21T07:30:00+0200",
		"2026-11-21T07:30:00+24:00",
		"2026-11-21T07:30:00+02:60",
		"2026-11-21T07:30:00+-1:00",
		"2026-11-21T07:30:00+ 1:00",
		"2026-02-29T00:00:00Z",
		"2026-13-01T00:00:00Z",
		"2026-00-01T00:00:00Z",
		"2026-11-31T00:00:00Z",
		"2026-11-21T24:00:00Z",
		"2026-11-21T07:60:00Z",
		"2026-1-21T07:30:000Z",
		" 2026-11-21T07:30:00Z",
		"+026-11-21T07:30:00Z",
		"2026- 1-21T07:30:00Z",
		"1969-12-31T23:59:59Z",
		"1970-01-01T00:00:00Z",
		"1970-01-01T00:30:00+01:00",
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t at = 42;
		if (read(rows[i], &at))
			fail_msg("\"%s\" is %lld", rows[i], (long long)at);
	}
}

static void times_are_written(void **)
{
	json_t *v = value_time(1795246200);
	assert_string_equal(json_string_value(v), "2026-11-21T07:30:00Z");
	json_decref(v);
	assert_true(json_is_null(value_time(0)));
}

static void null_is_none(void **)
{
	struct model_errors errors = {0};
	struct uuid id = {{1}};
	int64_t at = 42;
	assert_true(value_read_time(NULL, "/x", &at, &errors));
	assert_int_equal(at, 0);
	at = 42;
	assert_true(value_read_time(json_null(), "/x", &at, &errors));
	assert_int_equal(at, 0);
	assert_true(value_read_uuid(json_null(), "/x", &id, &errors));
	assert_true(uuid_is_zero(&id));
	assert_int_equal(errors.count, 0);
}

static void text_that_does_not_fit_is_refused(void **)
{
	struct model_errors errors = {0};
	char buf[4] = "";
	json_t *three = json_string("abc"), *four = json_string("abcd");
	assert_true(value_read_text(three, "/x", buf, sizeof(buf), &errors));
	assert_string_equal(buf, "abc");
	assert_false(value_read_text(four, "/x", buf, sizeof(buf), &errors));
	assert_string_equal(buf, "");
	assert_int_equal(errors.count, 1);
	json_decref(three);
	json_decref(four);
}

static void each_bad_prefix_has_its_pointer(void **)
{
	struct model_errors errors = {0};
	struct subnets list;
	json_t *v = json_pack("[s, s, s, s]", "10.0.0.0/8", "10.0.0.1/8", "fd00::/8", "x");
	assert_false(value_read_prefixes(v, "subnets", &list, &errors));
	assert_int_equal(errors.count, 2);
	assert_string_equal(errors.list[0].pointer, "/subnets/1");
	assert_non_null(strstr(errors.list[0].detail, "10.0.0.0/8"));
	assert_string_equal(errors.list[1].pointer, "/subnets/3");
	json_decref(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_are_read),
		cmocka_unit_test(what_is_no_time_is_refused),
		cmocka_unit_test(times_are_written),
		cmocka_unit_test(null_is_none),
		cmocka_unit_test(text_that_does_not_fit_is_refused),
		cmocka_unit_test(each_bad_prefix_has_its_pointer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
