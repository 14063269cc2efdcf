// SPDX-License-Identifier: Apache-2.0
/* One source's share of handshakes: burst, refill, who counts as one source, and how many fit. */
#include "dataplane/wg/ratelimiter.h"

#include "dataplane/base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define START (1000 * NS_PER_SEC)
#define REFILL (NS_PER_SEC / RATELIMITER_PER_SECOND)

static struct ip_addr address(const char *text)
{
	struct ip_addr a;
	assert_int_equal(ip_addr_parse(text, &a), 0);
	return a;
}

static int set_up(void **state)
{
	struct ratelimiter *r = NULL;
	int err = ratelimiter_new(&r);
	*state = r;
	return err;
}

static int tear_down(void **state)
{
	ratelimiter_free(*state);
	return 0;
}

static void use_up(struct ratelimiter *r, const struct ip_addr *a, uint64_t now_ns)
{
	for (unsigned int n = 0; n < RATELIMITER_BURST; n++)
		assert_true(ratelimiter_allow(r, a, now_ns));
	assert_false(ratelimiter_allow(r, a, now_ns));
}

static void burst_and_refill(void **state)
{
	struct ratelimiter *r = *state;
	struct ip_addr a = address("192.0.2.1");
	use_up(r, &a, START);
	assert_false(ratelimiter_allow(r, &a, START + REFILL - 1));
	assert_true(ratelimiter_allow(r, &a, START + REFILL));
	assert_false(ratelimiter_allow(r, &a, START + REFILL));
	assert_true(ratelimiter_allow(r, &a, START + 3 * REFILL)); /* two came */
	assert_true(ratelimiter_allow(r, &a, START + 3 * REFILL));
	assert_false(ratelimiter_allow(r, &a, START + 3 * REFILL));
	use_up(r, &a, START + 60 * NS_PER_SEC); /* never more than the burst */
	unsigned int allowed = 0;
	for (unsigned int ms = 0; ms < 10000; ms++)
		allowed += ratelimiter_allow(r, &a, START + 100 * NS_PER_SEC + ms * NS_PER_MS);
	assert_in_range(allowed, 10 * RATELIMITER_PER_SECOND,
		10 * RATELIMITER_PER_SECOND + RATELIMITER_BURST);
}

static void neighbours_have_their_own(void **state)
{
	struct ratelimiter *r = *state;
	struct ip_addr a = address("192.0.2.1"), b = address("192.0.2.2");
	use_up(r, &a, START);
	use_up(r, &b, START);
	assert_int_equal(ratelimiter_sources(r), 2);
}

/* A host has a whole /64 to send from. */
static void a_network_of_ipv6_is_one_source(void **state)
{
	struct ratelimiter *r = *state;
	struct ip_addr a = address("2001:db8:1:2::1"), b = address("2001:db8:1:2:ffff::9"),
		       c = address("2001:db8:1:3::1");
	use_up(r, &a, START);
	assert_false(ratelimiter_allow(r, &b, START));
	use_up(r, &c, START);
	assert_int_equal(ratelimiter_sources(r), 2);
}

static void bounded_and_collected(void **state)
{
	struct ratelimiter *r = *state;
	struct ip_addr a = address("10.0.0.0"), b = address("192.0.2.1");
	for (uint32_t n = 0; n < RATELIMITER_SOURCES_MAX; n++) {
		a.bytes[13] = (uint8_t)(n >> 16);
		a.bytes[14] = (uint8_t)(n >> 8);
		a.bytes[15] = (uint8_t)n;
		assert_true(ratelimiter_allow(r, &a, START));
	}
	assert_int_equal(ratelimiter_sources(r), RATELIMITER_SOURCES_MAX);
	assert_false(ratelimiter_allow(r, &b, START)); /* one more than fits */
	assert_true(ratelimiter_allow(r, &a, START + NS_PER_SEC - 1)); /* who is there stays */
	assert_true(ratelimiter_allow(r, &b, START + NS_PER_SEC));
	assert_int_equal(ratelimiter_sources(r), 2); /* quiet ones are forgotten */
	assert_true(ratelimiter_allow(r, &b, START + 5 * NS_PER_SEC));
	assert_int_equal(ratelimiter_sources(r), 1);
	for (uint32_t n = 0; n < RATELIMITER_SOURCES_MAX - 1;
		n++) { /* and their places serve again */
		a.bytes[13] = (uint8_t)(n >> 16);
		a.bytes[14] = (uint8_t)(n >> 8);
		a.bytes[15] = (uint8_t)n;
		assert_true(ratelimiter_allow(r, &a, START + 5 * NS_PER_SEC));
	}
	a = address("192.0.2.99");
	assert_false(ratelimiter_allow(r, &a, START + 5 * NS_PER_SEC));
}

#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(burst_and_refill),
		test(neighbours_have_their_own),
		test(a_network_of_ipv6_is_one_source),
		test(bounded_and_collected),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
