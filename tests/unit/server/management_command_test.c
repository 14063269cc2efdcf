// SPDX-License-Identifier: Apache-2.0
#include "dataplane/server/management_command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* The whole text at once; it must be one line and nothing more. */
static struct management_command read_command(const char *text)
{
	struct management_line l = {0};
	struct management_command c;
	size_t used;
	assert_true(management_line_feed(&l, text, strlen(text), &used));
	assert_int_equal(used, strlen(text));
	management_command_read(&l, &c);
	assert_int_equal(l.len, 0);
	return c;
}

static void test_commands(void **state)
{
	static const struct {
		const char *text;
		enum management_verb verb;
		uint64_t number;
		const char *argument;
	} good[] = {
		{"\n", MANAGEMENT_NOTHING, 0, ""},
		{" \t \r\n", MANAGEMENT_NOTHING, 0, ""},
		{"help\n", MANAGEMENT_HELP, 0, ""},
		{"version\r\n", MANAGEMENT_VERSION, 0, ""},
		{"  version  3\n", MANAGEMENT_VERSION, 0, ""},
		{"state\n", MANAGEMENT_STATE, 0, ""},
		{"state all\n", MANAGEMENT_STATE, 0, ""},
		{"state 5\n", MANAGEMENT_STATE, 5, ""},
		{"state on\n", MANAGEMENT_STATE_SWITCH, 0, ""},
		{"state off\n", MANAGEMENT_STATE_SWITCH, 0, ""},
		{"load-stats\n", MANAGEMENT_LOAD_STATS, 0, ""},
		{"status\n", MANAGEMENT_STATUS, 1, ""},
		{"status 3\n", MANAGEMENT_STATUS, 3, ""},
		{"kill alice\n", MANAGEMENT_KILL_NAME, 0, "alice"},
		{"kill \"alice in\" x y z\n", MANAGEMENT_KILL_NAME, 0, "alice in"},
		{"kill 'a\\b'\n", MANAGEMENT_KILL_NAME, 0, "a\\b"},
		{"kill a\\ \\\"b\n", MANAGEMENT_KILL_NAME, 0, "a \"b"},
		{"kill a:b\n", MANAGEMENT_KILL_NAME, 0, "a:b"},
		{"kill 192.0.2.1:99999\n", MANAGEMENT_KILL_NAME, 0, "192.0.2.1:99999"},
		{"kill 192.0.2.1:1194\n", MANAGEMENT_KILL_ADDRESS, 0, "192.0.2.1:1194"},
		{"kill [2001:db8::1]:7\n", MANAGEMENT_KILL_ADDRESS, 0, "[2001:db8::1]:7"},
		{"client-kill 42\n", MANAGEMENT_CLIENT_KILL, 42, ""},
		{"client-kill 42 RESTART\n", MANAGEMENT_CLIENT_KILL, 42, ""},
		{"log on\n", MANAGEMENT_LOG_SWITCH, 0, ""},
		{"log 20\n", MANAGEMENT_LOG, 20, ""},
		{"log all\n", MANAGEMENT_LOG, 0, ""},
		{"verb\n", MANAGEMENT_VERB, 0, ""},
		{"verb 15\n", MANAGEMENT_VERB_SET, 15, ""},
		{"quit\n", MANAGEMENT_QUIT, 0, ""},
		{"exit\n", MANAGEMENT_QUIT, 0, ""},
		{"\x01\x80ve\xffrsion\n", MANAGEMENT_VERSION, 0, ""},
	};
	for (size_t n = 0; n < sizeof(good) / sizeof(good[0]); n++) {
		struct management_command c = read_command(good[n].text);
		assert_string_equal(c.error, "");
		assert_int_equal(c.verb, good[n].verb);
		assert_int_equal(c.number, good[n].number);
		assert_string_equal(c.text, good[n].argument);
	}
	assert_true(read_command("client-kill 42 HALT\n").halt);
	assert_true(read_command("log on all\n").is_all);
	assert_true(read_command("log on 5\n").is_on);
	assert_false(read_command("state off\n").is_on);
	assert_int_equal(read_command("kill 192.0.2.1:1194\n").address.port, 1194);
}

static void test_refusals(void **state)
{
	static const struct {
		const char *text, *error;
	} bad[] = {
		{"GET / HTTP/1.1\r\n", "unknown command [GET], enter 'help' for more options"},
		{"Status\n", "unknown command [Status], enter 'help' for more options"},
		{"\"\"\n", "unknown command [], enter 'help' for more options"},
		{"signal SIGTERM\n", "unknown command [signal], enter 'help' for more options"},
		{"kill\n", "the 'kill' command requires 1 parameter"},
		{"kill \"\"\n", "kill parse"},
		{"client-kill\n", "the 'client-kill' command requires at least 1 parameter"},
		{"client-kill x\n", "cannot parse CID"},
		{"client-kill -1\n", "cannot parse CID"},
		{"client-kill 9999999999999999999\n", "cannot parse CID"},
		{"client-kill 1 EXIT\n", "client-kill message must be HALT or RESTART"},
		{"status 0\n", "bad status format version number"},
		{"status 4\n", "bad status format version number"},
		{"status 2x\n", "bad status format version number"},
		{"verb 16\n", "verb level is out of range"},
		{"verb x\n", "verb level is out of range"},
		{"log\n", "the 'log' command requires at least 1 parameter"},
		{"log x\n", "log parameter must be 'on' or 'off' or some number n or 'all'"},
		{"state x\n", "state parameter must be 'on' or 'off' or some number n or 'all'"},
		{"kill \"alice\n", "a quotation mark is not closed"},
		{"kill '\n", "a quotation mark is not closed"},
	};
	for (size_t n = 0; n < sizeof(bad) / sizeof(bad[0]); n++) {
		struct management_command c = read_command(bad[n].text);
		assert_int_equal(c.verb, MANAGEMENT_REFUSED);
		assert_string_equal(c.error, bad[n].error);
	}
}

static void test_pieces_of_any_size(void **state)
{
	static const char text[] = "kill \"alice in\"\nstatus 2\n";
	for (size_t piece = 1; piece < sizeof(text); piece++) {
		struct management_line l = {0};
		struct management_command c = {0};
		size_t at = 0, used = 0;
		unsigned int lines = 0;
		while (at < sizeof(text) - 1) {
			size_t left = sizeof(text) - 1 - at;
			bool complete = management_line_feed(
				&l, text + at, left < piece ? left : piece, &used);
			at += used;
			if (!complete)
				continue;
			management_command_read(&l, &c);
			assert_int_equal(
				c.verb, lines == 0 ? MANAGEMENT_KILL_NAME : MANAGEMENT_STATUS);
			lines++;
		}
		assert_int_equal(lines, 2);
	}
}

/* The longest line, one that is longer, and the one behind it. */
static void test_long_lines(void **state)
{
	char text[2 * MANAGEMENT_LINE_MAX];
	for (size_t len = MANAGEMENT_LINE_MAX - 1; len < sizeof(text); len++) {
		memset(text, 'x', sizeof(text));
		text[len] = '\n';
		struct management_line l = {0};
		struct management_command c;
		size_t used;
		assert_true(management_line_feed(&l, text, len + 1, &used));
		assert_int_equal(used, len + 1);
		management_command_read(&l, &c);
		assert_int_equal(c.verb, MANAGEMENT_REFUSED);
		assert_int_equal(strncmp(c.error, "the line is longer than 255 bytes", 64) == 0,
			len >= MANAGEMENT_LINE_MAX);
		assert_true(management_line_feed(&l, "help\n", 5, &used));
		management_command_read(&l, &c);
		assert_int_equal(c.verb, MANAGEMENT_HELP);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_pieces_of_any_size),
		cmocka_unit_test(test_long_lines),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
