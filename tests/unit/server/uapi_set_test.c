// SPDX-License-Identifier: Apache-2.0
/* "set=1" of a stand-alone dataplane, through the socket, as wg(8) says it. */
#include "dataplane/api/uapi.h"
#include "dataplane/base/unix_socket.h"
#include "dataplane/server/bounds.h"
#include "dataplane/server/state.h"
#include "dataplane/table/instance.h"
#include "dataplane/table/peer.h"
#include "dataplane/table/tables.h"
#include "tests/unit/server/fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#define ZEROS "0000000000000000000000000000000000000000000000000000000000"
#define KEY_A "0a0000" ZEROS
#define KEY_B "0b0000" ZEROS
#define PEER_A "public_key=" KEY_A "\n"
#define PEER_B "public_key=" KEY_B "\n"
/* The public half of private key KEY_B. */
#define PUBLIC_OF_B "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079"

static char path[108]; /* fits sockaddr_un */
static int connection;
static struct dp_client *client;

static int connect_socket(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct timeval limit = {.tv_sec = 20};
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
	return fd;
}

/* Two instances are there before the server stands alone; the first has a socket. */
static int start(void **state)
{
	struct dp_uapi_set m = {.instance = test_id(0x1001)};
	int fd;
	assert_int_equal(fixture_start(state), 0);
	client = fixture_client();
	(void)snprintf(path, sizeof(path), "%s.uapi", fixture_path());
	assert_int_equal(unix_socket_listen(path, SOCK_STREAM, 0600, 8, &fd), 0);
	assert_int_equal(set_instance(client, 2), 0);
	assert_int_equal(set_instance(client, 1), 0);
	assert_int_equal(dp_client_call(client, DP_MSG_UAPI_SET, &m, sizeof(m), fd, NULL), 0);
	(void)close(fd);
	fixture_server()->stand_alone = true;
	connection = connect_socket();
	return 0;
}

static int stop(void **state)
{
	(void)close(connection);
	dp_client_free(client);
	assert_int_equal(unlink(path), 0);
	return fixture_stop(state);
}

/* The answer to a request. */
static const char *ask(const char *request)
{
	static char text[1 << 14];
	size_t len = 0;
	assert_int_equal(send(connection, request, strlen(request), MSG_NOSIGNAL), strlen(request));
	while (len < 2 || memcmp(text + len - 2, "\n\n", 2) != 0) {
		assert_true(len < sizeof(text) - 1);
		assert_int_equal(recv(connection, text + len++, 1, 0), 1);
	}
	text[len] = '\0';
	return text;
}

static void set(const char *lines, int error)
{
	char request[2048], wanted[32];
	(void)snprintf(request, sizeof(request), "set=1\n%s\n", lines);
	(void)snprintf(wanted, sizeof(wanted), "errno=%d\n\n", error);
	assert_string_equal(ask(request), wanted);
}

static bool shown(const char *lines)
{
	return strstr(ask("get=1\n\n"), lines) != NULL;
}

static void test_peer_comes_and_goes(void **state)
{
	set(PEER_A "preshared_key=" KEY_B "\nendpoint=198.51.100.1:7\n"
		   "persistent_keepalive_interval=9\nallowed_ip=10.0.0.7/8\nallowed_ip=fd00::/64\n",
		0);
	assert_true(fake.last_peer.moves);
	assert_int_equal(fake.last_peer.endpoint.port, 7);
	assert_true(shown(PEER_A "preshared_key=" KEY_B
				 "\nprotocol_version=1\npersistent_keepalive_interval=9\n"));
	assert_true(shown("allowed_ip=fd00::/64\nallowed_ip=10.0.0.0/8\nerrno=0\n"));
	set(PEER_A "remove=true\n", 0);
	assert_false(shown(PEER_A));
	assert_int_equal(list_length(client, DP_MSG_ROUTE_LIST), 0);
	set(PEER_A "remove=true\n", 0);
}

/* What is not named stays. */
static void test_change_of_one_thing(void **state)
{
	set(PEER_A "preshared_key=" KEY_B
		   "\npersistent_keepalive_interval=9\nallowed_ip=10.0.0.0/8\n",
		0);
	set(PEER_A "update_only=true\nallowed_ip=10.0.0.0/9\n", 0);
	assert_true(fake.last_peer.keeps_preshared_key && fake.last_peer.keeps_keepalive
		&& !fake.last_peer.moves);
	assert_true(shown("allowed_ip=10.0.0.0/9\nallowed_ip=10.0.0.0/8\n"));
	set(PEER_A "replace_allowed_ips=true\nallowed_ip=10.0.0.0/10\n", 0);
	assert_true(shown("rx_bytes=0\nallowed_ip=10.0.0.0/10\nerrno=0\n"));
	set(PEER_A "preshared_key=000000" ZEROS "\n", 0);
	assert_true(shown("preshared_key=000000" ZEROS));
	assert_true(shown("persistent_keepalive_interval=9\n"));
	set(PEER_A "persistent_keepalive_interval=0\n", 0);
	assert_true(shown("persistent_keepalive_interval=0\n"));
}

static void test_update_only_makes_nobody(void **state)
{
	set(PEER_A "update_only=true\nallowed_ip=10.0.0.0/8\n", 0);
	assert_false(shown(PEER_A));
}

static void test_network_moves(void **state)
{
	set(PEER_A "allowed_ip=10.0.0.0/8\nallowed_ip=10.1.0.0/16\n", 0);
	set(PEER_B "allowed_ip=10.0.0.0/8\n", 0);
	assert_true(shown("rx_bytes=0\nallowed_ip=10.1.0.0/16\n"));
	assert_int_equal(list_length(client, DP_MSG_ROUTE_LIST), 2);
}

static void test_replace_peers(void **state)
{
	set(PEER_A "allowed_ip=10.0.0.0/8\n", 0);
	set("replace_peers=true\n" PEER_B "allowed_ip=10.0.0.0/8\n", 0);
	assert_false(shown(PEER_A));
	assert_true(shown(PEER_B));
	set("replace_peers=true\n" PEER_B, 0);
	assert_true(shown(PEER_B));
	assert_false(shown("allowed_ip="));
}

static void test_own_key_is_no_peer(void **state)
{
	set("public_key=" PUBLIC_OF_B "\n" PEER_A, 0);
	assert_true(shown(PUBLIC_OF_B));
	set("private_key=" KEY_B "\n", 0);
	assert_false(shown(PUBLIC_OF_B));
	assert_true(shown(PEER_A));
	set("public_key=" PUBLIC_OF_B "\nallowed_ip=10.0.0.0/8\n", 0);
	assert_false(shown(PUBLIC_OF_B));
	assert_int_equal(list_length(client, DP_MSG_ROUTE_LIST), 0);
}

static void test_private_key_cleared(void **state)
{
	set("private_key=" KEY_B "\n", 0);
	assert_true(shown("private_key=" KEY_B "\nlisten_port=51821\n"));
	set("private_key=000000" ZEROS "\n", 0);
	assert_false(shown("private_key="));
	assert_true(key_is_zero(&fake.last_private_key));
}

static void test_listen_port(void **state)
{
	set("listen_port=7\n", 0);
	assert_true(shown("listen_port=7\n"));
	set("listen_port=0\n", 0);
	assert_false(shown("listen_port=7\n"));
	assert_false(shown("listen_port=0\n"));
}

/* The second instance has port 51822. */
static void test_all_or_nothing(void **state)
{
	set("private_key=" KEY_B "\nlisten_port=51822\nreplace_peers=true\n" PEER_A, -EADDRINUSE);
	set("private_key=" KEY_B "\n" PEER_A "persistent_keepalive_interval=65536\n", -EINVAL);
	set("private_key=" KEY_B "\n" PEER_A "allowed_ip=10.0.0.0/8\nnonsense=1\n", -EINVAL);
	assert_false(shown(KEY_A));
	assert_false(shown(KEY_B));
	assert_true(shown("listen_port=51821\n"));
}

/* What shows only in the middle: a peer that would be new is not made. */
static void test_no_half_a_peer(void **state)
{
	fake.keying_error = -ENOMEM;
	set(PEER_A "allowed_ip=10.0.0.0/8\n", -ENOMEM);
	assert_false(shown(PEER_A));
	fake.keying_error = 0;
	set(PEER_A, 0);
	fake.keying_error = -ENOMEM;
	set(PEER_A "persistent_keepalive_interval=7\n", -ENOMEM);
	fake.keying_error = 0;
	assert_true(shown(PEER_A)); /* who was there stays */
	struct instance *i = fixture_tables()->instances; /* the first; the server is idle */
	size_t nodes = i->routes.nodes;
	i->routes.nodes = INSTANCE_ROUTE_NODES_MAX;
	set(PEER_B "allowed_ip=10.0.0.0/8\n", -ENOSPC);
	i->routes.nodes = nodes;
	assert_false(shown(PEER_B));
}

/* No port is left to choose: all that is asked along with it stays undone. */
static void test_no_port_no_change(void **state)
{
	struct tables *t = fixture_tables();
	struct instance *i = t->instances;
	set(PEER_A, 0);
	for (unsigned int port = 32768; port < 65536; port++) {
		if (t->listener[port] == NULL)
			t->listener[port] = i;
	}
	set("listen_port=0\nreplace_peers=true\n" PEER_B, -EADDRINUSE);
	for (unsigned int port = 32768; port < 65536; port++) {
		if (t->listener[port] == i && port != i->wireguard_port)
			t->listener[port] = NULL;
	}
	assert_true(shown(PEER_A));
	assert_false(shown(KEY_B));
}

/* The test moves the counts, not the memory. What does not grow is not refused. */
static void test_limits(void **state)
{
	struct tables *t = fixture_tables();
	set(PEER_A "allowed_ip=10.0.0.0/8\n", 0);
	struct peer *a = t->instances->peers;
	a->route_count = PEER_ROUTES_MAX;
	set(PEER_A "allowed_ip=10.1.0.0/16\n", -ENOSPC);
	set(PEER_A "allowed_ip=10.0.0.0/8\n", 0);
	set(PEER_B "allowed_ip=10.1.0.0/16\n", 0);
	a->route_count = 1;
	uint32_t nodes = t->instances->routes.nodes;
	t->instances->routes.nodes = INSTANCE_ROUTE_NODES_MAX;
	set(PEER_B "allowed_ip=10.0.0.0/8\n", 0); /* it moves */
	t->instances->routes.nodes = nodes;
	t->peer_count += TABLE_MAX_PEERS - 2;
	set("public_key=0c0000" ZEROS "\n", -ENOSPC);
	set(PEER_A "persistent_keepalive_interval=7\n", 0);
	set(PEER_A "remove=true\n" PEER_B, 0);
	set("replace_peers=true\n" PEER_B, 0);
	t->peer_count -= TABLE_MAX_PEERS - 2;
	assert_int_equal(t->peer_count, 1);
	assert_false(shown(PEER_A));
	assert_true(shown(PEER_B));
}

/* Nobody but wg may tell it what there is. */
static void test_node_is_refused(void **state)
{
	struct dp_instance_del del = {.id = test_id(0x1001)};
	assert_int_equal(set_instance(client, 3), -EPERM);
	assert_int_equal(set_peer(client, 1, 1), -EPERM);
	assert_int_equal(set_route(client, 1, "10.0.0.0/8", 0), -EPERM);
	assert_int_equal(
		dp_client_call(client, DP_MSG_INSTANCE_DEL, &del, sizeof(del), -1, NULL), -EPERM);
	assert_int_equal(begin(client, 1, 1), -EPERM);
	struct dp_peer_reset reset = {.id = test_id(1)};
	assert_int_equal(
		dp_client_call(client, DP_MSG_PEER_RESET, &reset, sizeof(reset), -1, NULL), -EPERM);
	assert_int_equal(list_length(client, DP_MSG_INSTANCE_LIST), 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_peer_comes_and_goes),
		TEST(test_change_of_one_thing),
		TEST(test_update_only_makes_nobody),
		TEST(test_network_moves),
		TEST(test_replace_peers),
		TEST(test_own_key_is_no_peer),
		TEST(test_private_key_cleared),
		TEST(test_listen_port),
		TEST(test_all_or_nothing),
		TEST(test_no_half_a_peer),
		TEST(test_no_port_no_change),
		TEST(test_limits),
		TEST(test_node_is_refused),
	};
	return cmocka_run_group_tests(tests, fixture_start_eal, fixture_stop_eal);
}
