// SPDX-License-Identifier: Apache-2.0
#include "control/model/name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static bool name_is_accepted(const char *name)
{
	struct model_errors errors = {0};
	name_check(name, "/name", &errors);
	if (errors.count > 0)
		assert_string_equal(errors.list[0].pointer, "/name");
	return errors.count == 0;
}

/* The character, n times. */
static const char *repeat(const char *character, size_t n)
{
	static char name[2 * NAME_TEXT];
	size_t len = strlen(character);
	assert_true(n * len < sizeof(name));
	for (size_t i = 0; i < n; i++)
		memcpy(name + i * len, character, len);
	name[n * len] = '\0';
	return name;
}

static void names_of_people_are_accepted(void **)
{
	assert_true(name_is_accepted("x"));
	assert_true(name_is_accepted("Acme HQ, M\303\274nchen #1 (\"old\")"));
	assert_true(name_is_accepted("\346\235\261\344\272\254"));
}

static void names_that_mislead_are_refused(void **)
{
	static const char *const table[] = {"", " a", "a ", " ", "a\nb", "a\rb", "a\tb", "\x7f",
		"a\x1b[31m", "nel\302\205", "ls\342\200\250", "ps\342\200\251", "rlo\342\200\256",
		"lri\342\201\246", "lrm\342\200\216", "rlm\342\200\217", "alm\330\234",
		"bom\357\273\277"};
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		assert_false(name_is_accepted(table[i]));
}

static void length_counts_characters(void **)
{
	static const char *const characters[] = {
		"x", "\303\274", "\346\235\261", "\360\237\232\200"};
	for (size_t i = 0; i < sizeof(characters) / sizeof(characters[0]); i++) {
		assert_true(name_is_accepted(repeat(characters[i], NAME_MAX_CHARACTERS)));
		assert_false(name_is_accepted(repeat(characters[i], NAME_MAX_CHARACTERS + 1)));
	}
}

static const char *refusal(json_t *labels)
{
	static struct model_errors errors;
	memset(&errors, 0, sizeof(errors));
	labels_check(labels, &errors);
	json_decref(labels);
	return errors.count > 0 ? errors.list[0].pointer : NULL;
}

static void labels_are_checked_one_by_one(void **)
{
	char long_key[LABEL_KEY_MAX_BYTES + 2];
	char long_value[LABEL_VALUE_MAX_CHARACTERS + 2];
	memset(long_key, 'k', sizeof(long_key));
	memset(long_value, 'v', sizeof(long_value));
	long_key[LABEL_KEY_MAX_BYTES + 1] = '\0';
	long_value[LABEL_VALUE_MAX_CHARACTERS + 1] = '\0';
	assert_null(refusal(json_object()));
	assert_null(refusal(json_pack("{s:s, s:s}", "team/eu", "ops", "a.b_c-D", "")));
	assert_string_equal(refusal(json_pack("{s:s}", "", "x")), "/labels");
	assert_string_equal(refusal(json_pack("{s:s}", "a b", "x")), "/labels");
	assert_string_equal(refusal(json_pack("{s:s}", "a\n", "x")), "/labels");
	assert_string_equal(refusal(json_pack("{s:s}", long_key, "x")), "/labels");
	assert_string_equal(refusal(json_pack("{s:s}", "a", "x\ny")), "/labels/a");
	assert_string_equal(refusal(json_pack("{s:s}", "a", long_value)), "/labels/a");
	/* RFC 6901: a / inside a name is ~1. */
	assert_string_equal(refusal(json_pack("{s:s}", "a/b", "x\ny")), "/labels/a~1b");
	assert_string_equal(refusal(json_pack("{s:i}", "a", 1)), "/labels/a");
	assert_null(refusal(json_pack("{s:s}", long_key + 1, long_value + 1)));
}

static void labels_are_not_without_end(void **)
{
	json_t *labels = json_object();
	for (int i = 0; i < LABELS_MAX + 1; i++) {
		char key[16];
		(void)snprintf(key, sizeof(key), "k%d", i);
		json_object_set_new(labels, key, json_string(""));
	}
	assert_string_equal(refusal(labels), "/labels");
}

static void errors_past_the_last_still_count(void **)
{
	struct model_errors errors = {0};
	for (int i = 0; i < MODEL_ERRORS_MAX; i++)
		model_conflict_add(&errors, "/a", "taken");
	assert_true(errors.has_conflict);
	assert_false(errors.has_invalid);
	model_error_add(&errors, "/b", "%s", "bad");
	assert_true(errors.has_invalid);
	assert_int_equal(errors.count, MODEL_ERRORS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_people_are_accepted),
		cmocka_unit_test(names_that_mislead_are_refused),
		cmocka_unit_test(length_counts_characters),
		cmocka_unit_test(labels_are_checked_one_by_one),
		cmocka_unit_test(labels_are_not_without_end),
		cmocka_unit_test(errors_past_the_last_still_count),
	};
	return cmocka_run_group_tests_name("model/name", tests, NULL, NULL);
}
