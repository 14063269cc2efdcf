// SPDX-License-Identifier: Apache-2.0
/*
 * The nouns, one by one: what the handlers tell tables, keying and host I/O, what they refuse and
 * with which words (reliability-and-security 8.3: C-22; see case_test.c).
 */
#include "dataplane/api/address.h"
#include "dataplane/api/capture.h"
#include "dataplane/api/counter.h"
#include "dataplane/api/neighbour.h"
#include "dataplane/api/port.h"
#include "dataplane/api/underlay_route.h"
#include "dataplane/base/clock.h"
#include "dataplane/server/bounds.h"
#include "dataplane/table/peer.h"
#include "dataplane/table/tables.h"
#include "dataplane/table/underlay.h"
#include "tests/unit/server/fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

static int call(struct dp_client *c, enum dp_msg_type type, const void *payload, size_t len)
{
	return dp_client_call(c, type, payload, len, -1, NULL);
}

static int send_peer(struct dp_client *c, const struct dp_peer_set *m)
{
	return call(c, DP_MSG_PEER_SET, m, dp_peer_set_size(m));
}

/* Copies the last object of a list. */
struct last {
	uint8_t payload[2048];
	size_t len;
	unsigned int count;
};

static int keep(void *ctx, const uint8_t *payload, size_t len)
{
	struct last *l = ctx;
	memcpy(l->payload, payload, len);
	l->len = len;
	l->count++;
	return 0;
}

static struct last list(struct dp_client *c, enum dp_msg_type type, unsigned int instance)
{
	struct last l = {0};
	struct dp_peer_list of = {0};
	if (instance != 0)
		of.instance = test_id(0x1000 + instance);
	size_t len = dp_msg_rule_find((uint16_t)type)->request.max;
	assert_int_equal(dp_client_list(c, type, &of, len, keep, &l), 0);
	return l;
}

static void test_instances(void **state)
{
	struct dp_client *c = fixture_client();
	struct dp_instance_set m = test_instance(1);
	m.flags = DP_INSTANCE_FLAGS_ALL;
	assert_int_equal(call(c, DP_MSG_INSTANCE_SET, &m, sizeof(m)), 0);
	assert_int_equal(call(c, DP_MSG_INSTANCE_SET, &m, sizeof(m)), 0);
	assert_int_equal(fake.instances_set, 2);
	assert_memory_equal(&fake.last_private_key, &m.wireguard_private_key, KEY_LEN);
	m.mtu = 1300;
	assert_int_equal(call(c, DP_MSG_INSTANCE_SET, &m, sizeof(m)), 0);
	struct last l = list(c, DP_MSG_INSTANCE_LIST, 0);
	struct dp_instance got;
	assert_int_equal(l.count, 1);
	memcpy(&got, l.payload, sizeof(got));
	assert_int_equal(got.mtu, 1300);
	assert_int_equal(got.flags, DP_INSTANCE_FLAGS_ALL);
	assert_int_equal(got.wireguard_port, 51821);
	assert_memory_equal(&got.address4, &m.address4, sizeof(m.address4));

	struct dp_instance_set other = test_instance(2);
	other.number = 1;
	assert_int_equal(call(c, DP_MSG_INSTANCE_SET, &other, sizeof(other)), -EEXIST);
	assert_non_null(strstr(dp_client_error(c), "number 1 is taken"));
	other = test_instance(2);
	other.wireguard_port = 51821;
	assert_int_equal(call(c, DP_MSG_INSTANCE_SET, &other, sizeof(other)), -EADDRINUSE);
	assert_non_null(strstr(dp_client_error(c), "port 51821 is taken"));
	m.address4 = test_prefix("10.201.0.1/20");
	assert_int_equal(call(c, DP_MSG_INSTANCE_SET, &m, sizeof(m)), -EBUSY);
	m = test_instance(1);
	m.wireguard_port = 51900;
	assert_int_equal(call(c, DP_MSG_INSTANCE_SET, &m, sizeof(m)), -EBUSY);
	assert_non_null(strstr(dp_client_error(c), "number, port and addresses cannot change"));
	m = test_instance(1);
	m.mtu = 1955; /* with the buffers of a port of 1500 */
	assert_int_equal(call(c, DP_MSG_INSTANCE_SET, &m, sizeof(m)), -EMSGSIZE);

	struct dp_instance_del del = {.id = m.id};
	assert_int_equal(set_peer(c, 1, 1), 0);
	assert_int_equal(set_route(c, 1, "10.0.0.0/8", 1), 0);
	assert_int_equal(call(c, DP_MSG_INSTANCE_DEL, &del, sizeof(del)), 0);
	assert_int_equal(fake.tuns_deleted, 1);
	assert_int_equal(list_length(c, DP_MSG_PEER_LIST), 0);
	assert_int_equal(list_length(c, DP_MSG_ROUTE_LIST), 0);
	assert_int_equal(call(c, DP_MSG_INSTANCE_DEL, &del, sizeof(del)), 0);
	assert_int_equal(fake.retired, 1);
	dp_client_free(c);
}

static void c22_no_memory_leaves_nothing(void **state)
{
	struct dp_client *c = fixture_client();
	fake.keying_error = -ENOMEM;
	assert_int_equal(set_instance(c, 1), -ENOMEM);
	assert_int_equal(list_length(c, DP_MSG_INSTANCE_LIST), 0);
	fake.keying_error = 0;
	assert_int_equal(set_instance(c, 1), 0);
	fake.keying_error = -ENOMEM;
	assert_int_equal(set_peer(c, 1, 1), -ENOMEM);
	assert_int_equal(list_length(c, DP_MSG_PEER_LIST), 0);
	assert_int_equal(set_instance(c, 1), -ENOMEM); /* changed, not created: it stays */
	assert_int_equal(list_length(c, DP_MSG_INSTANCE_LIST), 1);
	dp_client_free(c);
}

static void test_peer_reaches_keying_and_lists(void **state)
{
	struct dp_client *c = fixture_client();
	struct dp_peer_set m = test_peer(1, 1);
	assert_int_equal(send_peer(c, &m), -ENOENT);
	assert_non_null(strstr(dp_client_error(c), "does not exist"));
	assert_int_equal(set_instance(c, 1), 0);
	m.type = DP_PEER_CLIENT;
	m.route_all = 1;
	m.has_preshared_key = 1;
	m.preshared_key = (struct key){{7}};
	m.keepalive_s = 25;
	m.expires_at = 1900000000;
	m.timestamp[11] = 3;
	m.endpoint = (struct ip_endpoint){test_prefix("198.51.100.7/32").addr, 4500};
	m.allowed_count = 2;
	m.allowed[0] = test_prefix("192.168.0.0/16");
	m.allowed[1] = test_prefix("fd00::/8");
	assert_int_equal(send_peer(c, &m), 0);
	assert_true(fake.last_peer.has_preshared_key);
	assert_memory_equal(&fake.last_peer.preshared_key, &m.preshared_key, KEY_LEN);
	assert_int_equal(fake.last_peer.keepalive_s, 25);
	assert_int_equal(fake.last_peer.timestamp[11], 3);
	assert_int_equal(fake.last_peer.endpoint.port, 4500);

	struct last l = list(c, DP_MSG_PEER_LIST, 1);
	struct dp_peer got = {0};
	assert_int_equal(l.count, 1);
	memcpy(&got, l.payload, l.len);
	assert_int_equal(got.type, DP_PEER_CLIENT);
	assert_int_equal(got.route_all, 1);
	assert_int_equal(got.expires_at, 1900000000);
	assert_int_equal(got.allowed_count, 2);
	assert_memory_equal(got.allowed, m.allowed, 2 * sizeof(m.allowed[0]));
	assert_int_equal(got.timestamp[0], 0x40); /* what keying knows now */
	assert_int_equal(list(c, DP_MSG_PEER_LIST, 2).count, 0);

	l = list(c, DP_MSG_PEER_STATS_LIST, 0);
	struct dp_peer_stats stats;
	assert_int_equal(l.count, 1);
	memcpy(&stats, l.payload, sizeof(stats));
	assert_memory_equal(&stats.id, &m.id, sizeof(m.id));
	assert_int_equal(stats.last_rx_ns, 0);
	peer_find(fixture_tables(), &m.id)->received.last_any_ns =
		clock_monotonic_ns() - 2 * NS_PER_SEC;
	l = list(c, DP_MSG_PEER_STATS_LIST, 0);
	memcpy(&stats, l.payload, sizeof(stats));
	assert_in_range(stats.last_rx_ns, clock_realtime_ns() - 3 * NS_PER_SEC,
		clock_realtime_ns() - 2 * NS_PER_SEC + NS_PER_MS);
	dp_client_free(c);
}

static void test_peer_reset(void **state)
{
	struct dp_client *c = fixture_client();
	struct dp_peer_reset m = {.id = test_id(3)};
	assert_int_equal(set_instance(c, 1), 0);
	assert_int_equal(set_peer(c, 3, 1), 0);
	assert_int_equal(dp_client_call(c, DP_MSG_PEER_RESET, &m, sizeof(m), -1, NULL), 0);
	assert_non_null(fake.last_reset);
	assert_memory_equal(&fake.last_reset->id, &m.id, sizeof(m.id));
	m.id = test_id(4);
	assert_int_equal(dp_client_call(c, DP_MSG_PEER_RESET, &m, sizeof(m), -1, NULL), -ENOENT);
	dp_client_free(c);
}

static void test_peer_refusals(void **state)
{
	struct dp_client *c = fixture_client();
	assert_int_equal(set_instance(c, 1), 0);
	assert_int_equal(set_instance(c, 2), 0);
	assert_int_equal(set_peer(c, 1, 1), 0);
	struct dp_peer_set twin = test_peer(2, 1);
	twin.public_key = test_peer(1, 1).public_key;
	assert_int_equal(send_peer(c, &twin), -EEXIST);
	twin.instance = test_id(0x1002); /* in another instance it is nobody's */
	assert_int_equal(send_peer(c, &twin), 0);
	twin.instance = test_id(0x1001);
	assert_int_equal(send_peer(c, &twin), -EBUSY);
	struct dp_peer_set rekeyed = test_peer(1, 1);
	rekeyed.public_key = (struct key){{0x42, 1}};
	assert_int_equal(send_peer(c, &rekeyed), -EBUSY);
	assert_non_null(strstr(dp_client_error(c), "instance and public_key cannot change"));

	struct dp_address_set a = {.prefix = test_prefix("203.0.113.1/24")};
	assert_int_equal(call(c, DP_MSG_ADDRESS_SET, &a, sizeof(a)), 0);
	struct dp_peer_set own = test_peer(3, 1);
	own.endpoint = (struct ip_endpoint){a.prefix.addr, 51820};
	assert_int_equal(send_peer(c, &own), -EINVAL);
	assert_non_null(strstr(dp_client_error(c), "endpoint is the hub itself"));

	unsigned int retired = fake.retired;
	assert_int_equal(del_peer(c, 77), 0); /* idempotent */
	assert_int_equal(del_peer(c, 1), 0);
	assert_int_equal(del_peer(c, 1), 0);
	assert_int_equal(fake.retired, retired + 1);
	assert_int_equal(list(c, DP_MSG_PEER_STATS_LIST, 1).count, 0);
	dp_client_free(c);
}

static void test_routes(void **state)
{
	struct dp_client *c = fixture_client();
	assert_int_equal(set_route(c, 1, "10.0.0.0/8", 0), -ENOENT);
	assert_int_equal(set_instance(c, 1), 0);
	assert_int_equal(set_instance(c, 2), 0);
	assert_int_equal(set_peer(c, 1, 1), 0);
	assert_int_equal(set_route(c, 1, "10.0.0.0/8", 2), -ENOENT);
	assert_int_equal(set_route(c, 2, "10.0.0.0/8", 1), -ENOENT); /* of another instance */
	assert_int_equal(set_route(c, 1, "10.0.0.0/8", 0), 0);
	assert_int_equal(set_route(c, 1, "10.0.0.0/8", 1), 0);
	struct last l = list(c, DP_MSG_ROUTE_LIST, 1);
	struct dp_route_set got;
	assert_int_equal(l.count, 1);
	memcpy(&got, l.payload, sizeof(got));
	struct uuid peer = test_id(1);
	assert_int_equal(got.target, DP_ROUTE_PEER);
	assert_memory_equal(&got.peer, &peer, sizeof(peer));
	struct dp_route_del del = {.instance = got.instance, .prefix = got.prefix};
	assert_int_equal(call(c, DP_MSG_ROUTE_DEL, &del, sizeof(del)), 0);
	assert_int_equal(call(c, DP_MSG_ROUTE_DEL, &del, sizeof(del)), 0);
	assert_int_equal(list_length(c, DP_MSG_ROUTE_LIST), 0);
	dp_client_free(c);
}

static void test_ports_and_files(void **state)
{
	struct dp_client *c = fixture_client();
	struct dp_port port;
	struct dp_tap_set tap = {.port = 0};
	struct dp_tun_set tun = {.instance = test_id(0x1001)};
	int file = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct last l = list(c, DP_MSG_PORT_LIST, 0);
	assert_int_equal(l.count, 1);
	memcpy(&port, l.payload, sizeof(port));
	assert_string_equal(port.name, "wan0");
	assert_int_equal(port.mtu, 1500);
	assert_int_equal(port.has_tap, 0);

	assert_int_equal(dp_client_call(c, DP_MSG_TAP_SET, &tap, sizeof(tap), file, NULL), 0);
	l = list(c, DP_MSG_PORT_LIST, 0);
	memcpy(&port, l.payload, sizeof(port));
	assert_int_equal(port.has_tap, 1);
	assert_int_equal(fake.taps, 1);
	tap.port = 1;
	assert_int_equal(dp_client_call(c, DP_MSG_TAP_SET, &tap, sizeof(tap), file, NULL), -ENODEV);
	assert_int_equal(fake.taps, 1);

	assert_int_equal(dp_client_call(c, DP_MSG_TUN_SET, &tun, sizeof(tun), file, NULL), -ENOENT);
	assert_int_equal(set_instance(c, 1), 0);
	fake.host_error = -EINVAL;
	assert_int_equal(dp_client_call(c, DP_MSG_TUN_SET, &tun, sizeof(tun), file, NULL), -EINVAL);
	fake.host_error = 0;
	struct dp_instance instance;
	l = list(c, DP_MSG_INSTANCE_LIST, 0);
	memcpy(&instance, l.payload, sizeof(instance));
	assert_int_equal(instance.has_tun, 0);
	assert_int_equal(dp_client_call(c, DP_MSG_TUN_SET, &tun, sizeof(tun), file, NULL), 0);
	l = list(c, DP_MSG_INSTANCE_LIST, 0);
	memcpy(&instance, l.payload, sizeof(instance));
	assert_int_equal(instance.has_tun, 1);
	(void)close(file);
	dp_client_free(c);
}

static void test_captures(void **state)
{
	struct dp_client *c = fixture_client();
	struct dp_capture_set m = {
		.peer = test_id(1), .seconds = 1, .max_bytes = 4096, .side = DP_CAPTURE_OUTER};
	int file = memfd_create("capture", MFD_CLOEXEC);
	assert_int_equal(dp_client_call(c, DP_MSG_CAPTURE_SET, &m, sizeof(m), file, NULL), -ENOENT);
	assert_int_equal(set_instance(c, 1), 0);
	assert_int_equal(set_peer(c, 1, 1), 0);
	assert_int_equal(dp_client_call(c, DP_MSG_CAPTURE_SET, &m, sizeof(m), -1, NULL), -EINVAL);
	assert_int_equal(dp_client_call(c, DP_MSG_CAPTURE_SET, &m, sizeof(m), file, NULL), 0);
	const struct peer *p = peer_find(fixture_tables(), &m.peer);
	assert_int_equal(p->capture, PEER_CAPTURE_OUTER);
	assert_int_equal(dp_client_call(c, DP_MSG_CAPTURE_SET, &m, sizeof(m), file, NULL), -EBUSY);
	fake.captured[0] = 0; /* its time is over: the mark goes with the next turn */
	assert_int_equal(set_instance(c, 1), 0);
	assert_int_equal(set_instance(c, 1), 0);
	assert_int_equal(p->capture, PEER_CAPTURE_NONE);
	/* a peer that goes takes its capture along */
	assert_int_equal(dp_client_call(c, DP_MSG_CAPTURE_SET, &m, sizeof(m), file, NULL), 0);
	assert_int_equal(del_peer(c, 1), 0);
	assert_int_equal(set_instance(c, 1), 0);
	assert_int_equal(set_instance(c, 1), 0);
	assert_int_equal(fake.captured[0], 0);
	(void)close(file);
	dp_client_free(c);
}

static int capture(struct dp_client *c, unsigned int peer, int file)
{
	struct dp_capture_set m = {
		.peer = test_id(peer), .seconds = 1, .max_bytes = 4096, .side = DP_CAPTURE_INNER};
	return dp_client_call(c, DP_MSG_CAPTURE_SET, &m, sizeof(m), file, NULL);
}

/* Who of the first CAPTURES_MAX + 1 peers is marked, a bit each. */
static unsigned int marked(void)
{
	unsigned int set = 0;
	for (unsigned int n = 1; n <= CAPTURES_MAX + 1; n++) {
		const struct uuid id = test_id(n);
		if (peer_find(fixture_tables(), &id)->capture != PEER_CAPTURE_NONE)
			set |= 1U << n;
	}
	return set;
}

static void all_captures_that_there_may_be(void **state)
{
	enum {
		ALL = (2 << CAPTURES_MAX) - 2,
		NINTH = 2 << CAPTURES_MAX
	};
	struct dp_client *c = fixture_client();
	int file = memfd_create("capture", MFD_CLOEXEC);
	assert_int_equal(set_instance(c, 1), 0);
	for (unsigned int n = 1; n <= CAPTURES_MAX + 1; n++)
		assert_int_equal(set_peer(c, n, 1), 0);
	for (unsigned int n = 1; n <= CAPTURES_MAX; n++)
		assert_int_equal(capture(c, n, file), 0);
	assert_int_equal(marked(), ALL);
	assert_int_equal(capture(c, CAPTURES_MAX + 1, file), -EBUSY);
	assert_int_equal(marked(), ALL);
	/* one ends when the server has just seen it running */
	fake.ends_before_open = 3;
	assert_int_equal(capture(c, CAPTURES_MAX + 1, file), 0);
	assert_int_equal(marked(), (ALL & ~(1 << 3)) | NINTH);
	/* the same, and its own peer's next takes the place of another that ended */
	fake.captured[0] = 0;
	fake.ends_before_open = 5;
	assert_int_equal(capture(c, 5, file), 0);
	assert_int_equal(capture(c, 1, file), 0);
	assert_int_equal(marked(), (ALL & ~(1 << 3)) | NINTH);
	(void)close(file);
	dp_client_free(c);
}

static void test_underlay(void **state)
{
	struct dp_client *c = fixture_client();
	struct dp_address_set a = {.prefix = test_prefix("203.0.113.1/24"), .port = 1};
	struct dp_neighbour_set n = {.addr = test_prefix("203.0.113.9/32").addr,
		.mac = {2, 9},
		.state = DP_NEIGHBOUR_REACHABLE,
		.port = 1};
	struct dp_underlay_route_set r = {
		.prefix = test_prefix("198.51.100.0/24"), .gateway = n.addr, .port = 1};
	assert_int_equal(call(c, DP_MSG_ADDRESS_SET, &a, sizeof(a)), -ENODEV);
	assert_int_equal(call(c, DP_MSG_NEIGHBOUR_SET, &n, sizeof(n)), -ENODEV);
	assert_int_equal(call(c, DP_MSG_UNDERLAY_ROUTE_SET, &r, sizeof(r)), -ENODEV);
	a.port = n.port = r.port = 0;
	assert_int_equal(call(c, DP_MSG_ADDRESS_SET, &a, sizeof(a)), 0);
	assert_int_equal(call(c, DP_MSG_NEIGHBOUR_SET, &n, sizeof(n)), 0);
	assert_int_equal(call(c, DP_MSG_UNDERLAY_ROUTE_SET, &r, sizeof(r)), 0);
	/* the server is idle: what it wrote may be read */
	const struct underlay *u = fixture_tables()->underlay;
	assert_int_equal(u->addresses, 1);
	assert_true(ip_prefix_equal(&u->address[0].prefix, &a.prefix));
	assert_int_equal(u->routes, 1);
	assert_true(ip_prefix_equal(&u->route[0].prefix, &r.prefix));
	assert_true(ip_addr_equal(&u->route[0].gateway, &r.gateway));
	assert_int_equal(u->neighbours.count, 1);
	dp_client_free(c);
}

static int look_for_drop(void *ctx, const uint8_t *payload, size_t len)
{
	struct dp_counter m;
	memcpy(&m, payload, sizeof(m));
	*(bool *)ctx = *(bool *)ctx || strcmp(m.name, "drop_spoofed_source") == 0;
	return 0;
}

static void test_counters(void **state)
{
	struct dp_client *c = fixture_client();
	bool found = false;
	assert_int_equal(dp_client_list(c, DP_MSG_COUNTER_LIST, NULL, 0, look_for_drop, &found), 0);
	assert_true(found);
	dp_client_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_instances, fixture_start, fixture_stop),
		cmocka_unit_test_setup_teardown(
			c22_no_memory_leaves_nothing, fixture_start, fixture_stop),
		cmocka_unit_test_setup_teardown(
			test_peer_reaches_keying_and_lists, fixture_start, fixture_stop),
		cmocka_unit_test_setup_teardown(test_peer_refusals, fixture_start, fixture_stop),
		cmocka_unit_test_setup_teardown(test_peer_reset, fixture_start, fixture_stop),
		cmocka_unit_test_setup_teardown(test_routes, fixture_start, fixture_stop),
		cmocka_unit_test_setup_teardown(test_ports_and_files, fixture_start, fixture_stop),
		cmocka_unit_test_setup_teardown(test_captures, fixture_start, fixture_stop),
		cmocka_unit_test_setup_teardown(
			all_captures_that_there_may_be, fixture_start, fixture_stop),
		cmocka_unit_test_setup_teardown(test_underlay, fixture_start, fixture_stop),
		cmocka_unit_test_setup_teardown(test_counters, fixture_start, fixture_stop),
	};
	return cmocka_run_group_tests(tests, fixture_start_eal, fixture_stop_eal);
}
