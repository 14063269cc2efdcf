// SPDX-License-Identifier: Apache-2.0
/*
 * Very many routes through the socket: WireGuard's netns case E1 (130 560 prefixes on one peer, read
 * back), and what is refused above the quotas (reliability-and-security 8.3, C-21).
 */
#include "dataplane/server/bounds.h"
#include "dataplane/table/instance.h"
#include "dataplane/table/peer.h"
#include "dataplane/table/tables.h"
#include "tests/unit/server/fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum {
	E1_PREFIXES = 130560, /* 255 * 256 of each family */
};

/* The n-th: 10.a.b.0/24 and fd00:a:b::/48 in turns. */
static struct ip_prefix e1_prefix(unsigned int n)
{
	bool v4 = n % 2 == 0;
	struct ip_prefix p = test_prefix(v4 ? "10.0.0.0/24" : "fd00::/48");
	p.addr.bytes[v4 ? 13 : 3] = (uint8_t)(n / 512);
	p.addr.bytes[v4 ? 14 : 5] = (uint8_t)(n / 2 % 256);
	return p;
}

static unsigned int e1_number(const struct ip_prefix *p)
{
	bool v4 = ip_prefix_is_v4(p);
	return (unsigned int)p->addr.bytes[v4 ? 13 : 3] * 512
		+ (unsigned int)p->addr.bytes[v4 ? 14 : 5] * 2 + !v4;
}

static void send_route(struct dp_client *c, const struct ip_prefix *prefix)
{
	struct dp_route_set m = {.instance = test_id(0x1001),
		.peer = test_id(1),
		.prefix = *prefix,
		.target = DP_ROUTE_PEER};
	assert_int_equal(dp_client_send(c, DP_MSG_ROUTE_SET, &m, sizeof(m), -1, NULL), 0);
}

static void expect_answers(struct dp_client *c, int status)
{
	struct dp_reply reply;
	while (dp_client_in_flight(c) > 0) {
		assert_int_equal(dp_client_receive(c, &reply), 0);
		assert_int_equal(reply.status, status);
	}
}

static void set_e1(struct dp_client *c)
{
	for (unsigned int n = 0; n < E1_PREFIXES; n++) {
		struct ip_prefix p = e1_prefix(n);
		if (dp_client_in_flight(c) == DP_CLIENT_WINDOW)
			expect_answers(c, 0);
		send_route(c, &p);
	}
	expect_answers(c, 0);
}

static int mark(void *ctx, const uint8_t *payload, size_t len)
{
	uint8_t *seen = ctx;
	struct dp_route_set m;
	struct uuid peer = test_id(1);
	memcpy(&m, payload, sizeof(m));
	unsigned int n = e1_number(&m.prefix);
	struct ip_prefix wanted = e1_prefix(n);
	assert_true(n < E1_PREFIXES);
	assert_true(ip_prefix_equal(&m.prefix, &wanted));
	assert_true(uuid_equal(&m.peer, &peer));
	assert_int_equal(seen[n]++, 0);
	return 0;
}

static struct instance *only_instance(void)
{
	return fixture_tables()->instances; /* the server is idle while the test looks */
}

static void e1_130560_prefixes_of_one_peer(void **state)
{
	static uint8_t seen[E1_PREFIXES];
	struct dp_client *c = fixture_client();
	struct dp_route_list all = {0};
	assert_int_equal(set_instance(c, 1), 0);
	assert_int_equal(set_peer(c, 1, 1), 0);
	set_e1(c);
	assert_int_equal(dp_client_list(c, DP_MSG_ROUTE_LIST, &all, sizeof(all), mark, seen), 0);
	assert_null(memchr(seen, 0, sizeof(seen)));
	struct instance *i = only_instance();
	for (unsigned int n = 0; n < E1_PREFIXES; n++) {
		struct ip_prefix p = e1_prefix(n);
		uintptr_t got = ip_prefix_is_v4(&p)
			? route_trie_lookup4(&i->routes, p.addr.bytes + 12)
			: route_trie_lookup6(&i->routes, p.addr.bytes);
		assert_ptr_equal(route_value_peer(got), i->peers);
	}
	assert_int_equal(del_peer(c, 1), 0);
	assert_int_equal(list_length(c, DP_MSG_ROUTE_LIST), 0);
	assert_int_equal(i->routes.nodes, 2); /* the two roots */
	dp_client_free(c);
}

static void c21_quota_of_a_peer(void **state)
{
	struct dp_client *c = fixture_client();
	assert_int_equal(set_instance(c, 1), 0);
	assert_int_equal(set_peer(c, 1, 1), 0);
	assert_int_equal(set_peer(c, 2, 1), 0);
	set_e1(c);
	struct ip_prefix host = test_prefix("172.16.0.0/32");
	for (unsigned int n = E1_PREFIXES; n < PEER_ROUTES_MAX; n++) {
		host.addr.bytes[14] = (uint8_t)(n >> 8);
		host.addr.bytes[15] = (uint8_t)n;
		send_route(c, &host);
		expect_answers(c, 0);
	}
	size_t nodes = only_instance()->routes.nodes;
	for (unsigned int n = 0; n < 1000; n++) {
		host.addr.bytes[13] = (uint8_t)(100 + n / 256);
		host.addr.bytes[14] = (uint8_t)n;
		send_route(c, &host);
		expect_answers(c, -ENOSPC);
	}
	assert_string_equal(
		dp_client_error(c), "route_set: peer has 131072 routes, the most there may be");
	assert_int_equal(only_instance()->routes.nodes, nodes);
	assert_int_equal(only_instance()->route_by_prefix.count, PEER_ROUTES_MAX);
	assert_int_equal(set_route(c, 1, "10.0.0.0/24", 1), 0); /* it has that one */
	assert_int_equal(set_route(c, 1, "172.31.0.0/16", 2), 0);
	dp_client_free(c);
}

/* The other two are far away: the test moves the counts, not the memory. */
static void c21_quotas_of_an_instance(void **state)
{
	struct dp_client *c = fixture_client();
	assert_int_equal(set_instance(c, 1), 0);
	struct instance *i = only_instance();
	assert_int_equal(set_peer(c, 1, 1), 0);
	assert_int_equal(set_route(c, 1, "10.2.0.0/16", 0), 0);
	size_t nodes = i->routes.nodes, count = i->route_by_prefix.count;
	i->routes.nodes = INSTANCE_ROUTE_NODES_MAX;
	assert_int_equal(set_route(c, 1, "10.1.0.0/16", 0), -ENOSPC);
	assert_non_null(strstr(dp_client_error(c), "too scattered"));
	assert_int_equal(set_route(c, 1, "10.2.0.0/16", 1), 0); /* it moves: nothing grows */
	i->routes.nodes = nodes;
	i->route_by_prefix.count = INSTANCE_ROUTES_MAX;
	assert_int_equal(set_route(c, 1, "10.1.0.0/16", 0), -ENOSPC);
	assert_non_null(strstr(dp_client_error(c), "4194304 routes"));
	i->route_by_prefix.count = count;
	assert_int_equal(set_route(c, 1, "10.1.0.0/16", 0), 0);
	dp_client_free(c);
}

#define test(name) cmocka_unit_test_setup_teardown(name, fixture_start, fixture_stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(e1_130560_prefixes_of_one_peer),
		test(c21_quota_of_a_peer),
		test(c21_quotas_of_an_instance),
	};
	return cmocka_run_group_tests(tests, fixture_start_eal, fixture_stop_eal);
}
