// SPDX-License-Identifier: Apache-2.0
/* The words behind a verb, and the table that says which ones a command takes. */
#include "control/cli/arguments.h"

#include "control/cli/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct option_rule rules[] = {
	{"name", "NAME", true, false, "what people call it"},
	{"subnet", "PREFIX", false, true, "a network"},
	{"wait", NULL, false, false, "until it is ready"},
	{0},
};

static struct arguments parsed;

#define PARSE(wants, ...)                                                                 \
	arguments_parse(&parsed, (int)(sizeof((char *[]){__VA_ARGS__}) / sizeof(char *)), \
		(char *[]){__VA_ARGS__}, rules, wants)

static void test_options_and_operands_in_any_order(void **state)
{
	size_t at = 0;
	assert_true(PARSE(2, "acme", "--subnet", "10.0.0.0/8", "--name=Acme HQ", "b",
		"--subnet=fd00::/8", "--wait"));
	assert_int_equal(parsed.operands, 2);
	assert_string_equal(parsed.operand[0], "acme");
	assert_string_equal(parsed.operand[1], "b");
	assert_string_equal(argument(&parsed, "name"), "Acme HQ");
	assert_true(argument_is_given(&parsed, "wait"));
	assert_string_equal(argument_next(&parsed, "subnet", &at), "10.0.0.0/8");
	assert_string_equal(argument_next(&parsed, "subnet", &at), "fd00::/8");
	assert_null(argument_next(&parsed, "subnet", &at));
}

static void test_what_is_not_given_is_not_there(void **state)
{
	assert_true(PARSE(0, "--name", ""));
	assert_string_equal(argument(&parsed, "name"), "");
	assert_false(argument_is_given(&parsed, "wait"));
	assert_null(argument(&parsed, "subnet"));
	assert_null(argument(&parsed, "nonsense"));
}

static void test_two_dashes_end_the_options(void **state)
{
	assert_true(PARSE(1, "--name", "--wait", "--", "--wait"));
	assert_string_equal(argument(&parsed, "name"), "--wait");
	assert_string_equal(parsed.operand[0], "--wait");
	assert_false(argument_is_given(&parsed, "wait"));
	assert_true(PARSE(1, "--name", "x", "-"));
	assert_string_equal(parsed.operand[0], "-");
}

static void test_wrong_words_are_refused(void **state)
{
	assert_false(PARSE(0, "--name", "x", "--nam", "y"));
	assert_false(PARSE(0, "--name", "x", "--names", "y"));
	assert_false(PARSE(0, "--name", "x", "--wait=yes"));
	assert_false(PARSE(0, "--name", "x", "--name", "y"));
	assert_false(PARSE(0, "--name", "x", "--wait", "--wait"));
	assert_false(PARSE(0, "--name"));
	assert_false(PARSE(0, "--name", "x", "-w"));
	assert_false(PARSE(0, "--wait"));
	assert_false(PARSE(0, "--name", "x", "extra"));
	assert_false(PARSE(1, "--name", "x"));
}

static void test_more_values_than_there_is_room_are_refused(void **state)
{
	static char *words[2 * ARGUMENTS_VALUES_MAX + 2];
	static char option[] = "--subnet", prefix[] = "10.0.0.0/8", name[] = "--name=x";
	const size_t last = (size_t)2 * ARGUMENTS_VALUES_MAX;
	for (size_t i = 0; i < last; i += 2) {
		words[i] = option;
		words[i + 1] = prefix;
	}
	words[last] = name;
	assert_false(arguments_parse(&parsed, (int)last + 1, words, rules, 0));
	words[last - 2] = name;
	assert_true(arguments_parse(&parsed, (int)last - 1, words, rules, 0));
}

static void check_options(const struct command *c)
{
	static const char *const everywhere[] = {
		"output", "socket", "url", "token-file", "help", "version"};
	for (const struct option_rule *r = c->options; r != NULL && r->name != NULL; r++) {
		assert_non_null(r->help);
		assert_false(r->is_required && r->is_repeated);
		for (const struct option_rule *o = c->options; o < r; o++)
			assert_string_not_equal(o->name, r->name);
		/* main takes these out of every command line */
		for (size_t i = 0; i < sizeof(everywhere) / sizeof(everywhere[0]); i++)
			assert_string_not_equal(everywhere[i], r->name);
	}
}

static void test_the_table_of_commands_holds_together(void **state)
{
	for (const struct command *c = commands; c->noun != NULL; c++) {
		assert_non_null(c->run);
		assert_non_null(c->help);
		assert_true(command_operands(c) <= ARGUMENTS_OPERANDS_MAX);
		for (const struct command *o = commands; o < c; o++)
			assert_false(strcmp(o->noun, c->noun) == 0
				&& (o->verb == NULL || c->verb == NULL
					|| strcmp(o->verb, c->verb) == 0));
		check_options(c);
	}
}

static void test_operands_are_counted_by_words(void **state)
{
	assert_int_equal(command_operands(&(struct command){.operands = ""}), 0);
	assert_int_equal(command_operands(&(struct command){.operands = "USER"}), 1);
	assert_int_equal(command_operands(&(struct command){.operands = "INSTANCE PEER"}), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options_and_operands_in_any_order),
		cmocka_unit_test(test_what_is_not_given_is_not_there),
		cmocka_unit_test(test_two_dashes_end_the_options),
		cmocka_unit_test(test_wrong_words_are_refused),
		cmocka_unit_test(test_more_values_than_there_is_room_are_refused),
		cmocka_unit_test(test_the_table_of_commands_holds_together),
		cmocka_unit_test(test_operands_are_counted_by_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
