// SPDX-License-Identifier: Apache-2.0
/*
 * The socket itself: who may connect, frames that make no sense, clients that do not read, events
 * (reliability-and-security 8.3: C-01 to C-03, C-05, C-28).
 */
#include "dataplane/server/server.h"

#include "dataplane/api/hello.h"
#include "dataplane/base/clock.h"
#include "dataplane/server/bounds.h"
#include "dataplane/server/connection.h"
#include "dataplane/server/state.h"
#include "dataplane/table/peer.h"
#include "dataplane/table/tables.h"
#include "tests/unit/server/fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void send_message(int fd, struct dp_header h, const void *payload)
{
	uint8_t datagram[DP_HEADER_LEN + 256];
	dp_header_encode(&h, datagram);
	if (h.payload_len > 0)
		memcpy(datagram + DP_HEADER_LEN, payload, h.payload_len);
	size_t len = DP_HEADER_LEN + h.payload_len;
	assert_int_equal(send(fd, datagram, len, MSG_NOSIGNAL), len);
}

/* Status of the next reply; its payload as text, cut to size. */
static int receive(int fd, char *text, size_t size)
{
	static uint8_t datagram[DP_MSG_MAX];
	struct dp_header h;
	ssize_t n = recv(fd, datagram, sizeof(datagram), 0);
	assert_true(n > 0);
	assert_int_equal(dp_header_decode(datagram, (size_t)n, &h), 0);
	(void)snprintf(
		text, size, "%.*s", (int)h.payload_len, (const char *)datagram + DP_HEADER_LEN);
	return h.status;
}

static int receive_status(int fd)
{
	char text[1];
	return receive(fd, text, sizeof(text));
}

static bool is_closed(int fd)
{
	char byte;
	ssize_t n = recv(fd, &byte, 1, 0);
	return n == 0 || (n < 0 && errno == ECONNRESET);
}

static int say_hello(int fd, uint32_t version)
{
	struct dp_hello m = {.version = version, .pid = 1};
	struct dp_header h = {.type = DP_MSG_HELLO, .payload_len = sizeof(m)};
	send_message(fd, h, &m);
	return receive_status(fd);
}

/* The server hangs up without a word, whatever is said. */
static bool is_sent_away(int fd)
{
	struct dp_hello m = {.version = DP_API_VERSION};
	struct dp_header h = {.type = DP_MSG_HELLO, .payload_len = sizeof(m)};
	uint8_t datagram[DP_HEADER_LEN + sizeof(m)];
	dp_header_encode(&h, datagram);
	memcpy(datagram + DP_HEADER_LEN, &m, sizeof(m));
	(void)send(fd, datagram, sizeof(datagram), MSG_NOSIGNAL);
	return is_closed(fd);
}

static void c02_hello(void **state)
{
	struct dp_client *c = fixture_client();
	assert_int_equal(dp_client_pid(c), getpid());
	assert_false(uuid_is_zero(dp_client_boot_id(c)));
	dp_client_free(c);

	char words[64], wanted[64];
	int fd = fixture_socket();
	struct dp_hello m = {.version = DP_API_VERSION + 1, .pid = 1};
	send_message(fd, (struct dp_header){.type = DP_MSG_HELLO, .payload_len = sizeof(m)}, &m);
	assert_int_equal(receive(fd, words, sizeof(words)), -EPROTONOSUPPORT);
	(void)snprintf(wanted, sizeof(wanted), "version %u, this is %u", DP_API_VERSION + 1U,
		(unsigned int)DP_API_VERSION);
	assert_string_equal(words, wanted);
	assert_true(is_closed(fd));
	(void)close(fd);

	fd = fixture_socket();
	send_message(fd, (struct dp_header){.type = DP_MSG_PORT_LIST}, NULL);
	assert_int_equal(receive_status(fd), -EPROTO);
	assert_true(is_closed(fd));
	(void)close(fd);
}

static void c03_wrong_frames_close(void **state)
{
	static uint8_t big[DP_MSG_MAX + 1];
	struct dp_header h = {.type = DP_MSG_SYNC_STATE};
	struct {
		size_t len;
		uint32_t payload_len;
		uint16_t flags;
	} const cases[] = {{5, 0, 0}, {DP_HEADER_LEN, 1, 0}, {DP_HEADER_LEN + 4, 0, 0},
		{DP_MSG_MAX + 1, DP_MSG_MAX + 1 - DP_HEADER_LEN, 0},
		{DP_HEADER_LEN, 0, DP_FLAG_REPLY}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int fd = fixture_socket();
		assert_int_equal(say_hello(fd, DP_API_VERSION), 0);
		h.payload_len = cases[i].payload_len;
		h.flags = cases[i].flags;
		dp_header_encode(&h, big);
		assert_int_equal(send(fd, big, cases[i].len, MSG_NOSIGNAL), cases[i].len);
		assert_int_equal(receive_status(fd), -EBADMSG);
		assert_true(is_closed(fd));
		(void)close(fd);
	}
}

static void c05_wrong_content_keeps_the_connection(void **state)
{
	int fd = fixture_socket();
	struct uuid id = {0};
	assert_int_equal(say_hello(fd, DP_API_VERSION), 0);
	send_message(fd, (struct dp_header){.type = 999}, NULL);
	assert_int_equal(receive_status(fd), -EOPNOTSUPP);
	send_message(fd, (struct dp_header){.type = DP_MSG_EVENT}, NULL);
	assert_int_equal(receive_status(fd), -EOPNOTSUPP);
	send_message(fd, (struct dp_header){.type = DP_MSG_PEER_DEL, .payload_len = 15}, &id);
	assert_int_equal(receive_status(fd), -EINVAL);
	send_message(fd, (struct dp_header){.type = DP_MSG_PEER_DEL, .payload_len = 16}, &id);
	assert_int_equal(receive_status(fd), -EINVAL);
	send_message(fd, (struct dp_header){.type = DP_MSG_TUN_SET, .payload_len = 16}, &id);
	assert_int_equal(receive_status(fd), -EINVAL); /* no file */
	send_message(fd, (struct dp_header){.type = DP_MSG_SYNC_STATE}, NULL);
	assert_int_equal(receive_status(fd), 0);
	(void)close(fd);
}

static unsigned int open_files(void)
{
	unsigned int n = 0;
	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void send_files(int fd, struct dp_header h, unsigned int n)
{
	uint8_t header[DP_HEADER_LEN];
	struct iovec iov = {header, sizeof(header)};
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(8 * sizeof(int))];
	} control = {0};
	struct msghdr m = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = CMSG_SPACE(n * sizeof(int))};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(n * sizeof(int));
	for (unsigned int i = 0; i < n; i++)
		memcpy(CMSG_DATA(c) + i * sizeof(int), &(int){STDIN_FILENO}, sizeof(int));
	dp_header_encode(&h, header);
	assert_int_equal(sendmsg(fd, &m, MSG_NOSIGNAL), sizeof(header));
}

/* The server is in this process, so that its files are counted here. */
static void test_unwanted_files_are_closed(void **state)
{
	int fd = fixture_socket();
	assert_int_equal(say_hello(fd, DP_API_VERSION), 0);
	unsigned int before = open_files();
	for (unsigned int n = 1; n <= 8; n++) {
		send_files(fd, (struct dp_header){.type = DP_MSG_SYNC_STATE}, n);
		assert_int_equal(receive_status(fd), -EINVAL);
	}
	assert_int_equal(open_files(), before);
	(void)close(fd);
}

static void test_path(void **state)
{
	struct stat st;
	struct server *second = NULL;
	assert_int_equal(stat(fixture_path(), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
	assert_int_equal(server_new(fixture_path(), fixture_tables(), &second), -EADDRINUSE);
	assert_null(second);
	struct dp_client *c = fixture_client(); /* the first one still answers */
	dp_client_free(c);

	char path[128];
	(void)snprintf(path, sizeof(path), "%s.stale", fixture_path());
	assert_int_equal(server_new(path, fixture_tables(), &second), 0);
	server_free(second);
	assert_int_equal(stat(path, &st), 0); /* stays behind, and is replaced */
	assert_int_equal(server_new(path, fixture_tables(), &second), 0);
	server_free(second);
	assert_int_equal(unlink(path), 0);

	second = NULL;
	int file = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600); /* not ours to remove */
	assert_true(file >= 0);
	(void)close(file);
	assert_int_equal(server_new(path, fixture_tables(), &second), -EADDRINUSE);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(server_new("/nonexistent/x", fixture_tables(), &second), -ENOENT);
	assert_null(second);
	server_free(NULL);
}

/* In a child: 0 when the server hangs up without a word. */
static int connect_as_nobody(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (setgid(65534) != 0 || setuid(65534) != 0)
		return 2;
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
		return 3;
	return is_sent_away(fd) ? 0 : 4;
}

/* Needs root to become somebody else; without root nobody else can be played. */
static void c01_stranger_is_refused(void **state)
{
	char dir[128];
	if (geteuid() != 0)
		skip();
	(void)snprintf(dir, sizeof(dir), "%s", fixture_path());
	*strrchr(dir, '/') = '\0';
	assert_int_equal(chmod(dir, 0755), 0);
	assert_int_equal(chmod(fixture_path(), 0777), 0);
	char text[512] = {0}, wanted[64]; /* of what is logged */
	int said[2], stderr_fd = dup(STDERR_FILENO);
	assert_int_equal(pipe2(said, O_CLOEXEC | O_NONBLOCK), 0);
	assert_int_equal(dup2(said[1], STDERR_FILENO), STDERR_FILENO);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(connect_as_nobody(fixture_path()));
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(dup2(stderr_fd, STDERR_FILENO), STDERR_FILENO);
	(void)close(stderr_fd);
	ssize_t n = read(said[0], text, sizeof(text) - 1);
	(void)close(said[0]);
	(void)close(said[1]);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_true(n > 0);
	(void)snprintf(wanted, sizeof(wanted), "connection refused: pid %d, uid 65534", (int)pid);
	assert_non_null(strstr(text, wanted));
}

static void test_connections_are_bounded(void **state)
{
	int fds[CONNECTIONS_MAX];
	for (unsigned int i = 0; i < CONNECTIONS_MAX; i++) {
		fds[i] = fixture_socket();
		assert_int_equal(say_hello(fds[i], DP_API_VERSION), 0);
	}
	int more = fixture_socket();
	assert_true(is_sent_away(more));
	(void)close(more);
	for (unsigned int i = 0; i < CONNECTIONS_MAX; i++)
		(void)close(fds[i]);
	for (unsigned int tries = 0; tries < 100;
		tries++) { /* the server notices in its own time */
		struct dp_client *c = NULL;
		if (dp_client_open(fixture_path(), &c) == 0) {
			dp_client_free(c);
			return;
		}
		(void)usleep(10000);
	}
	fail_msg("no connection is let in again");
}

/* Asks for lists without reading any until the server reads no more requests; how many. */
static unsigned int ask_until_blocked(int fd)
{
	struct dp_header h = {.type = DP_MSG_COUNTER_LIST};
	uint8_t header[DP_HEADER_LEN];
	unsigned int sent = 0;
	dp_header_encode(&h, header);
	for (unsigned int quiet = 0; quiet < 20;) {
		if (send(fd, header, sizeof(header), MSG_NOSIGNAL | MSG_DONTWAIT) > 0) {
			sent++;
			quiet = 0;
		} else {
			quiet++;
			(void)usleep(5000);
		}
	}
	return sent;
}

/* Reads what comes until the n-th list is complete; false when the connection ends before. */
static bool read_lists(int fd, unsigned int n)
{
	while (n > 0) {
		uint8_t datagram[256];
		struct dp_header h;
		ssize_t len = recv(fd, datagram, sizeof(datagram), 0);
		if (len <= 0)
			return false;
		assert_int_equal(dp_header_decode(datagram, (size_t)len, &h), 0);
		n -= (h.flags & DP_FLAG_DONE) != 0;
	}
	return true;
}

/* A client that asks for lists and does not read: its requests stop being read, others go on. */
static void c28_back_pressure(void **state)
{
	int fd = fixture_socket();
	assert_int_equal(say_hello(fd, DP_API_VERSION), 0);
	unsigned int sent = ask_until_blocked(fd);
	/* the server waits, so this is the test's to read; the last list may go over by itself */
	size_t waits = output_pending(&fixture_server()->connections->out);
	assert_in_range(waits, 256 << 10, (256 + 32) << 10);
	struct dp_client *c = fixture_client();
	assert_int_equal(set_instance(c, 1), 0);
	dp_client_free(c);
	assert_true(read_lists(fd, sent)); /* once it reads, every answer comes */
	(void)close(fd);
}

/* Takes as long as the server's patience: no hello, and replies that nobody reads. */
static void test_patience_ends(void **state)
{
	int mute = fixture_socket(), stalled = fixture_socket();
	struct dp_client *idle = fixture_client();
	assert_int_equal(say_hello(stalled, DP_API_VERSION), 0);
	unsigned int sent = ask_until_blocked(stalled);
	uint64_t start = clock_monotonic_ns();
	assert_true(is_closed(mute));
	assert_in_range(clock_monotonic_ns() - start, (HELLO_TIMEOUT_MS - 1000) * NS_PER_MS,
		(HELLO_TIMEOUT_MS + 2000) * NS_PER_MS);
	(void)usleep((STALL_TIMEOUT_MS - HELLO_TIMEOUT_MS + 1000) * 1000);
	assert_false(read_lists(stalled, sent));
	assert_int_equal(set_instance(idle, 1), 0); /* who owes nothing stays */
	(void)close(mute);
	(void)close(stalled);
	dp_client_free(idle);
}

static void test_one_grace_period_a_batch(void **state)
{
	struct dp_client *c = fixture_client();
	struct dp_reply reply;
	assert_int_equal(set_instance(c, 1), 0);
	for (unsigned int i = 0; i < DP_CLIENT_WINDOW; i++)
		assert_int_equal(set_peer(c, 1 + i, 1), 0);
	for (unsigned int i = 0; i < DP_CLIENT_WINDOW; i++) {
		struct dp_peer_del m = {.id = test_id(1 + i)};
		assert_int_equal(dp_client_send(c, DP_MSG_PEER_DEL, &m, sizeof(m), -1, NULL), 0);
	}
	for (unsigned int i = 0; i < DP_CLIENT_WINDOW; i++) {
		assert_int_equal(dp_client_receive(c, &reply), 0);
		assert_int_equal(reply.status, 0);
	}
	assert_int_equal(list_length(c, DP_MSG_PEER_LIST), 0);
	assert_true(fake.retired >= 1 && fake.retired <= DP_CLIENT_WINDOW);
	dp_client_free(c);
}

static struct dp_event wait_event(struct dp_client *c)
{
	struct pollfd p = {.fd = dp_client_fd(c), .events = POLLIN};
	struct dp_event e;
	assert_int_equal(poll(&p, 1, 5000), 1);
	assert_int_equal(dp_client_event(c, &e), 0);
	return e;
}

static void test_events(void **state)
{
	struct dp_client *c = fixture_client(), *sub = fixture_client();
	assert_int_equal(set_instance(c, 1), 0);
	assert_int_equal(set_peer(c, 1, 1), 0);
	assert_int_equal(dp_client_subscribe(sub), 0);
	struct uuid id = test_id(1), instance = test_id(0x1001);
	/* slot and generation of a peer are the test's to read while nothing is written */
	struct keying_event up = {.type = KEYING_EVENT_SESSION_UP,
		.peer = peer_handle(peer_find(fixture_tables(), &id)),
		.remote = {test_prefix("198.51.100.1/32").addr, 7}};
	struct keying_event gone = up;
	gone.peer += 1ULL << 32;
	struct keying_event missing = {.type = KEYING_EVENT_NEIGHBOUR_MISSING,
		.remote = {test_prefix("203.0.113.9/32").addr, 0},
		.port = 0};
	struct keying_event failed = up;
	failed.type = KEYING_EVENT_HANDSHAKE_FAILED;
	failed.failure = PEER_FAILURE_NO_RESPONSE;
	server_event(fixture_server(), &up);
	server_event(fixture_server(), &gone);
	server_event(fixture_server(), &missing);
	server_event(fixture_server(), &failed);

	struct dp_event e = wait_event(sub);
	assert_int_equal(e.type, DP_EVENT_PEER_SEEN);
	assert_memory_equal(&e.peer, &id, sizeof(id));
	assert_memory_equal(&e.instance, &instance, sizeof(id));
	assert_int_equal(e.endpoint.port, 7);
	assert_true(e.at_ns > 1000000000ULL * 1000000000ULL);
	e = wait_event(sub);
	assert_int_equal(e.type, DP_EVENT_NEIGHBOUR_MISSING);
	assert_true(uuid_is_zero(&e.peer));
	e = wait_event(sub);
	assert_int_equal(e.type, DP_EVENT_HANDSHAKE_FAILED);
	assert_int_equal(e.failure, DP_FAILURE_NO_RESPONSE);
	dp_client_free(sub);
	dp_client_free(c);
}

/* A subscriber that does not read loses events, is told how many, and is not closed. */
static void test_lost_events_are_counted(void **state)
{
	enum {
		ROUNDS = 20
	};
	struct dp_client *sub = fixture_client(), *c = fixture_client();
	struct keying_event e = {.type = KEYING_EVENT_NEIGHBOUR_MISSING,
		.remote = {test_prefix("203.0.113.9/32").addr, 0}};
	assert_int_equal(dp_client_subscribe(sub), 0);
	for (unsigned int round = 0; round < ROUNDS; round++) {
		for (unsigned int i = 0; i < EVENT_RING_SIZE; i++)
			server_event(fixture_server(), &e);
		assert_int_equal(list_length(c, DP_MSG_INSTANCE_LIST), 0); /* a turn went by */
	}
	uint64_t seen = 0, lost = 0;
	while (seen + lost < (uint64_t)ROUNDS * EVENT_RING_SIZE) {
		struct dp_event got = wait_event(sub);
		if (got.type == DP_EVENT_LOST)
			lost += got.lost;
		else
			seen++;
	}
	assert_true(lost > 0 && seen > 100);
	assert_int_equal(seen + lost, (uint64_t)ROUNDS * EVENT_RING_SIZE);
	server_event(fixture_server(), &e);
	assert_int_equal(wait_event(sub).type, DP_EVENT_NEIGHBOUR_MISSING);
	dp_client_free(c);
	dp_client_free(sub);
}

/* A server that takes no turn: what does not fit the ring is counted, not waited for. */
static void test_full_event_ring(void **state)
{
	struct server *idle = NULL;
	char path[128];
	struct keying_event e = {.type = KEYING_EVENT_NEIGHBOUR_MISSING};
	(void)snprintf(path, sizeof(path), "%s.idle", fixture_path());
	assert_int_equal(server_new(path, fixture_tables(), &idle), 0);
	for (unsigned int i = 0; i < EVENT_RING_SIZE + 5; i++)
		server_event(idle, &e);
	assert_int_equal(idle->events.lost, 5);
	event_deliver(idle);
	server_event(idle, &e);
	assert_int_equal(idle->events.lost, 0);
	assert_int_equal(idle->events.put - idle->events.got, 1);
	server_free(idle);
	assert_int_equal(unlink(path), 0);
}

static void test_subscriber_takes_no_requests(void **state)
{
	struct dp_client *sub = fixture_client();
	assert_int_equal(dp_client_subscribe(sub), 0);
	int fd = dp_client_fd(sub);
	send_message(fd, (struct dp_header){.type = DP_MSG_SYNC_STATE}, NULL);
	struct pollfd p = {.fd = fd, .events = POLLIN};
	assert_int_equal(poll(&p, 1, 5000), 1);
	assert_int_equal(receive_status(fd), -EPROTO);
	assert_int_equal(poll(&p, 1, 5000), 1);
	assert_true(is_closed(fd));
	dp_client_free(sub);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(c02_hello, fixture_start, fixture_stop),
		cmocka_unit_test_setup_teardown(
			c03_wrong_frames_close, fixture_start, fixture_stop),
		cmocka_unit_test_setup_teardown(
			c05_wrong_content_keeps_the_connection, fixture_start, fixture_stop),
		cmocka_unit_test_setup_teardown(
			test_unwanted_files_are_closed, fixture_start, fixture_stop),
		cmocka_unit_test_setup_teardown(test_path, fixture_start, fixture_stop),
		cmocka_unit_test_setup_teardown(
			c01_stranger_is_refused, fixture_start, fixture_stop),
		cmocka_unit_test_setup_teardown(
			test_connections_are_bounded, fixture_start, fixture_stop),
		cmocka_unit_test_setup_teardown(c28_back_pressure, fixture_start, fixture_stop),
		cmocka_unit_test_setup_teardown(test_patience_ends, fixture_start, fixture_stop),
		cmocka_unit_test_setup_teardown(
			test_one_grace_period_a_batch, fixture_start, fixture_stop),
		cmocka_unit_test_setup_teardown(test_events, fixture_start, fixture_stop),
		cmocka_unit_test_setup_teardown(
			test_lost_events_are_counted, fixture_start, fixture_stop),
		cmocka_unit_test_setup_teardown(test_full_event_ring, fixture_start, fixture_stop),
		cmocka_unit_test_setup_teardown(
			test_subscriber_takes_no_requests, fixture_start, fixture_stop),
	};
	return cmocka_run_group_tests(tests, fixture_start_eal, fixture_stop_eal);
}
