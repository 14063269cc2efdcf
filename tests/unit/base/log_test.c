// SPDX-License-Identifier: Apache-2.0
/* One message is one line, whatever is quoted in it. */
#include "dataplane/base/log.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int stderr_was, from_log;

static int catch_stderr(void **state)
{
	int ends[2];
	if (pipe(ends) != 0)
		return -1;
	stderr_was = dup(STDERR_FILENO);
	from_log = ends[0];
	return dup2(ends[1], STDERR_FILENO) < 0 || close(ends[1]) != 0 ? -1 : 0;
}

static int give_stderr_back(void **state)
{
	(void)close(from_log);
	return dup2(stderr_was, STDERR_FILENO) < 0 || close(stderr_was) != 0 ? -1 : 0;
}

/* What was written since; a mark ends it, so that nothing written is nothing read. */
static const char *written(char *buf, size_t size)
{
	assert_int_equal(write(STDERR_FILENO, "\x1e", 1), 1);
	ssize_t n = read(from_log, buf, size - 1);
	assert_true(n > 0 && buf[n - 1] == '\x1e');
	buf[n > 0 ? n - 1 : 0] = '\0';
	return buf;
}

static void lines(void **state)
{
	char buf[2048];
	log_init("test", LOG_LEVEL_INFO);
	log_error("%s is %d", "it", 7);
	assert_string_equal(written(buf, sizeof(buf)), "<3>test: error: it is 7\n");
	log_warning("x");
	assert_string_equal(written(buf, sizeof(buf)), "<4>test: warning: x\n");
	log_info("x");
	assert_string_equal(written(buf, sizeof(buf)), "<6>test: info: x\n");
	log_debug("x");
	assert_string_equal(written(buf, sizeof(buf)), "");
	log_init("test", LOG_LEVEL_DEBUG);
	log_debug("x");
	assert_string_equal(written(buf, sizeof(buf)), "<7>test: debug: x\n");
	log_init("test", LOG_LEVEL_ERROR);
	log_warning("x");
	assert_string_equal(written(buf, sizeof(buf)), "");
}

/* What comes from outside forges no line and sends nothing to a terminal. */
static void quoted_text(void **state)
{
	char buf[2048];
	log_init("test", LOG_LEVEL_INFO);
	log_info("user %s", "a\n<0>kernel: panic\r\x1b[2J\x7f\t.");
	assert_string_equal(
		written(buf, sizeof(buf)), "<6>test: info: user a <0>kernel: panic  [2J  .\n");
}

static void long_messages_are_cut(void **state)
{
	char text[3000], buf[4096];
	log_init("test", LOG_LEVEL_INFO);
	for (size_t len = 990; len < 1040; len++) {
		memset(text, 'x', len);
		text[len] = '\0';
		log_info("%s", text);
		const char *line = written(buf, sizeof(buf));
		size_t wanted = len + strlen("<6>test: info: \n");
		assert_int_equal(strlen(line), wanted < 1023 ? wanted : 1023);
		assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
	}
}

static void levels(void **state)
{
	static const char *const bad[] = {"", "Error", "errors", "info ", "warn", "3"};
	enum log_level level = LOG_LEVEL__COUNT;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(log_level_parse(bad[i], &level), -EINVAL);
	assert_int_equal(level, LOG_LEVEL__COUNT); /* untouched */
	assert_int_equal(log_level_parse("error", &level), 0);
	assert_int_equal(level, LOG_LEVEL_ERROR);
	assert_int_equal(log_level_parse("debug", &level), 0);
	assert_int_equal(level, LOG_LEVEL_DEBUG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(lines, catch_stderr, give_stderr_back),
		cmocka_unit_test_setup_teardown(quoted_text, catch_stderr, give_stderr_back),
		cmocka_unit_test_setup_teardown(
			long_messages_are_cut, catch_stderr, give_stderr_back),
		cmocka_unit_test(levels),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
