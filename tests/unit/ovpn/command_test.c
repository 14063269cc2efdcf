// SPDX-License-Identifier: Apache-2.0
/* Control commands, read and written (checklist 29, 35, 40, 41, 42). */
#include "dataplane/ovpn/command.h"

#include "dataplane/ovpn/peer_info.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct wanted {
	enum command_kind kind;
	const char *text;
};

/* record: a string literal, whose own NUL is the last byte */
static void must_read(const char *record, size_t len, const struct wanted *wanted, size_t count)
{
	struct command_reader r = {(const uint8_t *)record, len};
	struct command c;
	for (size_t i = 0; i < count; i++) {
		assert_true(command_next(&r, &c));
		assert_int_equal(c.kind, wanted[i].kind);
		assert_int_equal(c.text_len, strlen(wanted[i].text));
		if (c.text_len > 0)
			assert_memory_equal(c.text, wanted[i].text, c.text_len);
	}
	assert_false(command_next(&r, &c));
}

static void must_read_one(const char *record, size_t len, enum command_kind kind, const char *text)
{
	must_read(record, len, &(struct wanted){kind, text}, 1);
}

static void push_request(void **state)
{
	must_read_one("PUSH_REQUEST", 13, COMMAND_PUSH_REQUEST, "PUSH_REQUEST");
	must_read_one("PUSH_REQUEST\r\n", 15, COMMAND_PUSH_REQUEST, "PUSH_REQUEST");
	must_read_one("PUSH_REQUESTS", 14, COMMAND_UNKNOWN, "PUSH_REQUESTS");
	must_read_one("PUSH_REQUES", 12, COMMAND_UNKNOWN, "PUSH_REQUES");
}

static void exit_and_cr_response(void **state)
{
	must_read_one("EXIT", 5, COMMAND_EXIT, "EXIT");
	must_read_one("EXIT\n", 6, COMMAND_EXIT, "EXIT");
	must_read_one("EXITS", 6, COMMAND_UNKNOWN, "EXITS");
	must_read_one("exit", 5, COMMAND_UNKNOWN, "exit");
	must_read_one("CR_RESPONSE,YWJj", 17, COMMAND_CR_RESPONSE, "YWJj");
	must_read_one("CR_RESPONSE,", 13, COMMAND_CR_RESPONSE, "");
	must_read_one("CR_RESPONSE", 12, COMMAND_UNKNOWN, "CR_RESPONSE");
}

static void several_a_record(void **state)
{
	static const char record[] = "PUSH_REQUEST\0\0\r\n\0EXIT\0INFO,x";
	must_read(record, sizeof(record),
		(const struct wanted[]){{COMMAND_PUSH_REQUEST, "PUSH_REQUEST"},
			{COMMAND_EXIT, "EXIT"}, {COMMAND_UNKNOWN, "INFO,x"}},
		3);
	must_read("", 0, NULL, 0);
	must_read("\0\0", 3, NULL, 0);
}

static void malformed(void **state)
{
	must_read_one("EXIT", 4, COMMAND_MALFORMED, ""); /* no NUL */
	must_read_one("EXIT\x01", 6, COMMAND_MALFORMED, "");
	must_read_one("EX\nIT", 6, COMMAND_MALFORMED, "");
	must_read_one("EXIT\xc3\xa9", 7, COMMAND_MALFORMED, "");
	static const char record[] = "\x1b[2J\0EXIT"; /* one does not spoil the next */
	must_read(record, sizeof(record),
		(const struct wanted[]){{COMMAND_MALFORMED, ""}, {COMMAND_EXIT, "EXIT"}}, 2);
}

static uint8_t buf[COMMAND_MAX];

static void must_be(ssize_t len, const char *text)
{
	assert_int_equal(len, strlen(text) + 1);
	assert_string_equal((const char *)buf, text);
}

static void auth_failed(void **state)
{
	must_be(command_write_auth_failed(buf, sizeof(buf), NULL), "AUTH_FAILED");
	must_be(command_write_auth_failed(buf, sizeof(buf), ""), "AUTH_FAILED");
	must_be(command_write_auth_failed(buf, sizeof(buf), "wrong, sorry"),
		"AUTH_FAILED,wrong, sorry");
	assert_int_equal(command_write_auth_failed(buf, sizeof(buf), "a\nb"), -EINVAL);
	assert_int_equal(command_write_auth_failed(buf, 14, "x"), 14);
	assert_int_equal(command_write_auth_failed(buf, 13, "x"), -ENOSPC);
	assert_int_equal(command_write_auth_failed(buf, 0, NULL), -ENOSPC);
}

static void auth_failed_temp(void **state)
{
	const uint32_t knows = IV_PROTO_AUTH_FAIL_TEMP;
	must_be(command_write_auth_failed_temp(buf, sizeof(buf), knows, 0, NULL),
		"AUTH_FAILED,TEMP");
	must_be(command_write_auth_failed_temp(buf, sizeof(buf), knows, 42, "busy"),
		"AUTH_FAILED,TEMP[backoff 42]:busy");
	must_be(command_write_auth_failed_temp(buf, sizeof(buf), knows, 0, "busy"),
		"AUTH_FAILED,TEMP:busy");
	/* others would end on AUTH_FAILED */
	must_be(command_write_auth_failed_temp(buf, sizeof(buf), ~knows, 42, "busy"),
		"RESTART,busy");
}

static void others(void **state)
{
	must_be(command_write_restart(buf, sizeof(buf), false, NULL), "RESTART");
	must_be(command_write_restart(buf, sizeof(buf), false, "new"), "RESTART,new");
	must_be(command_write_restart(buf, sizeof(buf), true, NULL), "RESTART,[N]");
	must_be(command_write_restart(buf, sizeof(buf), true, "new"), "RESTART,[N]new");
	assert_int_equal(command_write_restart(buf, sizeof(buf), false, "[N]"), -EINVAL);
	must_be(command_write_halt(buf, sizeof(buf), NULL), "HALT");
	must_be(command_write_halt(buf, sizeof(buf), "gone"), "HALT,gone");
	must_be(command_write_info(buf, sizeof(buf), "hello"), "INFO,hello");
	assert_int_equal(command_write_info(buf, sizeof(buf), "\x7f"), -EINVAL);
}

static void long_reason(void **state)
{
	static char reason[2 * COMMAND_MAX];
	static uint8_t large[2 * COMMAND_MAX];
	memset(reason, 'r', sizeof(reason) - 1);
	assert_int_equal(command_write_halt(large, sizeof(large), reason), -ENOSPC);
	reason[COMMAND_MAX - 6] = '\0'; /* HALT, and the NUL are 6 */
	assert_int_equal(command_write_halt(large, sizeof(large), reason), COMMAND_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(push_request),
		cmocka_unit_test(exit_and_cr_response),
		cmocka_unit_test(several_a_record),
		cmocka_unit_test(malformed),
		cmocka_unit_test(auth_failed),
		cmocka_unit_test(auth_failed_temp),
		cmocka_unit_test(others),
		cmocka_unit_test(long_reason),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
