// SPDX-License-Identifier: Apache-2.0
/* The sockets for OpenVPN's management interface: what they tell, and clients that behave badly. */
#include "dataplane/api/management.h"

#include "dataplane/api/listener.h"
#include "dataplane/base/clock.h"
#include "dataplane/base/unix_socket.h"
#include "dataplane/server/bounds.h"
#include "dataplane/server/state.h"
#include "dataplane/table/peer.h"
#include "dataplane/table/tables.h"
#include "dataplane/table/tunnel.h"
#include "tests/unit/server/fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#define GREETING ">INFO:OpenVPN Management Interface Version 5 -- type 'help' for more info\r\n"

static char path[108]; /* fits sockaddr_un */
static struct tunnel tunnel; /* that there is one is all that the server sees */

static int give(struct dp_client *c, unsigned int instance, int type)
{
	struct dp_management_set m = {.instance = test_id(0x1000 + instance)};
	int fd;
	(void)snprintf(path, sizeof(path), "%s.management", fixture_path());
	(void)unlink(path);
	assert_int_equal(unix_socket_listen(path, type, DP_MANAGEMENT_MODE, 8, &fd), 0);
	int err = dp_client_call(c, DP_MSG_MANAGEMENT_SET, &m, sizeof(m), fd, NULL);
	(void)close(fd);
	return err;
}

/* A client whom the server does not know yet. */
static void add_client(struct dp_client *c, unsigned int n)
{
	struct uuid id = test_id(n);
	assert_int_equal(set_peer(c, n, 1), 0);
	peer_find(fixture_tables(), &id)->tunnel = &tunnel;
}

/* Instance 1 with a socket at path. */
static struct dp_client *start(void)
{
	struct dp_client *c = fixture_client();
	assert_int_equal(set_instance(c, 1), 0);
	assert_int_equal(give(c, 1, SOCK_STREAM), 0);
	fake.client = (struct keying_client_status){
		.number = 17,
		.since_ns = 1709164799 * NS_PER_SEC, /* 2024-02-28 23:59:59 */
		.received_bytes = 12345678901,
		.sent_bytes = 42,
		.remote = {test_prefix("203.0.113.7/32").addr, 1194},
		.address4 = test_prefix("10.200.0.7/32").addr,
		.peer_id = 65538,
		.name = "alice",
		.username = "alice",
		.cipher = "AES-256-GCM",
	};
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

/* Lines up to one that ends an answer, or to the end of the connection. */
static const char *hear(int fd)
{
	static char text[1 << 16];
	size_t len = 0, line = 0;
	text[0] = '\0';
	while (len < sizeof(text) - 1 && recv(fd, text + len, 1, 0) == 1) {
		text[++len] = '\0';
		if (text[len - 1] != '\n')
			continue;
		if (strcmp(text + line, "END\r\n") == 0 || strncmp(text + line, "SUCCESS:", 8) == 0
			|| strncmp(text + line, "ERROR:", 6) == 0 || text[line] == '>')
			break;
		line = len;
	}
	return text;
}

static int open_session(void)
{
	int fd = connect_socket();
	assert_true(fd >= 0);
	assert_string_equal(hear(fd), GREETING);
	return fd;
}

static const char *ask(int fd, const char *command)
{
	say(fd, command);
	return hear(fd);
}

static bool is_closed(int fd)
{
	char byte;
	return recv(fd, &byte, 1, 0) == 0;
}

static void test_what_monitors_ask(void **state)
{
	struct dp_client *c = start();
	int fd = open_session();
	assert_string_equal(ask(fd, "version\n"),
		"OpenVPN Version: OpenVPN 2.6.0 nave-dataplane " NAVE_VERSION
		"\r\nManagement Interface Version: 5\r\nEND\r\n");
	assert_string_equal(
		ask(fd, "load-stats\n"), "SUCCESS: nclients=3,bytesin=1000,bytesout=2000\r\n");
	const char *told = strchr(ask(fd, "state\n"), ',');
	assert_non_null(told);
	assert_string_equal(told, ",CONNECTED,SUCCESS,10.200.0.1,,,,,\r\nEND\r\n");
	assert_non_null(strstr(ask(fd, "help\n"), "client-kill"));
	assert_string_equal(
		ask(fd, "log on\n"), "SUCCESS: real-time log notification set to ON\r\n");
	assert_string_equal(ask(fd, "log all\n"), "END\r\n");
	assert_string_equal(ask(fd, "verb\n"), "SUCCESS: verb=3\r\n");
	assert_string_equal(ask(fd, "verb 4\n"), "SUCCESS: verb level changed\r\n");
	assert_string_equal(
		ask(fd, "state on all\n"), "SUCCESS: real-time state notification set to ON\r\n");
	assert_non_null(strstr(hear(fd), ",CONNECTED,SUCCESS,"));
	say(fd, "quit\n");
	assert_true(is_closed(fd));
	(void)close(fd);
	end_test(c);
}

/* Times of now are not compared. */
static void expect_lines(const char *told, const char *const *lines, size_t count)
{
	char copy[4096], *rest, *at;
	assert_true(strlen(told) < sizeof(copy));
	(void)snprintf(copy, sizeof(copy), "%s", told);
	at = strtok_r(copy, "\r\n", &rest);
	for (size_t n = 0; n < count; n++) {
		assert_non_null(at);
		if (strncmp(at, "TIME", 4) != 0 && strncmp(at, "Updated", 7) != 0)
			assert_string_equal(at, lines[n]);
		at = strtok_r(NULL, "\r\n", &rest);
	}
	assert_null(at);
}

#define EXPECT(told, lines) expect_lines(told, lines, sizeof(lines) / sizeof((lines)[0]))

static void test_status_of_each_version(void **state)
{
	static const char *const one[] = {"OpenVPN CLIENT LIST", "Updated",
		"Common Name,Real Address,Bytes Received,Bytes Sent,Connected Since",
		"alice,203.0.113.7:1194,12345678901,42,2024-02-28 23:59:59", "ROUTING TABLE",
		"Virtual Address,Common Name,Real Address,Last Ref",
		"192.168.7.0/24,alice,203.0.113.7:1194,2024-02-28 23:59:59",
		"10.200.0.7,alice,203.0.113.7:1194,2024-02-28 23:59:59", "GLOBAL STATS",
		"Max bcast/mcast queue length,0", "END"};
	static const char *const two[] = {"TITLE,OpenVPN 2.6.0 nave-dataplane " NAVE_VERSION,
		"TIME",
		"HEADER,CLIENT_LIST,Common Name,Real Address,Virtual Address,Virtual IPv6 Address,"
		"Bytes Received,Bytes Sent,Connected Since,Connected Since (time_t),Username,"
		"Client ID,Peer ID,Data Channel Cipher",
		"CLIENT_LIST,alice,203.0.113.7:1194,10.200.0.7,,12345678901,42,2024-02-28 23:59:59,"
		"1709164799,alice,17,65538,AES-256-GCM",
		"HEADER,ROUTING_TABLE,Virtual Address,Common Name,Real Address,Last Ref,"
		"Last Ref (time_t)",
		"ROUTING_TABLE,192.168.7.0/24,alice,203.0.113.7:1194,2024-02-28 23:59:59,1709164799",
		"ROUTING_TABLE,10.200.0.7,alice,203.0.113.7:1194,2024-02-28 23:59:59,1709164799",
		"GLOBAL_STATS,Max bcast/mcast queue length,0", "END"};
	struct dp_client *c = start();
	add_client(c, 7);
	assert_int_equal(set_peer(c, 8, 1), 0); /* it speaks WireGuard */
	assert_int_equal(set_route(c, 1, "10.200.0.7/32", 7), 0);
	assert_int_equal(set_route(c, 1, "192.168.7.0/24", 7), 0);
	int fd = open_session();
	EXPECT(ask(fd, "status\n"), one);
	EXPECT(ask(fd, "status 1\n"), one);
	EXPECT(ask(fd, "status 2\n"), two);
	char *told = strdup(ask(fd, "status 3\n"));
	for (char *at = told; (at = strchr(at, '\t')) != NULL;)
		*at = ',';
	EXPECT(told, two);
	free(told);
	(void)close(fd);
	end_test(c);
}

/* IPv6 inside and outside, no username, and days that calendars are bad at. */
static void test_status_of_others(void **state)
{
	static const struct {
		uint64_t at_s;
		const char *text;
	} days[] = {{0, "1970-01-01 00:00:00"}, {951782400, "2000-02-29 00:00:00"},
		{1709251199, "2024-02-29 23:59:59"}, {1709251200, "2024-03-01 00:00:00"},
		{1735689599, "2024-12-31 23:59:59"}, {4107542400, "2100-03-01 00:00:00"}};
	struct dp_client *c = start();
	add_client(c, 7);
	fake.client.remote.addr = test_prefix("2001:db8::7/128").addr;
	fake.client.address6 = test_prefix("fd00::7/128").addr;
	fake.client.address4 = (struct ip_addr){0};
	fake.client.username[0] = '\0';
	int fd = open_session();
	for (size_t n = 0; n < sizeof(days) / sizeof(days[0]); n++) {
		char line[256];
		fake.client.since_ns = days[n].at_s * NS_PER_SEC;
		(void)snprintf(line, sizeof(line),
			"CLIENT_LIST,alice,2001:db8::7,,fd00::7,12345678901,42,%s,%llu,UNDEF,17,"
			"65538,AES-256-GCM\r\n",
			days[n].text, (unsigned long long)days[n].at_s);
		assert_non_null(strstr(ask(fd, "status 2\n"), line));
	}
	(void)close(fd);
	end_test(c);
}

static void test_kill(void **state)
{
	struct dp_client *c = start();
	int fd = open_session();
	fake.kill_count = 1;
	assert_string_equal(ask(fd, "kill alice\n"),
		"SUCCESS: common name 'alice' found, 1 client(s) killed\r\n");
	assert_string_equal(fake.killed_name, "alice");
	assert_int_equal(fake.killed.remote.port, 0);
	assert_string_equal(ask(fd, "kill 203.0.113.7:1194\n"),
		"SUCCESS: 1 client(s) at address 203.0.113.7:1194 killed\r\n");
	assert_int_equal(fake.killed.remote.port, 1194);
	assert_null(fake.killed.name);
	assert_string_equal(
		ask(fd, "client-kill 17\n"), "SUCCESS: client-kill command succeeded\r\n");
	assert_int_equal(fake.killed.number, 17);
	assert_false(fake.halted);
	(void)ask(fd, "client-kill 17 HALT\n");
	assert_true(fake.halted);
	fake.kill_count = 0;
	assert_string_equal(ask(fd, "kill bob\n"), "ERROR: common name 'bob' not found\r\n");
	assert_string_equal(ask(fd, "kill [2001:db8::7]:1\n"),
		"ERROR: client at address [2001:db8::7]:1 not found\r\n");
	assert_string_equal(ask(fd, "client-kill 9\n"), "ERROR: client-kill command failed\r\n");
	unsigned int kills = fake.kills;
	fake.kill_count = 9; /* 0 is nobody's number, and not everybody's */
	assert_string_equal(ask(fd, "client-kill 0\n"), "ERROR: client-kill command failed\r\n");
	assert_string_equal(ask(fd, "kill \"\"\n"), "ERROR: kill parse\r\n");
	assert_int_equal(fake.kills, kills);
	(void)close(fd);
	end_test(c);
}

static void test_nonsense_partial_and_many_lines(void **state)
{
	static char junk[8192];
	struct dp_client *c = start();
	int fd = open_session();
	assert_string_equal(ask(fd, "GET / HTTP/1.1\r\n"),
		"ERROR: unknown command [GET], enter 'help' for more options\r\n");
	memset(junk, 'x', sizeof(junk) - 2);
	junk[sizeof(junk) - 2] = '\n';
	assert_string_equal(ask(fd, junk), "ERROR: the line is longer than 255 bytes\r\n");
	say(fd, "\n\r\n \nve");
	say(fd, "rb\r\nverb 1\nlog all\n");
	assert_string_equal(hear(fd), "SUCCESS: verb=3\r\n");
	assert_string_equal(hear(fd), "SUCCESS: verb level changed\r\n");
	assert_string_equal(hear(fd), "END\r\n");
	say(fd, "verb\nhalf a li"); /* what was whole is answered */
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	assert_string_equal(hear(fd), "SUCCESS: verb=3\r\n");
	assert_true(is_closed(fd));
	(void)close(fd);
	end_test(c);
}

/* A status that is longer than the socket's buffer, while nobody reads: others are served, nothing more
 * is made than a piece, and who is gone meanwhile is left out. */
static void test_reader_that_waits(void **state)
{
	enum {
		CLIENTS = 6000,
		DELETED = 100
	};
	struct dp_client *c = start();
	for (unsigned int n = 1; n <= CLIENTS; n++)
		add_client(c, n);
	int fd = open_session();
	say(fd, "status 2\n");
	for (unsigned int n = 1; n <= DELETED; n++) /* the list begins with the newest */
		assert_int_equal(del_peer(c, n), 0);
	const struct socket_connection *u = fixture_server()->management.connections;
	assert_non_null(u);
	assert_true(u->out.room <= (size_t)4 * UAPI_CHUNK);
	FILE *f = fdopen(fd, "r");
	char *line = NULL;
	size_t size = 0;
	unsigned int clients = 0;
	assert_non_null(f);
	while (getline(&line, &size, f) > 0 && strcmp(line, "END\r\n") != 0)
		clients += strncmp(line, "CLIENT_LIST,alice,", 18) == 0;
	assert_string_equal(line, "END\r\n");
	assert_int_equal(clients, CLIENTS - DELETED);
	free(line);
	(void)fclose(f);
	end_test(c);
}

static void test_refuses_other_files(void **state)
{
	struct dp_client *c = fixture_client();
	assert_int_equal(give(c, 1, SOCK_STREAM), -ENOENT);
	assert_int_equal(set_instance(c, 1), 0);
	assert_int_equal(give(c, 1, SOCK_SEQPACKET), -EINVAL);
	assert_int_equal(give(c, 1, SOCK_STREAM), 0);
	assert_int_equal(give(c, 1, SOCK_STREAM), 0); /* replaces */
	(void)close(open_session());
	end_test(c);
}

static void test_instance_takes_its_socket_along(void **state)
{
	struct dp_client *c = start();
	struct dp_instance_del del = {.id = test_id(0x1001)};
	int fd = open_session();
	assert_int_equal(dp_client_call(c, DP_MSG_INSTANCE_DEL, &del, sizeof(del), -1, NULL), 0);
	assert_true(is_closed(fd));
	(void)close(fd);
	assert_int_equal(connect_socket(), -ECONNREFUSED);
	end_test(c);
}

static void test_number_of_connections(void **state)
{
	struct dp_client *c = start();
	int fd[MANAGEMENT_CONNECTIONS_MAX];
	for (unsigned int n = 0; n < MANAGEMENT_CONNECTIONS_MAX; n++)
		fd[n] = open_session();
	int more = connect_socket();
	assert_true(is_closed(more));
	(void)close(more);
	for (unsigned int n = 0; n < MANAGEMENT_CONNECTIONS_MAX; n++)
		(void)close(fd[n]);
	assert_int_equal(set_instance(c, 2), 0); /* it has seen the ends meanwhile */
	(void)close(open_session());
	end_test(c);
}

static int read_sessions(void *ctx, const uint8_t *payload, size_t len)
{
	struct dp_listener m;
	memcpy(&m, payload, sizeof(m));
	*(uint32_t *)ctx = m.sessions;
	return 0;
}

static int read_instance(void *ctx, const uint8_t *payload, size_t len)
{
	memcpy(ctx, payload, len);
	return 0;
}

static void test_lists_tell(void **state)
{
	static struct dp_listener_set m;
	struct dp_instance i;
	uint32_t sessions = 0;
	struct dp_client *c = start();
	assert_int_equal(dp_client_list(c, DP_MSG_INSTANCE_LIST, NULL, 0, read_instance, &i), 0);
	assert_int_equal(i.has_management, 1);
	assert_int_equal(i.has_uapi, 0);
	m = (struct dp_listener_set){.id = test_id(9),
		.instance = test_id(0x1001),
		.port = 1194,
		.transport = DP_TRANSPORT_UDP,
		.flags = DP_LISTENER_CERTIFICATE,
		.cipher = {DP_CIPHER_AES_256_GCM},
		.ca_len = 2,
		.certificate_len = 2,
		.private_key_len = 2,
		.pem = "a\0b\0c"};
	assert_int_equal(
		dp_client_call(c, DP_MSG_LISTENER_SET, &m, dp_listener_set_size(&m), -1, NULL), 0);
	fake.listener_sessions = 5;
	assert_int_equal(
		dp_client_list(c, DP_MSG_LISTENER_LIST, NULL, 0, read_sessions, &sessions), 0);
	assert_int_equal(sessions, 5);
	end_test(c);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_start, fixture_stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_what_monitors_ask),
		TEST(test_status_of_each_version),
		TEST(test_status_of_others),
		TEST(test_kill),
		TEST(test_nonsense_partial_and_many_lines),
		TEST(test_reader_that_waits),
		TEST(test_refuses_other_files),
		TEST(test_instance_takes_its_socket_along),
		TEST(test_number_of_connections),
		TEST(test_lists_tell),
	};
	return cmocka_run_group_tests(tests, fixture_start_eal, fixture_stop_eal);
}
