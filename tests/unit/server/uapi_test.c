// SPDX-License-Identifier: Apache-2.0
/* The sockets for wg(8) of a managed dataplane: what they tell, and clients that behave badly. */
#include "dataplane/api/uapi.h"

#include "dataplane/base/unix_socket.h"
#include "dataplane/server/bounds.h"
#include "dataplane/server/state.h"
#include "tests/unit/server/fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

static char path[108]; /* fits sockaddr_un */

/* A socket beside the fixture's. */
static int open_listener(int type)
{
	int fd;
	(void)snprintf(path, sizeof(path), "%s.uapi", fixture_path());
	assert_int_equal(unix_socket_listen(path, type, 0600, 8, &fd), 0);
	return fd;
}

static int give(struct dp_client *c, unsigned int instance, int fd)
{
	struct dp_uapi_set m = {.instance = test_id(0x1000 + instance)};
	int err = dp_client_call(c, DP_MSG_UAPI_SET, &m, sizeof(m), fd, NULL);
	(void)close(fd);
	return err;
}

/* Instance 1 with a socket at path. */
static struct dp_client *start(void)
{
	struct dp_client *c = fixture_client();
	assert_int_equal(set_instance(c, 1), 0);
	assert_int_equal(give(c, 1, open_listener(SOCK_STREAM)), 0);
	return c;
}

static void end_test(struct dp_client *c)
{
	dp_client_free(c);
	assert_int_equal(unlink(path), 0);
}

static int connect_socket(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct timeval limit = {.tv_sec = 20};
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	int err = -errno;
	(void)close(fd);
	return err;
}

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Everything up to an empty line, or to the end of the connection. */
static const char *hear(int fd)
{
	static char text[1 << 16];
	size_t len = 0;
	ssize_t n;
	text[0] = '\0';
	while (len < 2 || memcmp(text + len - 2, "\n\n", 2) != 0) {
		assert_true(len < sizeof(text) - 1);
		n = recv(fd, text + len, 1, 0);
		if (n <= 0)
			break;
		len += (size_t)n;
		text[len] = '\0';
	}
	return text;
}

static bool is_closed(int fd)
{
	char byte;
	return recv(fd, &byte, 1, 0) == 0;
}

#define PRIVATE_KEY "private_key=010100" ZEROS "\n"
#define ZEROS "0000000000000000000000000000000000000000000000000000000000"

static void test_tells_the_instance(void **state)
{
	struct dp_client *c = start();
	int fd = connect_socket();
	say(fd, "get=1\n\n");
	assert_string_equal(hear(fd), PRIVATE_KEY "listen_port=51821\nerrno=0\n\n");
	(void)close(fd);
	end_test(c);
}

static void test_tells_peers(void **state)
{
	struct dp_client *c = start();
	struct dp_peer_set m = test_peer(7, 1);
	m.keepalive_s = 25;
	assert_int_equal(dp_client_call(c, DP_MSG_PEER_SET, &m, dp_peer_set_size(&m), -1, NULL), 0);
	assert_int_equal(set_route(c, 1, "10.200.0.7/32", 7), 0);
	assert_int_equal(set_route(c, 1, "fd00:7::/64", 7), 0);
	assert_int_equal(set_route(c, 1, "10.200.0.8/32", 0), 0); /* nobody's */
	int fd = connect_socket();
	say(fd, "get=1\n\n");
	assert_string_equal(hear(fd),
		PRIVATE_KEY "listen_port=51821\n"
			    "public_key=090007" ZEROS "\npreshared_key=000000" ZEROS
			    "\nprotocol_version=1\npersistent_keepalive_interval=25\n"
			    "last_handshake_time_sec=0\nlast_handshake_time_nsec=0\ntx_bytes=0\n"
			    "rx_bytes=0\nallowed_ip=fd00:7::/64\nallowed_ip=10.200.0.7/32\n"
			    "errno=0\n\n");
	(void)close(fd);
	end_test(c);
}

/* The node alone changes what it manages. */
static void test_set_is_refused(void **state)
{
	struct dp_client *c = start();
	unsigned int set = fake.instances_set;
	int fd = connect_socket();
	say(fd, "set=1\nlisten_port=1\n\n");
	assert_string_equal(hear(fd), "errno=-1\n\n");
	say(fd, "set=1\nnonsense\n\n");
	assert_string_equal(hear(fd), "errno=-1\n\n");
	assert_int_equal(fake.instances_set, set);
	(void)close(fd);
	end_test(c);
}

static void test_refuses_nonsense_and_goes_on(void **state)
{
	static const char *const nonsense[] = {
		"\n", "get=2\n\n", "GET / HTTP/1.1\r\n\r\n\n", "get=1\nlisten_port=1\n\n"};
	struct dp_client *c = start();
	for (size_t i = 0; i < sizeof(nonsense) / sizeof(nonsense[0]); i++) {
		int fd = connect_socket();
		say(fd, nonsense[i]);
		assert_string_equal(hear(fd), "errno=-22\n\n");
		say(fd, "get=1\n\n");
		assert_non_null(strstr(hear(fd), "errno=0\n"));
		(void)close(fd);
	}
	end_test(c);
}

/* It says no more, but it listens. */
static void test_answers_half_a_request(void **state)
{
	struct dp_client *c = start();
	int fd = connect_socket();
	say(fd, "get=1\n");
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	assert_string_equal(hear(fd), "errno=-22\n\n");
	assert_true(is_closed(fd));
	(void)close(fd);
	end_test(c);
}

static void test_two_requests_at_once_and_byte_by_byte(void **state)
{
	static const char text[] = "get=1\n\n";
	struct dp_client *c = start();
	int fd = connect_socket();
	say(fd, "get=1\n\nget=1\n\n");
	for (unsigned int i = 0; i < 2; i++)
		assert_string_equal(hear(fd), PRIVATE_KEY "listen_port=51821\nerrno=0\n\n");
	for (size_t i = 0; i < sizeof(text) - 1; i++)
		assert_int_equal(send(fd, text + i, 1, MSG_NOSIGNAL), 1);
	assert_string_equal(hear(fd), PRIVATE_KEY "listen_port=51821\nerrno=0\n\n");
	(void)close(fd);
	end_test(c);
}

static void test_refuses_other_files(void **state)
{
	struct dp_client *c = fixture_client();
	int pair[2];
	int fd = open_listener(SOCK_SEQPACKET);
	assert_int_equal(give(c, 1, dup(fd)), -ENOENT);
	assert_int_equal(set_instance(c, 1), 0);
	assert_int_equal(give(c, 1, fd), -EINVAL);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(give(c, 1, pair[0]), -EINVAL);
	(void)close(pair[1]);
	assert_int_equal(give(c, 1, open("/dev/null", O_RDWR | O_CLOEXEC)), -EINVAL);
	end_test(c);
}

static void test_another_socket_replaces(void **state)
{
	struct dp_client *c = start();
	assert_int_equal(unlink(path), 0);
	assert_int_equal(give(c, 1, open_listener(SOCK_STREAM)), 0);
	int fd = connect_socket();
	say(fd, "get=1\n\n");
	assert_non_null(strstr(hear(fd), "errno=0\n"));
	(void)close(fd);
	end_test(c);
}

static void test_instance_takes_its_socket_along(void **state)
{
	struct dp_client *c = start();
	struct dp_instance_del del = {.id = test_id(0x1001)};
	int fd = connect_socket();
	say(fd, "get=1\n\n");
	assert_non_null(strstr(hear(fd), "errno=0\n"));
	assert_int_equal(dp_client_call(c, DP_MSG_INSTANCE_DEL, &del, sizeof(del), -1, NULL), 0);
	assert_true(is_closed(fd));
	(void)close(fd);
	assert_int_equal(connect_socket(), -ECONNREFUSED);
	assert_true(unix_socket_is_stale(path, SOCK_STREAM));
	end_test(c);
}

static void test_number_of_connections(void **state)
{
	struct dp_client *c = start();
	int fd[UAPI_CONNECTIONS_MAX];
	for (unsigned int i = 0; i < UAPI_CONNECTIONS_MAX; i++) {
		fd[i] = connect_socket();
		say(fd[i], "get=1\n\n");
		assert_non_null(strstr(hear(fd[i]), "errno=0\n"));
	}
	int more = connect_socket();
	assert_true(is_closed(more));
	(void)close(more);
	for (unsigned int i = 0; i < UAPI_CONNECTIONS_MAX; i++)
		(void)close(fd[i]);
	assert_int_equal(set_instance(c, 2), 0); /* it has seen the ends meanwhile */
	more = connect_socket();
	say(more, "get=1\n\n");
	assert_non_null(strstr(hear(more), "errno=0\n"));
	(void)close(more);
	end_test(c);
}

static unsigned int count_lines(int fd, const char *begin)
{
	FILE *f = fdopen(fd, "r");
	char *line = NULL;
	size_t size = 0;
	unsigned int n = 0;
	assert_non_null(f);
	while (getline(&line, &size, f) > 1)
		n += strncmp(line, begin, strlen(begin)) == 0;
	free(line);
	(void)fclose(f);
	return n;
}

/* A list that is longer than the socket's buffer, while nobody reads: others are served, nothing
 * more is made than a piece, and what is deleted meanwhile is left out. */
static void test_reader_that_waits(void **state)
{
	enum {
		PEERS = 4000,
		DELETED = 100
	};
	struct dp_client *c = start();
	for (unsigned int i = 1; i <= PEERS; i++)
		assert_int_equal(set_peer(c, i, 1), 0);
	int fd = connect_socket();
	say(fd, "get=1\n\n");
	for (unsigned int i = 1; i <= DELETED; i++) /* the list begins with the newest */
		assert_int_equal(del_peer(c, i), 0);
	const struct socket_connection *u = fixture_server()->uapi.connections;
	assert_non_null(u);
	assert_true(u->out.room <= (size_t)4 * UAPI_CHUNK);
	assert_int_equal(count_lines(fd, "public_key="), PEERS - DELETED);
	end_test(c);
}

static void test_reader_that_stalls_is_dropped(void **state)
{
	enum {
		PEERS = 4000
	};
	struct dp_client *c = start();
	for (unsigned int i = 1; i <= PEERS; i++)
		assert_int_equal(set_peer(c, i, 1), 0);
	int fd = connect_socket();
	say(fd, "get=1\n\n");
	struct pollfd gone = {.fd = fd}; /* POLLHUP comes unasked */
	assert_int_equal(poll(&gone, 1, 2 * STALL_TIMEOUT_MS), 1);
	assert_int_equal(gone.revents & POLLHUP, POLLHUP);
	(void)close(fd);
	end_test(c);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_start, fixture_stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_tells_the_instance),
		TEST(test_tells_peers),
		TEST(test_set_is_refused),
		TEST(test_refuses_nonsense_and_goes_on),
		TEST(test_answers_half_a_request),
		TEST(test_two_requests_at_once_and_byte_by_byte),
		TEST(test_refuses_other_files),
		TEST(test_another_socket_replaces),
		TEST(test_instance_takes_its_socket_along),
		TEST(test_number_of_connections),
		TEST(test_reader_that_waits),
		TEST(test_reader_that_stalls_is_dropped),
	};
	return cmocka_run_group_tests(tests, fixture_start_eal, fixture_stop_eal);
}
