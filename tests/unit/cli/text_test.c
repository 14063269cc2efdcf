// SPDX-License-Identifier: Apache-2.0
/* Tables and escaping: what a terminal gets to see of text that somebody else typed. */
#include "control/cli/text.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct sheet {
	FILE *out;
	char *text;
	size_t len;
};

static void open_sheet(struct sheet *s)
{
	s->out = open_memstream(&s->text, &s->len);
	assert_non_null(s->out);
}

static void check_sheet(struct sheet *s, const char *wanted)
{
	assert_int_equal(fclose(s->out), 0);
	assert_string_equal(s->text, wanted);
	free(s->text);
}

static void check_printed(const char *text, const char *wanted)
{
	struct sheet s;
	open_sheet(&s);
	text_print(s.out, text);
	check_sheet(&s, wanted);
}

static void test_control_characters_are_shown_as_question_marks(void **state)
{
	check_printed("plain", "plain");
	check_printed("Br\u00fcnn \u65e5\u672c", "Br\u00fcnn \u65e5\u672c");
	check_printed("a\033[2Jb\r\n\tc\177", "a?[2Jb???c?");
	check_printed("c1 \xc2\x9b"
		      "31m",
		"c1 ?31m");
	check_printed("turned \u202e around \u2066", "turned ? around ?");
	check_printed("nothing\u200b\ufeff there", "nothing?? there");
	check_printed("bad \xff\xc3( \xe2\x82",
		"bad ??"
		"( ??");
	check_printed("really?", "really?");
}

static void test_lines_keep_their_ends(void **state)
{
	struct sheet s;
	open_sheet(&s);
	text_print_lines(s.out, "one\n\ntwo\033\n\xe2\x96\x88\xe2\x96\x84\nlast");
	check_sheet(&s, "one\n\ntwo?\n\xe2\x96\x88\xe2\x96\x84\nlast");
}

static void test_long_lines_are_not_cut_within_a_character(void **state)
{
	enum {
		CHARACTERS = 9001
	};
	static char text[CHARACTERS * 3 + 1];
	struct sheet s;
	for (size_t i = 0; i < CHARACTERS; i++)
		memcpy(text + 3 * i, "\xe2\x96\x88", 4);
	open_sheet(&s);
	text_print_lines(s.out, text);
	check_sheet(&s, text);
}

static void test_width_counts_columns(void **state)
{
	assert_int_equal(text_width(""), 0);
	assert_int_equal(text_width("acme"), 4);
	assert_int_equal(text_width("Br\u00fcnn"), 5);
	assert_int_equal(text_width("\u65e5\u672c"), 4);
	assert_int_equal(text_width("e\u0301"), 1);
	assert_int_equal(text_width("\033\xff"), 2);
}

static json_t *read_json(const char *text)
{
	json_t *json = json_loads(text, 0, NULL);
	assert_non_null(json);
	return json;
}

static void check_formatted(const char *json, const char *wanted)
{
	char text[32];
	json_t *list = read_json(json);
	text_format(json_array_get(list, 0), text, sizeof(text));
	assert_string_equal(text, wanted);
	json_decref(list);
}

static void test_values_read_like_words(void **state)
{
	check_formatted("[\"x\"]", "x");
	check_formatted("[-7]", "-7");
	check_formatted("[0.5]", "0.5");
	check_formatted("[true]", "yes");
	check_formatted("[false]", "no");
	check_formatted("[null]", "-");
	check_formatted("[]", "-");
	check_formatted("[[]]", "-");
	check_formatted("[{}]", "-");
	check_formatted("[[\"a\",\"b\",1]]", "a, b, 1");
	check_formatted("[{\"a\":1,\"b\":[2,3]}]", "a=1, b=2, 3");
	check_formatted("[\"0123456789012345678901234567890123456789\"]",
		"0123456789012345678901234567890");
	check_formatted("[[\"01234567890123456789\",\"01234567890123456789\",\"x\"]]",
		"01234567890123456789, 012345678");
}

static void test_a_member_is_found_by_its_path(void **state)
{
	json_t *o = read_json("{\"a\":{\"b\":{\"c\":3}},\"x\":1}");
	assert_int_equal(json_integer_value(text_member(o, "a.b.c")), 3);
	assert_int_equal(json_integer_value(text_member(o, "x")), 1);
	assert_null(text_member(o, "a.c"));
	assert_null(text_member(o, "x.y"));
	assert_null(text_member(NULL, "x"));
	json_decref(o);
}

static void test_a_table_is_aligned_by_what_is_seen(void **state)
{
	static const struct column columns[] = {
		{"NAME", "name"}, {"ADDRESS", "addresses.ipv4"}, {"ON", "on"}, {0}};
	struct sheet s;
	json_t *items = read_json("[{\"name\":\"Br\u00fcnn \u65e5\",\"addresses\":{\"ipv4\":"
				  "\"10.0.0.2\"},\"on\":true},{\"name\":\"a\\u001bb\"}]");
	open_sheet(&s);
	text_table(s.out, items, columns);
	check_sheet(&s,
		"NAME      ADDRESS   ON\n"
		"Br\u00fcnn \u65e5  10.0.0.2  yes\n"
		"a?b       -         -\n");
	json_decref(items);
}

static void test_an_object_has_a_line_a_member(void **state)
{
	struct sheet s;
	json_t *o = read_json("{\"id\":\"1\",\"networks\":{\"ipv4\":\"10.0.0.0/20\"},\"labels\":{},"
			      "\"conditions\":[{\"type\":\"A\"},{\"type\":\"B\"}]}");
	open_sheet(&s);
	text_object(s.out, o);
	check_sheet(&s,
		"id                              1\n"
		"networks.ipv4                   10.0.0.0/20\n"
		"labels                          -\n"
		"conditions                      type=A\n"
		"conditions                      type=B\n");
	json_decref(o);
}

static void test_json_is_ascii(void **state)
{
	struct sheet s;
	json_t *o = read_json("{\"n\":\"\u00fc\\u001b\u202e\"}");
	open_sheet(&s);
	text_json(s.out, o);
	check_sheet(&s, "{\n  \"n\": \"\\u00FC\\u001B\\u202E\"\n}\n");
	json_decref(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_control_characters_are_shown_as_question_marks),
		cmocka_unit_test(test_lines_keep_their_ends),
		cmocka_unit_test(test_long_lines_are_not_cut_within_a_character),
		cmocka_unit_test(test_width_counts_columns),
		cmocka_unit_test(test_values_read_like_words),
		cmocka_unit_test(test_a_member_is_found_by_its_path),
		cmocka_unit_test(test_a_table_is_aligned_by_what_is_seen),
		cmocka_unit_test(test_an_object_has_a_line_a_member),
		cmocka_unit_test(test_json_is_ascii),
	};
	(void)setlocale(LC_CTYPE, "C.UTF-8"); // NOLINT(concurrency-mt-unsafe): no thread yet
	return cmocka_run_group_tests(tests, NULL, NULL);
}
