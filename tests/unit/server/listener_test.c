// SPDX-License-Identifier: Apache-2.0
/* Listeners of OpenVPN and what is pushed, by the API: set, changed, refused, swept. */
#include "dataplane/api/listener.h"

#include "dataplane/api/push.h"
#include "dataplane/table/listener.h"
#include "dataplane/table/tables.h"
#include "tests/unit/server/fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static struct dp_listener_set listener(unsigned int n, unsigned int instance, uint16_t port)
{
	struct dp_listener_set m = {
		.id = test_id(100 + n),
		.instance = test_id(0x1000 + instance),
		.port = port,
		.transport = DP_TRANSPORT_UDP,
		.flags = DP_LISTENER_CERTIFICATE,
		.cipher = {DP_CIPHER_AES_256_GCM},
		.ca_len = 2,
		.certificate_len = 2,
		.private_key_len = 2,
		.pem = "a\0b\0c",
	};
	return m;
}

static int call(struct dp_client *c, enum dp_msg_type type, const void *m, size_t len, int fd)
{
	struct dp_reply reply;
	return dp_client_call(c, type, m, len, fd, &reply);
}

static int set(struct dp_client *c, const struct dp_listener_set *m)
{
	return call(c, DP_MSG_LISTENER_SET, m, dp_listener_set_size(m), -1);
}

static int set_plain(struct dp_client *c, unsigned int n, unsigned int instance, uint16_t port)
{
	struct dp_listener_set m = listener(n, instance, port);
	return set(c, &m);
}

static unsigned int count(struct dp_client *c)
{
	return list_length(c, DP_MSG_LISTENER_LIST);
}

static void listeners_are_set_and_deleted(void **state)
{
	struct dp_client *c = fixture_client();
	struct dp_listener_del del = {.id = test_id(101)};
	assert_int_equal(set_plain(c, 1, 1, 1194), -ENOENT); /* no such instance */
	assert_int_equal(set_instance(c, 1), 0);
	assert_int_equal(set_instance(c, 2), 0);
	assert_int_equal(set_plain(c, 1, 1, 1194), 0);
	assert_int_equal(set_plain(c, 1, 1, 1194), 0); /* said twice */
	assert_int_equal(count(c), 1);
	assert_int_equal(fake.listeners_set, 2);
	assert_non_null(fixture_tables()->openvpn_port[1194]);
	assert_int_equal(set_plain(c, 1, 1, 1195), -EBUSY);
	assert_int_equal(set_plain(c, 1, 2, 1194), -EBUSY);
	assert_int_equal(set_plain(c, 2, 2, 1194), -EADDRINUSE);
	assert_int_equal(fake.listeners_set, 2); /* keying never heard of them */
	assert_int_equal(call(c, DP_MSG_LISTENER_DEL, &del, sizeof(del), -1), 0);
	assert_int_equal(call(c, DP_MSG_LISTENER_DEL, &del, sizeof(del), -1), 0);
	assert_int_equal(fake.listeners_deleted, 1);
	assert_int_equal(count(c), 0);
	assert_null(fixture_tables()->openvpn_port[1194]);
	dp_client_free(c);
}

/* Keying could not take it: a new one leaves nothing, one that was there stays. */
static void without_memory_nothing_is_half_done(void **state)
{
	struct dp_client *c = fixture_client();
	assert_int_equal(set_instance(c, 1), 0);
	assert_int_equal(set_plain(c, 1, 1, 1194), 0);
	fake.keying_error = -ENOMEM;
	assert_int_equal(set_plain(c, 1, 1, 1194), -ENOMEM);
	assert_int_equal(set_plain(c, 2, 1, 1195), -ENOMEM);
	fake.keying_error = 0;
	assert_int_equal(count(c), 1);
	assert_null(fixture_tables()->openvpn_port[1195]);
	dp_client_free(c);
}

static void nobody_is_let_in_without_proof(void **state)
{
	struct dp_client *c = fixture_client();
	assert_int_equal(set_instance(c, 1), 0);
	struct dp_listener_set m = listener(1, 1, 1194);
	m.flags = 0;
	assert_true(set(c, &m) < 0);
	dp_client_free(c);
	assert_null(fixture_tables()->openvpn_port[1194]);
}

static void a_socket_is_of_a_tcp_listener(void **state)
{
	struct dp_client *c = fixture_client();
	struct dp_listener_socket_set m = {.id = test_id(101)};
	struct dp_listener_set tcp = listener(1, 1, 1194);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	tcp.transport = DP_TRANSPORT_TCP;
	assert_int_equal(set_instance(c, 1), 0);
	assert_int_equal(call(c, DP_MSG_LISTENER_SOCKET_SET, &m, sizeof(m), fd), -ENOENT);
	assert_int_equal(set(c, &tcp), 0);
	assert_null(fixture_tables()->openvpn_port[1194]); /* no worker has to do with it */
	assert_false(listener_find(fixture_tables(), &tcp.id)->has_socket);
	assert_int_equal(call(c, DP_MSG_LISTENER_SOCKET_SET, &m, sizeof(m), fd), -EINVAL);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(call(c, DP_MSG_LISTENER_SOCKET_SET, &m, sizeof(m), fd), 0);
	assert_true(listener_find(fixture_tables(), &tcp.id)->has_socket);
	assert_int_equal(set_plain(c, 2, 1, 1194), 0);
	m.id = test_id(102);
	assert_int_equal(call(c, DP_MSG_LISTENER_SOCKET_SET, &m, sizeof(m), fd), -EINVAL);
	(void)close(fd);
	dp_client_free(c);
}

/* END deletes the listeners that the story did not name, and those of an instance that it did not. */
static void a_story_sweeps_listeners(void **state)
{
	struct dp_client *c = fixture_client();
	assert_int_equal(begin(c, 1, 5), 0);
	for (unsigned int n = 1; n <= 2; n++) {
		assert_int_equal(set_instance(c, n), 0);
		assert_int_equal(set_peer(c, n, n), 0);
		assert_int_equal(set_plain(c, 2 * n, n, (uint16_t)(1190 + 2 * n)), 0);
		assert_int_equal(set_plain(c, 2 * n + 1, n, (uint16_t)(1191 + 2 * n)), 0);
	}
	assert_int_equal(end(c, false), 0);
	assert_int_equal(count(c), 4);
	assert_int_equal(begin(c, 1, 6), 0);
	assert_int_equal(set_instance(c, 1), 0);
	assert_int_equal(set_peer(c, 1, 1), 0);
	assert_int_equal(set_plain(c, 2, 1, 1192), 0);
	assert_int_equal(set_plain(c, 3, 1, 1199), -EBUSY); /* refused, but named: it stays */
	assert_int_equal(count(c), 4);
	assert_int_equal(end(c, false), 0);
	assert_int_equal(count(c), 2);
	assert_non_null(fixture_tables()->openvpn_port[1192]);
	assert_non_null(fixture_tables()->openvpn_port[1193]);
	assert_null(fixture_tables()->openvpn_port[1194]);
	assert_null(fixture_tables()->openvpn_port[1195]);
	assert_int_equal(begin(c, 1, 7), 0);
	assert_int_equal(set_instance(c, 1), 0);
	assert_int_equal(set_peer(c, 1, 1), 0);
	assert_int_equal(end(c, false), 0);
	assert_int_equal(count(c), 0);
	assert_int_equal(fake.listeners_deleted, 2); /* of instance 2 they went with it */
	dp_client_free(c);
}

static void what_is_pushed_belongs_to_an_instance(void **state)
{
	struct dp_client *c = fixture_client();
	struct dp_push_set m = {.instance = test_id(0x1000 + 1), .route_count = 1};
	m.route[0] = test_prefix("192.168.1.0/24");
	size_t len = dp_push_set_size(&m);
	assert_int_equal(call(c, DP_MSG_PUSH_SET, &m, len, -1), -ENOENT);
	assert_int_equal(set_instance(c, 1), 0);
	assert_int_equal(call(c, DP_MSG_PUSH_SET, &m, len, -1), 0);
	fake.keying_error = -ENOMEM;
	assert_int_equal(call(c, DP_MSG_PUSH_SET, &m, len, -1), -ENOMEM);
	fake.keying_error = 0;
	dp_client_free(c);
}

#define T(t) cmocka_unit_test_setup_teardown(t, fixture_start, fixture_stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(listeners_are_set_and_deleted),
		T(without_memory_nothing_is_half_done),
		T(nobody_is_let_in_without_proof),
		T(a_socket_is_of_a_tcp_listener),
		T(a_story_sweeps_listeners),
		T(what_is_pushed_belongs_to_an_instance),
	};
	return cmocka_run_group_tests(tests, fixture_start_eal, fixture_stop_eal);
}
