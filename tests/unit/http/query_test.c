// SPDX-License-Identifier: Apache-2.0
#include "control/http/query.h"

#include "control/http/etag.h"
#include "control/http/problem.h"
#include "control/http/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* 0 when taken, else the status of the refusal. */
static unsigned int target_status(const char *uri)
{
	struct target t;
	struct response rs;
	response_init(&rs);
	bool ok = target_parse(uri, &t, &rs);
	assert_int_equal(ok, !rs.is_problem);
	unsigned int status = rs.status;
	response_fini(&rs);
	return ok ? 0 : status;
}

static void takes_origin_form(void **)
{
	struct target t;
	struct response rs;
	response_init(&rs);
	assert_true(target_parse("/v1/instances?limit=5&name=a%20b&label=k%3Dv&x", &t, &rs));
	assert_string_equal(t.path, "/v1/instances");
	assert_int_equal(t.param_count, 4);
	assert_string_equal(target_param(&t, "name"), "a b");
	assert_string_equal(target_param(&t, "label"), "k=v");
	assert_string_equal(target_param(&t, "x"), "");
	assert_null(target_param(&t, "y"));
	response_fini(&rs);
}

static void refuses_ambiguous_targets(void **)
{
	static const char *const bad[] = {
		"",
		"v1",
		"http://other/v1",
		"*",
		"/v1//x",
		"/v1/../x",
		"/v1/./x",
		"/v1/..",
		"/v1/%2e%2e",
		"/v1/%2Fx",
		"/v1/%00",
		"/v1/%0a",
		"/v1/%252e",
		"/v1/a\\b",
		"/v1/%5c",
		"/v1/\xc3\xa4",
		"/v1/a b",
		"/v1?a=%zz",
		"/v1?a=%",
		"/v1?a=%0",
		"/v1?a=%00",
		"/v1?a=%ff",
		"/v1?=x",
		"/v1?a=1&a=2",
		"/v1?a=%0d%0ab",
		"/v1?a&b&c&d&e&f&g&h&i&j&k&l&m&n&o&p&q",
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(target_status(bad[i]), 400);
	char longest[HTTP_URI_MAX_BYTES + 2];
	memset(longest, 'a', sizeof(longest));
	longest[0] = '/';
	longest[HTTP_URI_MAX_BYTES] = '\0';
	assert_int_equal(target_status(longest), 0);
	longest[HTTP_URI_MAX_BYTES] = 'a';
	longest[HTTP_URI_MAX_BYTES + 1] = '\0';
	assert_int_equal(target_status(longest), 414);
}

static void knows_its_parameters(void **)
{
	static const char *const names[] = {"limit", NULL};
	static const char *const bad[] = {"/a?token=x", "/a?limit=1&who=me",
		"/a?x=nave_sk_1234567890123456789012345678901234567890123", "/a?x=nave_sk_1"};
	static const bool is_secret[] = {true, false, true, false};
	struct target t;
	struct response rs;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		response_init(&rs);
		assert_true(target_parse(bad[i], &t, &rs));
		assert_int_equal(target_secrets_check(&t, &rs), !is_secret[i]);
		assert_false(target_params_check(&t, names, &rs));
		assert_int_equal(rs.status, 400);
		assert_null(strstr(rs.detail, "nave_sk_1"));
		response_fini(&rs);
	}
	response_init(&rs);
	assert_true(target_parse("/a?limit=1", &t, &rs));
	assert_true(target_params_check(&t, names, &rs));
	assert_false(target_params_check(&t, NULL, &rs));
	response_fini(&rs);
}

static void reads_numbers_in_range(void **)
{
	static const char *const bad[] = {"/?n=0", "/?n=201", "/?n=-1", "/?n=", "/?n=1x", "/?n=+1",
		"/?n=99999999999999999999", "/?n=%201"};
	static const uint64_t range[2] = {1, 200};
	struct target t;
	struct response rs;
	uint64_t n = 50;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		response_init(&rs);
		assert_true(target_parse(bad[i], &t, &rs));
		assert_false(target_number(&t, "n", range, &n, &rs));
		response_fini(&rs);
	}
	assert_int_equal(n, 50);
	response_init(&rs);
	assert_true(target_parse("/?n=200", &t, &rs));
	assert_true(target_number(&t, "n", range, &n, &rs));
	assert_int_equal(n, 200);
	assert_true(target_number(&t, "m", range, &n, &rs));
	assert_int_equal(n, 200);
	response_fini(&rs);
}

static void matches_strong_tags_only(void **)
{
	char text[ETAG_TEXT];
	assert_string_equal(etag_format(7, text), "\"v7\"");
	assert_int_equal(etag_match("\"v7\"", 7), ETAG_MATCHES);
	assert_int_equal(etag_match("*", 7), ETAG_MATCHES);
	assert_int_equal(etag_match("\"v1\", \"v7\"", 7), ETAG_MATCHES);
	assert_int_equal(etag_match("\"v70\"", 7), ETAG_DIFFERS);
	assert_int_equal(etag_match("\"v7", 7), ETAG_MALFORMED);
	assert_int_equal(etag_match("W/\"v7\"", 7), ETAG_DIFFERS);
	assert_int_equal(etag_match("v7", 7), ETAG_MALFORMED);
	assert_int_equal(etag_match("", 7), ETAG_MALFORMED);
	assert_int_equal(etag_match("*x", 7), ETAG_MALFORMED);
	assert_int_equal(etag_match("\"v7\" \"v8\"", 7), ETAG_MALFORMED);
	assert_int_equal(etag_match("\"v7\",", 7), ETAG_MALFORMED);
}

static void repairs_text_for_json(void **)
{
	char cut[] = "a\xe2\x82";
	char bad[] = "\xff\xc0\x80 \x01\xed\xa0\x80";
	char good[] = "\xe2\x82\xac ok";
	text_repair(cut);
	text_repair(bad);
	text_repair(good);
	assert_string_equal(cut, "a??");
	assert_string_equal(bad, "??? ????");
	assert_string_equal(good, "\xe2\x82\xac ok");
	assert_true(text_is_clean(good));
}

static void renders_problems(void **)
{
	struct response rs;
	response_init(&rs);
	problem_set(&rs, PROBLEM_UNPROCESSABLE, "no \xff good");
	problem_set(&rs, PROBLEM_INTERNAL, "not this");
	problem_add(&rs, "/subnets/0", "overlaps %s", "peer \"x\"");
	assert_int_equal(response_render(&rs, "/v1/x", "id-1"), 0);
	assert_int_equal(rs.status, 422);
	assert_string_equal(rs.content_type, "application/problem+json");
	assert_string_equal(rs.text,
		"{\"type\":\"urn:nave:problem:unprocessable\",\"title\":\"The request cannot be "
		"carried out\",\"status\":422,\"detail\":\"no ? good\",\"instance\":\"/v1/x\","
		"\"request_id\":\"id-1\",\"errors\":[{\"pointer\":\"/subnets/0\",\"detail\":"
		"\"overlaps peer \\\"x\\\"\"}]}");
	response_fini(&rs);
	response_init(&rs);
	problem_set(&rs, PROBLEM_UNAUTHENTICATED, "no");
	assert_int_equal(rs.header_count, 1);
	assert_string_equal(rs.headers[0].name, "WWW-Authenticate");
	response_header(&rs, "X", "a\r\nb: c");
	assert_int_equal(rs.header_count, 1);
	response_fini(&rs);
	for (int kind = 0; kind < PROBLEM__COUNT; kind++) {
		response_init(&rs);
		problem_set(&rs, kind, "x");
		assert_true(rs.status >= 400 && rs.status < 600);
		if (rs.status == 503 || kind == PROBLEM_IN_FLIGHT)
			assert_string_equal(rs.headers[0].name, "Retry-After");
		response_fini(&rs);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_origin_form),
		cmocka_unit_test(refuses_ambiguous_targets),
		cmocka_unit_test(knows_its_parameters),
		cmocka_unit_test(reads_numbers_in_range),
		cmocka_unit_test(matches_strong_tags_only),
		cmocka_unit_test(repairs_text_for_json),
		cmocka_unit_test(renders_problems),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
