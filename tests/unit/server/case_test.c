// SPDX-License-Identifier: Apache-2.0
/*
 * Cases of reliability-and-security 8.3 that are about one request each; the names carry their ids.
 * Cases of the socket are in server_test.c, of whole stories in sync_test.c, of many routes in
 * route_test.c.
 */
#include "dataplane/api/address.h"
#include "dataplane/crypto/x25519.h"
#include "dataplane/table/peer.h"
#include "dataplane/table/tables.h"
#include "tests/unit/server/fixture.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
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

/* Past the client's own checks: the server's answer to a payload as it is. */
static int send_raw(struct dp_client *c, enum dp_msg_type type, const void *payload, size_t len)
{
	static uint8_t datagram[DP_MSG_MAX];
	struct dp_header h = {.type = (uint16_t)type, .payload_len = (uint32_t)len};
	struct pollfd p = {.fd = dp_client_fd(c), .events = POLLIN};
	dp_header_encode(&h, datagram);
	memcpy(datagram + DP_HEADER_LEN, payload, len);
	assert_int_equal(write(p.fd, datagram, DP_HEADER_LEN + len), DP_HEADER_LEN + len);
	assert_int_equal(poll(&p, 1, 5000), 1);
	ssize_t n = read(p.fd, datagram, sizeof(datagram));
	assert_true(n > 0);
	assert_int_equal(dp_header_decode(datagram, (size_t)n, &h), 0);
	return h.status;
}

/* Half a message and then nothing: SEQPACKET keeps its borders, so half is a wrong frame. */
static void c04_truncated_message_changes_nothing(void **state)
{
	struct dp_client *c = fixture_client(), *half = fixture_client();
	assert_int_equal(set_instance(c, 1), 0);
	struct dp_peer_set m = test_peer(1, 1);
	uint8_t datagram[DP_HEADER_LEN + sizeof(m)];
	struct dp_header h = {
		.type = DP_MSG_PEER_SET, .payload_len = (uint32_t)dp_peer_set_size(&m)};
	dp_header_encode(&h, datagram);
	memcpy(datagram + DP_HEADER_LEN, &m, dp_peer_set_size(&m));
	struct pollfd p = {.fd = dp_client_fd(half), .events = POLLIN};
	assert_int_equal(write(p.fd, datagram, 60), 60);
	assert_int_equal(shutdown(p.fd, SHUT_WR), 0);
	assert_int_equal(poll(&p, 1, 5000), 1);
	ssize_t n = read(p.fd, datagram, sizeof(datagram));
	assert_true(n > 0);
	assert_int_equal(dp_header_decode(datagram, (size_t)n, &h), 0);
	assert_int_equal(h.status, -EBADMSG); /* it was read */
	dp_client_free(half);
	assert_int_equal(list_length(c, DP_MSG_PEER_LIST), 0);
	assert_int_equal(list_length(c, DP_MSG_INSTANCE_LIST), 1);
	dp_client_free(c);
}

/* There is no sequence and no cache of replies: each request said twice is the same as once. */
static void c06_repeated_requests_change_nothing(void **state)
{
	struct dp_client *c = fixture_client();
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(set_instance(c, 1), 0);
		assert_int_equal(set_peer(c, 1, 1), 0);
		assert_int_equal(set_route(c, 1, "10.200.0.2/32", 1), 0);
		assert_int_equal(list_length(c, DP_MSG_INSTANCE_LIST), 1);
		assert_int_equal(list_length(c, DP_MSG_PEER_LIST), 1);
		assert_int_equal(list_length(c, DP_MSG_ROUTE_LIST), 1);
	}
	assert_int_equal(fake.retired, 0); /* nothing was replaced */
	dp_client_free(c);
}

static void c11_deleting_the_unknown_succeeds(void **state)
{
	struct dp_client *c = fixture_client();
	struct dp_instance_del instance = {.id = test_id(0x1001)};
	struct dp_route_del route = {.instance = instance.id, .prefix = test_prefix("10.0.0.0/8")};
	assert_int_equal(del_peer(c, 77), 0);
	assert_int_equal(call(c, DP_MSG_INSTANCE_DEL, &instance, sizeof(instance)), 0);
	assert_int_equal(call(c, DP_MSG_ROUTE_DEL, &route, sizeof(route)), 0);
	assert_int_equal(fake.retired, 0);
	dp_client_free(c);
}

static void c12_key_of_another_peer_is_refused(void **state)
{
	struct dp_client *c = fixture_client();
	assert_int_equal(set_instance(c, 1), 0);
	assert_int_equal(set_peer(c, 1, 1), 0);
	struct dp_peer_set twin = test_peer(2, 1);
	twin.public_key = test_peer(1, 1).public_key;
	unsigned int told = fake.peers_set;
	assert_int_equal(send_peer(c, &twin), -EEXIST);
	assert_non_null(strstr(dp_client_error(c), "public_key is another peer's"));
	assert_int_equal(fake.peers_set, told);
	assert_int_equal(list_length(c, DP_MSG_PEER_LIST), 1);
	dp_client_free(c);
}

static void c14_prefixes(void **state)
{
	struct dp_client *c = fixture_client();
	assert_int_equal(set_instance(c, 1), 0);
	struct dp_route_set m = {.instance = test_id(0x1001), .target = DP_ROUTE_DROP};
	m.prefix = test_prefix("10.0.0.0/8");
	m.prefix.addr.bytes[15] = 1; /* host bits */
	assert_int_equal(send_raw(c, DP_MSG_ROUTE_SET, &m, sizeof(m)), -EINVAL);
	m.prefix = test_prefix("fd00::/16");
	m.prefix.addr.bytes[2] = 1;
	assert_int_equal(send_raw(c, DP_MSG_ROUTE_SET, &m, sizeof(m)), -EINVAL);
	m.prefix = test_prefix("10.0.0.1/32");
	m.prefix.len++; /* /33: IPv4 is mapped, so 129 */
	assert_int_equal(send_raw(c, DP_MSG_ROUTE_SET, &m, sizeof(m)), -EINVAL);
	m.prefix = test_prefix("fd00::1/128");
	m.prefix.len++;
	assert_int_equal(send_raw(c, DP_MSG_ROUTE_SET, &m, sizeof(m)), -EINVAL);
	m.prefix.len = UINT8_MAX;
	assert_int_equal(send_raw(c, DP_MSG_ROUTE_SET, &m, sizeof(m)), -EINVAL);
	m.prefix = test_prefix("10.0.0.0/8");
	m.prefix.len = 8; /* shorter than the mapping: not IPv4 any more */
	assert_int_equal(send_raw(c, DP_MSG_ROUTE_SET, &m, sizeof(m)), -EINVAL);
	assert_int_equal(list_length(c, DP_MSG_ROUTE_LIST), 0);
	dp_client_free(c);
}

static void c15_peer_keys(void **state)
{
	struct dp_client *c = fixture_client();
	struct dp_instance_set hub = test_instance(1);
	assert_int_equal(set_instance(c, 1), 0);
	struct dp_peer_set m = test_peer(1, 1);
	m.public_key = (struct key){0};
	assert_int_equal(send_raw(c, DP_MSG_PEER_SET, &m, dp_peer_set_size(&m)), -EINVAL);
	m.public_key = (struct key){{1}}; /* of order 4 */
	assert_int_equal(send_raw(c, DP_MSG_PEER_SET, &m, dp_peer_set_size(&m)), -EINVAL);
	assert_int_equal(x25519_public(&hub.wireguard_private_key, &m.public_key), 0);
	assert_int_equal(send_peer(c, &m), -EINVAL);
	assert_non_null(strstr(dp_client_error(c), "public_key is the hub's own"));
	assert_int_equal(list_length(c, DP_MSG_PEER_LIST), 0);
	dp_client_free(c);
}

static void c16_instance_unknown_or_gone(void **state)
{
	struct dp_client *c = fixture_client();
	struct dp_instance_set m = test_instance(1);
	struct dp_instance_del del = {.id = m.id};
	m.number = DP_INSTANCE_NUMBER_MAX + 1;
	assert_int_equal(send_raw(c, DP_MSG_INSTANCE_SET, &m, sizeof(m)), -EINVAL);
	assert_int_equal(set_peer(c, 1, 1), -ENOENT);
	assert_int_equal(set_instance(c, 1), 0);
	assert_int_equal(set_peer(c, 1, 1), 0);
	assert_int_equal(call(c, DP_MSG_INSTANCE_DEL, &del, sizeof(del)), 0);
	assert_int_equal(set_peer(c, 1, 1), -ENOENT);
	assert_int_equal(set_route(c, 1, "10.0.0.0/8", 0), -ENOENT);
	assert_non_null(strstr(dp_client_error(c), "does not exist"));
	dp_client_free(c);
}

static void c17_port_of_another_instance(void **state)
{
	struct dp_client *c = fixture_client();
	struct dp_instance_set m = test_instance(2);
	assert_int_equal(set_instance(c, 1), 0);
	m.wireguard_port = test_instance(1).wireguard_port;
	assert_int_equal(call(c, DP_MSG_INSTANCE_SET, &m, sizeof(m)), -EADDRINUSE);
	assert_non_null(strstr(dp_client_error(c), "port 51821 is taken"));
	assert_int_equal(list_length(c, DP_MSG_INSTANCE_LIST), 1);
	dp_client_free(c);
}

static void c18_mtu(void **state)
{
	static const uint16_t wrong[] = {0, 67, DP_MTU_MIN - 1, DP_MTU_MAX + 1, UINT16_MAX};
	struct dp_client *c = fixture_client();
	struct dp_instance_set m = test_instance(1);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		m.mtu = wrong[i];
		assert_int_equal(send_raw(c, DP_MSG_INSTANCE_SET, &m, sizeof(m)), -EINVAL);
	}
	assert_int_equal(list_length(c, DP_MSG_INSTANCE_LIST), 0);
	dp_client_free(c);
}

/* More cannot be said in 16 bits; the REST API refuses it. */
static void c19_keepalive(void **state)
{
	struct dp_client *c = fixture_client();
	struct dp_peer_set m = test_peer(1, 1);
	static_assert(sizeof(m.keepalive_s) == 2);
	m.keepalive_s = UINT16_MAX;
	assert_int_equal(set_instance(c, 1), 0);
	assert_int_equal(send_peer(c, &m), 0);
	assert_int_equal(fake.last_peer.keepalive_s, UINT16_MAX);
	dp_client_free(c);
}

static void c20_endpoints(void **state)
{
	static const char *const wrong[] = {
		"224.0.0.1/32", "255.255.255.255/32", "127.0.0.1/32", "::1/128", "ff02::1/128"};
	struct dp_client *c = fixture_client();
	struct dp_address_set own = {.prefix = test_prefix("203.0.113.1/24")};
	struct dp_peer_set m = test_peer(1, 1);
	assert_int_equal(set_instance(c, 1), 0);
	assert_int_equal(call(c, DP_MSG_ADDRESS_SET, &own, sizeof(own)), 0);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		m.endpoint = (struct ip_endpoint){test_prefix(wrong[i]).addr, 51820};
		assert_int_equal(send_raw(c, DP_MSG_PEER_SET, &m, dp_peer_set_size(&m)), -EINVAL);
	}
	m.endpoint = (struct ip_endpoint){test_prefix("0.0.0.0/0").addr, 51820};
	assert_int_equal(send_raw(c, DP_MSG_PEER_SET, &m, dp_peer_set_size(&m)), -EINVAL);
	m.endpoint = (struct ip_endpoint){test_prefix("198.51.100.7/32").addr, 0};
	assert_int_equal(send_raw(c, DP_MSG_PEER_SET, &m, dp_peer_set_size(&m)), -EINVAL);
	m.endpoint = (struct ip_endpoint){own.prefix.addr, 51820};
	assert_int_equal(send_peer(c, &m), -EINVAL);
	assert_non_null(strstr(dp_client_error(c), "endpoint is the hub itself"));
	assert_int_equal(list_length(c, DP_MSG_PEER_LIST), 0);
	dp_client_free(c);
}

/* One thread serves in order: who asks before the deletion sees it whole, who asks after not. */
static void c29_stats_while_a_peer_goes(void **state)
{
	struct dp_client *c = fixture_client();
	struct dp_peer_list all = {0};
	struct dp_peer_del del = {.id = test_id(1)};
	struct dp_reply reply;
	assert_int_equal(set_instance(c, 1), 0);
	assert_int_equal(set_peer(c, 1, 1), 0);
	assert_int_equal(dp_client_send(c, DP_MSG_PEER_STATS_LIST, &all, sizeof(all), -1, NULL), 0);
	assert_int_equal(dp_client_send(c, DP_MSG_PEER_DEL, &del, sizeof(del), -1, NULL), 0);
	assert_int_equal(dp_client_send(c, DP_MSG_PEER_STATS_LIST, &all, sizeof(all), -1, NULL), 0);
	struct dp_peer_stats stats;
	assert_int_equal(dp_client_receive(c, &reply), 0);
	assert_int_equal(reply.len, sizeof(stats));
	memcpy(&stats, reply.payload, sizeof(stats));
	assert_true(uuid_equal(&stats.id, &del.id));
	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(dp_client_receive(c, &reply), 0);
		assert_true(reply.done);
		assert_int_equal(reply.status, 0);
	}
	assert_int_equal(dp_client_in_flight(c), 0);
	dp_client_free(c);
}

#define test(name) cmocka_unit_test_setup_teardown(name, fixture_start, fixture_stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(c04_truncated_message_changes_nothing),
		test(c06_repeated_requests_change_nothing),
		test(c11_deleting_the_unknown_succeeds),
		test(c12_key_of_another_peer_is_refused),
		test(c14_prefixes),
		test(c15_peer_keys),
		test(c16_instance_unknown_or_gone),
		test(c17_port_of_another_instance),
		test(c18_mtu),
		test(c19_keepalive),
		test(c20_endpoints),
		test(c29_stats_while_a_peer_goes),
	};
	return cmocka_run_group_tests(tests, fixture_start_eal, fixture_stop_eal);
}
