// SPDX-License-Identifier: Apache-2.0
#include "control/http/json.h"

#include "control/http/limits.h"
#include "control/http/problem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct json_field inner_fields[] = {
	{"flag", JSON_KIND_BOOLEAN, true, false, NULL},
	{0},
};

static const struct json_field fields[] = {
	{"name", JSON_KIND_STRING, true, false, NULL},
	{"note", JSON_KIND_STRING, false, true, NULL},
	{"count", JSON_KIND_INTEGER, false, false, NULL},
	{"inner", JSON_KIND_OBJECT, false, false, inner_fields},
	{"list", JSON_KIND_OBJECTS, false, false, inner_fields},
	{"subnets", JSON_KIND_STRINGS, false, true, NULL},
	{"routes", JSON_KIND_STRING_OR_ARRAY, false, false, NULL},
	{"labels", JSON_KIND_STRING_MAP, false, false, NULL},
	{"limits", JSON_KIND_INTEGER_MAP, false, false, NULL},
	{0},
};

/* "" when the body is taken, else the pointer of the first error, or "!" when it is not JSON. */
static const char *first_error(const char *text, bool is_patch)
{
	static char pointer[600];
	struct response rs;
	response_init(&rs);
	pointer[0] = '\0';
	json_t *value = json_read(text, strlen(text), &rs);
	if (value == NULL) {
		assert_true(rs.is_problem);
		assert_int_equal(rs.status, 400);
		(void)snprintf(pointer, sizeof(pointer), "!");
	} else if (!json_check(value, fields, is_patch, &rs)) {
		assert_int_equal(rs.status, 400);
		const json_t *e = json_array_get(rs.errors, 0);
		(void)snprintf(pointer, sizeof(pointer), "%s",
			json_string_value(json_object_get(e, "pointer")));
		if (pointer[0] == '\0')
			(void)snprintf(pointer, sizeof(pointer), "(root)");
	}
	json_decref(value);
	response_fini(&rs);
	return pointer;
}

static void takes_what_the_table_names(void **)
{
	assert_string_equal(first_error("{\"name\":\"x\"}", false), "");
	assert_string_equal(first_error("{\"name\":\"x\",\"note\":null,\"count\":3,"
					"\"inner\":{\"flag\":true},\"list\":[{\"flag\":false}],"
					"\"subnets\":[\"a\"],\"routes\":\"private\","
					"\"labels\":{\"a\":\"b\"},\"limits\":{\"a\":1}}",
				    false),
		"");
	assert_string_equal(first_error("{\"name\":\"x\",\"routes\":[\"a\"]}", false), "");
}

static void refuses_what_is_not_json(void **)
{
	static const char *const bad[] = {
		"",
		"{",
		"{}x",
		"{} {}",
		"\xef\xbb\xbf{}",
		"{/*c*/}",
		"{\"name\":NaN}",
		"{'name':1}",
		"{\"name\":\"a\",\"name\":\"b\"}",
		"{\"name\":\"\\ud800\"}",
		"{\"name\":\"\xc0\xaf\"}",
		"{\"name\":\"\xff\"}",
		"{\"name\":\"\\u0000\"}",
		"{\"count\":1e400}",
		"{\"count\":99999999999999999999}",
		"{\"name\":\"a\",}",
		"[1,]",
		"nul",
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_string_equal(first_error(bad[i], false), "!");
}

static void points_at_the_wrong_field(void **)
{
	static const struct {
		const char *body;
		const char *pointer;
	} cases[] = {
		{"[]", "(root)"},
		{"null", "(root)"},
		{"{}", "/name"},
		{"{\"name\":1}", "/name"},
		{"{\"name\":null}", "/name"},
		{"{\"name\":\"x\",\"id\":\"y\"}", "/id"},
		{"{\"name\":\"x\",\"count\":1.0}", "/count"},
		{"{\"name\":\"x\",\"count\":\"1\"}", "/count"},
		{"{\"name\":\"x\",\"inner\":{}}", "/inner/flag"},
		{"{\"name\":\"x\",\"inner\":{\"flag\":1}}", "/inner/flag"},
		{"{\"name\":\"x\",\"inner\":{\"flag\":true,\"x\":1}}", "/inner/x"},
		{"{\"name\":\"x\",\"list\":[{\"flag\":true},{}]}", "/list/1/flag"},
		{"{\"name\":\"x\",\"list\":[1]}", "/list/0"},
		{"{\"name\":\"x\",\"subnets\":[\"a\",1]}", "/subnets/1"},
		{"{\"name\":\"x\",\"subnets\":\"a\"}", "/subnets"},
		{"{\"name\":\"x\",\"routes\":[1]}", "/routes/0"},
		{"{\"name\":\"x\",\"routes\":1}", "/routes"},
		{"{\"name\":\"x\",\"labels\":{\"a\":1}}", "/labels/a"},
		{"{\"name\":\"x\",\"limits\":{\"a\":\"1\"}}", "/limits/a"},
		{"{\"name\":\"x\",\"a/b~c\":1}", "/a~1b~0c"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(first_error(cases[i].body, false), cases[i].pointer);
}

static void patches_need_nothing_and_may_take_away(void **)
{
	assert_string_equal(first_error("{}", true), "");
	assert_string_equal(first_error("{\"name\":null,\"inner\":{}}", true), "");
	assert_string_equal(first_error("{\"labels\":{\"a\":null}}", true), "");
	assert_string_equal(first_error("{\"state\":\"x\"}", true), "/state");
	assert_string_equal(first_error("{\"count\":\"x\"}", true), "/count");
}

static void bounds_depth_and_size(void **)
{
	char text[200000];
	size_t n = 0;
	for (int i = 0; i < HTTP_JSON_DEPTH_MAX + 1; i++)
		text[n++] = '[';
	text[n] = '\0';
	assert_string_equal(first_error(text, false), "!");
	memset(text, '[', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_string_equal(first_error(text, false), "!");
	n = 0;
	text[n++] = '[';
	for (int i = 0; i < 20000; i++) {
		text[n++] = '1';
		text[n++] = ',';
	}
	memcpy(text + n, "1]", 3);
	assert_string_equal(first_error(text, false), "!");
	/* Brackets in strings do not count. */
	(void)snprintf(text, sizeof(text), "{\"name\":\"%.*s\\\"[[[\"}", 40,
		"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[");
	assert_string_equal(first_error(text, false), "");
}

static void merges_as_rfc_7396(void **)
{
	static const char *const cases[][3] = {
		{"{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
		{"{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}"},
		{"{\"a\":\"b\"}", "{\"a\":null}", "{}"},
		{"{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"b\":\"c\"}"},
		{"{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
		{"{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}"},
		{"{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}",
			"{\"a\":{\"b\":\"d\"}}"},
		{"{\"a\":[1,2]}", "{\"a\":[3]}", "{\"a\":[3]}"},
		{"{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *target = json_loads(cases[i][0], 0, NULL);
		json_t *patch = json_loads(cases[i][1], 0, NULL);
		json_t *expected = json_loads(cases[i][2], 0, NULL);
		assert_int_equal(json_merge(target, patch), 0);
		assert_true(json_equal(target, expected));
		json_decref(target);
		json_decref(patch);
		json_decref(expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_what_the_table_names),
		cmocka_unit_test(refuses_what_is_not_json),
		cmocka_unit_test(points_at_the_wrong_field),
		cmocka_unit_test(patches_need_nothing_and_may_take_away),
		cmocka_unit_test(bounds_depth_and_size),
		cmocka_unit_test(merges_as_rfc_7396),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
