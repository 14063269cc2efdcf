// SPDX-License-Identifier: Apache-2.0
/*
 * A capture's life in the node: told once by the control daemon, begun when the dataplane can, sent
 * as a file or as a reason. Each that was told gets one of the two.
 */
#include "control/node/captures.h"

#include "dataplane/base/base64.h"
#include "dataplane/base/clock.h"
#include "tests/unit/node/fake_dataplane.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum {
	SECONDS = 7,
};

static struct fake_dataplane dp;
static struct desired desired;
static struct captures captures;

static int start(void **state)
{
	memset(&dp, 0, sizeof(dp));
	fake_dataplane_start(&dp);
	return 0;
}

static int stop(void **state)
{
	fake_dataplane_stop(&dp);
	desired_fini(&desired);
	captures_fini(&captures);
	return 0;
}

static void add_capture(FILE *f, unsigned int number)
{
	(void)fprintf(f,
		"{\"id\":\"44444444-1111-4111-8111-1111111111%02u\","
		"\"peer_id\":\"22222222-1111-4111-8111-111111111111\","
		"\"side\":\"outer\",\"seconds\":%d,\"max_bytes\":4096}",
		number, SECONDS);
}

/* The control daemon's next answer, with the captures of these numbers, as the node takes it in. */
static void tell(unsigned int first, unsigned int count)
{
	static unsigned int generation;
	char *text = NULL, error[DESIRED_ERROR_TEXT];
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	assert_non_null(f);
	(void)fprintf(f,
		"{\"epoch\":\"33333333-1111-4111-8111-111111111111\",\"generation\":%u,"
		"\"full\":false,\"instances\":[],\"peers\":[],\"deleted\":[],\"captures\":[",
		++generation);
	for (unsigned int i = 0; i < count; i++) {
		(void)fputs(i > 0 ? "," : "", f);
		add_capture(f, first + i);
	}
	(void)fputs("]}", f);
	assert_int_equal(fclose(f), 0);
	int err = desired_merge(&desired, text, len, error);
	if (err != 0)
		fail_msg("%s", error);
	free(text);
	captures_take(&captures, &desired);
}

static unsigned int begun(void)
{
	captures_begin(&captures, dp.client);
	return dp.taken[DP_MSG_CAPTURE_SET];
}

static bool is_now(uint64_t due_ns)
{
	return due_ns != 0 && due_ns <= clock_monotonic_ns();
}

/* Takes the one that is due away; its body has this. */
static void expect_sent(const char *part)
{
	struct uuid id;
	assert_true(is_now(captures_due(&captures)));
	char *text = captures_text(&captures, &id);
	assert_non_null(text);
	if (strstr(text, part) == NULL)
		fail_msg("%s is not in %s", part, text);
	free(text);
	captures_done(&captures, &id);
}

/* While the dataplane is away or behind, more answers come: most of them have no captures. */
static void waits_for_the_dataplane(void **state)
{
	tell(1, 1);
	tell(0, 0);
	tell(2, 1);
	tell(0, 0);
	assert_false(is_now(captures_due(&captures)));
	assert_int_equal(begun(), 2);
	assert_int_equal(begun(), 2);
	assert_true(captures_due(&captures) > clock_monotonic_ns() + (SECONDS - 1) * NS_PER_SEC);
}

/* In a full answer, too, which replaces all else. */
static void told_twice_is_one(void **state)
{
	tell(1, 2);
	tell(1, 2);
	assert_int_equal(begun(), 2);
	tell(1, 2);
	assert_int_equal(begun(), 2);
}

static void sends_what_was_written(void **state)
{
	char wanted[BASE64_TEXT(5)];
	struct uuid id;
	base64_encode((const uint8_t *)"hello", 5, wanted);
	tell(1, 1);
	assert_int_equal(begun(), 1);
	assert_null(captures_text(&captures, &id)); /* not yet */
	assert_int_equal(write(captures.job[0].fd, "hello", 5), 5);
	captures.job[0].due_ns = 1;
	char *text = captures_text(&captures, &id);
	assert_non_null(text);
	assert_non_null(strstr(text, wanted));
	free(text);
	/* nobody has taken it: again, but not in a loop */
	assert_null(captures_text(&captures, &id));
	assert_in_range(captures_due(&captures), clock_monotonic_ns(),
		clock_monotonic_ns() + 2 * NS_PER_SEC);
	captures.job[0].due_ns = 1;
	expect_sent(wanted);
	assert_int_equal(captures_due(&captures), 0);
}

static void a_refusal_is_sent(void **state)
{
	dp.refused = DP_MSG_CAPTURE_SET;
	dp.refusal = -EBUSY;
	tell(1, 1);
	assert_int_equal(begun(), 1);
	expect_sent("for a reason");
	assert_int_equal(captures_due(&captures), 0);
}

/* However many are told at once: the dataplane says how many there may be. */
static void none_is_dropped(void **state)
{
	tell(10, 20);
	assert_int_equal(begun(), 20);
	dp.refused = DP_MSG_CAPTURE_SET;
	dp.refusal = -EBUSY;
	tell(30, 1);
	assert_int_equal(begun(), 21);
	expect_sent("for a reason");
	assert_int_equal(captures.count, 20);
}

static void who_waits_too_long_is_told(void **state)
{
	tell(1, 1);
	captures.job[0].due_ns = 1;
	assert_int_equal(begun(), 0); /* nobody waits for it any more */
	expect_sent("the dataplane is not there");
	assert_int_equal(captures_due(&captures), 0);
}

static void the_next_dataplane_begins_it(void **state)
{
	tell(1, 2);
	assert_int_equal(shutdown(dp.fd, SHUT_RDWR), 0);
	captures_begin(&captures, dp.client);
	assert_true(dp_client_is_broken(dp.client));
	assert_false(is_now(captures_due(&captures)));
	fake_dataplane_stop(&dp);
	(void)start(state);
	assert_int_equal(begun(), 2);
}

/* The reason is its own, not that of a refusal before. */
static void no_file_is_told(void **state)
{
	struct rlimit before, none = {0};
	dp.refused = DP_MSG_CAPTURE_SET;
	dp.refusal = -EBUSY;
	tell(1, 1);
	assert_int_equal(begun(), 1);
	expect_sent("for a reason");
	tell(2, 1);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none.rlim_max = before.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	captures_begin(&captures, dp.client);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(dp.taken[DP_MSG_CAPTURE_SET], 1);
	expect_sent("Too many open files");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(waits_for_the_dataplane),
		TEST(told_twice_is_one),
		TEST(sends_what_was_written),
		TEST(a_refusal_is_sent),
		TEST(none_is_dropped),
		TEST(who_waits_too_long_is_told),
		TEST(the_next_dataplane_begins_it),
		TEST(no_file_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
