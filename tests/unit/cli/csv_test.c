// SPDX-License-Identifier: Apache-2.0
/* Files as spreadsheets and people write them: what is read, and at which line what cannot be. */
#include "control/cli/csv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static bool parse(const char *text, size_t len, struct csv *ret)
{
	char *copy = malloc(len + 1);
	assert_non_null(copy);
	memcpy(copy, text, len);
	copy[len] = '\0';
	return csv_parse(copy, len, "f.csv", ret);
}

static void assert_rows(const char *text, const char *expected)
{
	struct csv csv;
	char told[512] = "";
	if (!parse(text, strlen(text), &csv))
		fail_msg("refused: %s", text);
	for (size_t i = 0; i < csv.count; i++) {
		size_t at = strlen(told);
		(void)snprintf(told + at, sizeof(told) - at, "%u", csv.rows[i].line);
		for (size_t n = 0; n < csv.rows[i].count; n++) {
			at = strlen(told);
			(void)snprintf(told + at, sizeof(told) - at, "|%s", csv.rows[i].cell[n]);
		}
		(void)strncat(told, ";", sizeof(told) - strlen(told) - 1);
	}
	assert_string_equal(told, expected);
	csv_free(&csv);
}

static void files_are_read(void **)
{
	assert_rows("", "");
	assert_rows("\n\n", "");
	assert_rows("a", "1|a;");
	assert_rows("a,b\nc,d\n", "1|a|b;2|c|d;");
	assert_rows("a,b\r\nc,d\r\n", "1|a|b;2|c|d;");
	assert_rows("\xef\xbb\xbf"
		    "a,b\n",
		"1|a|b;");
	assert_rows("a,,\n,\n\nx", "1|a||;2||;4|x;");
	assert_rows("\"a,b\",\"c \"\"d\"\"\",\"\"\n", "1|a,b|c \"d\"|;");
	assert_rows("\"a\nb\",c\nd", "1|a\nb|c;3|d;");
	assert_rows("\"\xc3\xa9\",\xe2\x82\xac", "1|\xc3\xa9|\xe2\x82\xac;");
	assert_rows(" a , b", "1| a | b;");
}

/* What is said on standard error. */
static void assert_refused(const char *text, size_t len, const char *expected)
{
	struct csv csv;
	char told[256] = "";
	FILE *out = tmpfile();
	assert_non_null(out);
	int kept = dup(STDERR_FILENO);
	assert_int_equal(dup2(fileno(out), STDERR_FILENO), STDERR_FILENO);
	bool good = parse(text, len, &csv);
	assert_int_equal(dup2(kept, STDERR_FILENO), STDERR_FILENO);
	(void)close(kept);
	rewind(out);
	assert_true(fread(told, 1, sizeof(told) - 1, out) > 0 || good);
	(void)fclose(out);
	assert_false(good);
	assert_null(csv.text);
	assert_non_null(strstr(told, expected));
}

static void faults_have_a_line(void **)
{
	static const struct {
		const char *text, *told;
	} rows[] = {
		{"a\nb\"c\n", "f.csv:2: a cell with quotes must begin"},
		{"a\n\"b\"c\n", "f.csv:2: there is something behind"},
		{"a\n\nb,\"c\nd\n", "f.csv:3: the quote has no end"},
		{"a\rb\n", "f.csv:1: a carriage return"},
		{"a\n\xff\n", "f.csv:2: is not UTF-8"},
		{"a\n\xed\xa0\x80\n", "f.csv:2: is not UTF-8"},
		{",,,,,,,,,,,,,,,,", "f.csv:1: too many cells"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_refused(rows[i].text, strlen(rows[i].text), rows[i].told);
	assert_refused("a\0b", 3, "f.csv: has a NUL");
}

static void a_cell_comes_back(void **)
{
	static const char *const cells[] = {
		"", "plain", "a,b", "say \"x\"", "two\nlines", " space", "\r", "=1+1"};
	char *text = NULL;
	size_t len = 0;
	struct csv csv;
	FILE *out = open_memstream(&text, &len);
	assert_non_null(out);
	for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++) {
		(void)fputs(i > 0 ? "," : "", out);
		csv_print_cell(out, cells[i]);
	}
	(void)fclose(out);
	assert_true(csv_parse(text, len, "f.csv", &csv));
	assert_int_equal(csv.count, 1);
	for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++)
		assert_string_equal(csv.rows[0].cell[i], cells[i]);
	assert_int_equal(csv_column(&csv.rows[0], "plain"), 1);
	assert_int_equal(csv_column(&csv.rows[0], "plai"), CSV_CELLS_MAX);
	csv_free(&csv);
}

static void there_may_be_many(void **)
{
	size_t len = (size_t)CSV_ROWS_MAX * 2;
	struct csv csv;
	char *text = malloc(len + 3);
	assert_non_null(text);
	for (size_t i = 0; i < len + 2; i++)
		text[i] = i % 2 == 0 ? 'a' : '\n';
	assert_true(parse(text, len, &csv));
	assert_int_equal(csv.count, CSV_ROWS_MAX);
	assert_int_equal(csv.rows[CSV_ROWS_MAX - 1].line, CSV_ROWS_MAX);
	csv_free(&csv);
	assert_refused(text, len + 2, "f.csv:20001: too many lines");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_read),
		cmocka_unit_test(faults_have_a_line),
		cmocka_unit_test(a_cell_comes_back),
		cmocka_unit_test(there_may_be_many),
	};
	return cmocka_run_group_tests_name("cli/csv", tests, NULL, NULL);
}
