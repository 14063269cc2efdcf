// SPDX-License-Identifier: Apache-2.0
/*
 * The client against a server made of a script: a thread that expects requests and sends datagrams,
 * good and bad, over a socketpair.
 */
#include "dataplane/api/client.h"

#include "dataplane/api/hello.h"
#include "dataplane/api/sync.h"
#include "tests/unit/api/sample.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum {
	DONE = DP_FLAG_REPLY | DP_FLAG_DONE,
};

/* The server's side; run gets it after the HELLO was answered. */
struct script {
	int fd;
	void (*run)(struct script *s);
	uint8_t rx[DP_MSG_MAX];
	struct dp_header got; /* the last request */
	int file; /* that came with it, or -1 */
	bool no_hello;
	pthread_t thread;
};

static bool expect(struct script *s)
{
	struct iovec iov = {s->rx, sizeof(s->rx)};
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct msghdr m = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(s->fd, &m, 0);
	if (n <= 0 || dp_header_decode(s->rx, (size_t)n, &s->got) != 0)
		return false;
	const struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	s->file = -1;
	if (c != NULL)
		memcpy(&s->file, CMSG_DATA(c), sizeof(int));
	return true;
}

static void say(struct script *s, struct dp_header h, const void *payload)
{
	uint8_t datagram[DP_HEADER_LEN + 2048];
	dp_header_encode(&h, datagram);
	if (h.payload_len > 0)
		memcpy(datagram + DP_HEADER_LEN, payload != NULL ? payload : "", h.payload_len);
	(void)send(s->fd, datagram, DP_HEADER_LEN + h.payload_len, MSG_NOSIGNAL);
}

static void answer(struct script *s, uint16_t flags, int status, const void *payload, size_t len)
{
	struct dp_header h = s->got;
	h.flags = flags;
	h.status = status;
	h.payload_len = (uint32_t)len;
	say(s, h, payload);
}

static void *run_script(void *ctx)
{
	struct script *s = ctx;
	uint8_t hello[64];
	if (s->no_hello) {
		s->run(s);
	} else if (expect(s)) {
		size_t len = sample_reply(DP_MSG_HELLO, hello);
		answer(s, DONE, 0, hello, len);
		s->run(s);
	}
	(void)close(s->fd);
	return NULL;
}

static int open_client(struct script *s, struct dp_client **ret)
{
	int fds[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
	s->fd = fds[0];
	assert_int_equal(pthread_create(&s->thread, NULL, run_script, s), 0);
	return dp_client_open_fd(fds[1], ret);
}

static struct dp_client *open_good(struct script *s, void (*run)(struct script *s))
{
	struct dp_client *c = NULL;
	memset(s, 0, sizeof(*s));
	s->run = run;
	assert_int_equal(open_client(s, &c), 0);
	return c;
}

static void finish(struct script *s, struct dp_client *c)
{
	dp_client_free(c);
	assert_int_equal(pthread_join(s->thread, NULL), 0);
}

static struct script script;

static void run_calls(struct script *s)
{
	struct dp_sync_state state = {.epoch = {{1}}, .generation = 42};
	assert_true(expect(s));
	answer(s, DONE, 0, &state, sizeof(state));
	assert_true(expect(s));
	answer(s, DONE, -ENOENT, "instance x: does not exist", 26);
	assert_true(expect(s));
	answer(s, DONE, 0, NULL, 0);
}

static void test_calls(void **state)
{
	static uint8_t buf[DP_PAYLOAD_MAX];
	struct dp_client *c = open_good(&script, run_calls);
	struct dp_reply reply;
	struct dp_sync_state m;
	assert_int_equal(dp_client_pid(c), 1);
	assert_int_equal(dp_client_boot_id(c)->bytes[0], 0xaa);
	assert_string_equal(dp_client_error(c), "");

	assert_int_equal(dp_client_call(c, DP_MSG_SYNC_STATE, NULL, 0, -1, &reply), 0);
	memcpy(&m, reply.payload, sizeof(m));
	assert_int_equal(m.generation, 42);

	size_t len = sample_request(DP_MSG_ROUTE_SET, buf);
	assert_int_equal(dp_client_call(c, DP_MSG_ROUTE_SET, buf, len, -1, NULL), -ENOENT);
	assert_string_equal(dp_client_error(c), "route_set: instance x: does not exist");
	assert_false(dp_client_is_broken(c));

	/* a wrong request does not leave the house */
	assert_int_equal(dp_client_call(c, DP_MSG_ROUTE_SET, buf, len - 1, -1, NULL), -EINVAL);
	assert_string_equal(dp_client_error(c), "route_set: wrong length");
	assert_int_equal(dp_client_call(c, DP_MSG_TUN_SET, buf, 16, -1, NULL), -EINVAL);
	assert_int_equal(dp_client_call(c, DP_MSG_PEER_LIST, buf, 16, -1, NULL), -EINVAL);
	assert_int_equal(dp_client_call(c, DP_MSG__COUNT, buf, 16, -1, NULL), -EINVAL);
	assert_int_equal(
		dp_client_call(c, DP_MSG_ROUTE_SET, buf, DP_PAYLOAD_MAX + 1, -1, NULL), -EMSGSIZE);

	assert_int_equal(dp_client_call(c, DP_MSG_ROUTE_SET, buf, len, -1, NULL), 0);
	finish(&script, c);
}

static void run_file(struct script *s)
{
	struct stat st = {0};
	assert_true(expect(s));
	assert_true(s->file >= 0);
	assert_int_equal(fstat(s->file, &st), 0);
	assert_true(S_ISFIFO(st.st_mode));
	assert_int_equal(write(s->file, "x", 1), 1);
	(void)close(s->file);
	answer(s, DONE, 0, NULL, 0);
}

static void test_file_goes_with_it(void **state)
{
	struct dp_client *c = open_good(&script, run_file);
	uint8_t buf[64];
	int ends[2];
	char got = 0;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	size_t len = sample_request(DP_MSG_TUN_SET, buf);
	assert_int_equal(dp_client_call(c, DP_MSG_TUN_SET, buf, len, ends[1], NULL), 0);
	assert_int_equal(read(ends[0], &got, 1), 1);
	assert_int_equal(got, 'x');
	(void)close(ends[0]);
	assert_int_equal(close(ends[1]), 0); /* still ours */
	finish(&script, c);
}

static void run_list(struct script *s)
{
	uint8_t buf[2048];
	size_t len = sample_reply(DP_MSG_COUNTER_LIST, buf);
	for (unsigned int round = 0; round < 2; round++) {
		assert_true(expect(s));
		for (unsigned int i = 0; i < 5; i++)
			answer(s, DP_FLAG_REPLY, 0, buf, len);
		answer(s, DONE, 0, NULL, 0);
	}
	assert_true(expect(s));
	answer(s, DP_FLAG_REPLY, 0, buf, len);
	answer(s, DONE, -ENOBUFS, "too much", 8);
}

static int count_to_three(void *ctx, const uint8_t *payload, size_t len)
{
	unsigned int *n = ctx;
	assert_int_equal(len, 56);
	return ++*n == 3 ? -ECANCELED : 0;
}

static int count(void *ctx, const uint8_t *payload, size_t len)
{
	++*(unsigned int *)ctx;
	return 0;
}

static void test_lists(void **state)
{
	struct dp_client *c = open_good(&script, run_list);
	unsigned int n = 0;
	assert_int_equal(dp_client_list(c, DP_MSG_COUNTER_LIST, NULL, 0, count, &n), 0);
	assert_int_equal(n, 5);
	n = 0; /* the rest is read but not shown */
	assert_int_equal(
		dp_client_list(c, DP_MSG_COUNTER_LIST, NULL, 0, count_to_three, &n), -ECANCELED);
	assert_int_equal(n, 3);
	n = 0;
	assert_int_equal(dp_client_list(c, DP_MSG_COUNTER_LIST, NULL, 0, count, &n), -ENOBUFS);
	assert_int_equal(n, 1);
	assert_string_equal(dp_client_error(c), "counter_list: too much");
	assert_int_equal(dp_client_list(c, DP_MSG_SYNC_STATE, NULL, 0, count, &n), -EINVAL);
	assert_false(dp_client_is_broken(c));
	finish(&script, c);
}

static void run_window(struct script *s)
{
	for (unsigned int i = 0; i < DP_CLIENT_WINDOW; i++)
		assert_true(expect(s));
	uint32_t last = s->got.request_id;
	for (uint32_t i = 0; i < DP_CLIENT_WINDOW; i++) {
		s->got.request_id = last - DP_CLIENT_WINDOW + 1 + i;
		answer(s, DONE, i % 2 == 0 ? 0 : -EBUSY, "no", i % 2 == 0 ? 0 : 2);
	}
}

static void test_pipelining(void **state)
{
	struct dp_client *c = open_good(&script, run_window);
	struct dp_reply reply;
	uint8_t buf[64];
	uint32_t first = 0, id = 0;
	size_t len = sample_request(DP_MSG_PEER_DEL, buf);
	assert_int_equal(dp_client_receive(c, &reply), -ENODATA);
	assert_int_equal(dp_client_send(c, DP_MSG_PEER_DEL, buf, len, -1, &first), 0);
	assert_int_equal(dp_client_call(c, DP_MSG_PEER_DEL, buf, len, -1, NULL), -EBUSY);
	for (unsigned int i = 1; i < DP_CLIENT_WINDOW; i++)
		assert_int_equal(dp_client_send(c, DP_MSG_PEER_DEL, buf, len, -1, &id), 0);
	assert_int_equal(id, first + DP_CLIENT_WINDOW - 1);
	assert_int_equal(dp_client_in_flight(c), DP_CLIENT_WINDOW);
	assert_int_equal(dp_client_send(c, DP_MSG_PEER_DEL, buf, len, -1, &id), -EAGAIN);
	for (uint32_t i = 0; i < DP_CLIENT_WINDOW; i++) {
		assert_int_equal(dp_client_receive(c, &reply), 0);
		assert_int_equal(reply.request_id, first + i);
		assert_int_equal(reply.status, i % 2 == 0 ? 0 : -EBUSY);
		assert_true(reply.done);
	}
	assert_int_equal(dp_client_in_flight(c), 0);
	finish(&script, c);
}

static void run_events(struct script *s)
{
	struct dp_event e = {.type = DP_EVENT_LOST, .lost = 9};
	struct dp_header h = {
		.type = DP_MSG_EVENT, .flags = DP_FLAG_EVENT, .payload_len = sizeof(e)};
	assert_true(expect(s));
	answer(s, DONE, 0, NULL, 0);
	say(s, h, &e);
	e.lost = 10;
	say(s, h, &e);
}

static int next_event(struct dp_client *c, struct dp_event *ret)
{
	struct pollfd p = {.fd = dp_client_fd(c), .events = POLLIN};
	assert_int_equal(poll(&p, 1, 5000), 1);
	return dp_client_event(c, ret);
}

static void test_events(void **state)
{
	struct dp_client *c = open_good(&script, run_events);
	struct dp_event e;
	assert_int_equal(dp_client_event(c, &e), -EINVAL);
	assert_int_equal(dp_client_subscribe(c), 0);
	assert_int_equal(next_event(c, &e), 0);
	assert_int_equal(e.lost, 9);
	assert_int_equal(dp_client_send(c, DP_MSG_SYNC_STATE, NULL, 0, -1, NULL), -EBUSY);
	assert_int_equal(next_event(c, &e), 0);
	assert_int_equal(e.lost, 10);
	assert_int_equal(next_event(c, &e), -ECONNRESET);
	assert_true(dp_client_is_broken(c));
	assert_int_equal(dp_client_event(c, &e), -ENOTCONN);
	finish(&script, c);
}

static void run_until_told(struct script *s)
{
	assert_true(expect(s));
	answer(s, DONE, 0, NULL, 0);
	(void)expect(s); /* until the client goes */
}

static void test_no_event_yet(void **state)
{
	struct dp_client *c = open_good(&script, run_until_told);
	struct dp_event e;
	assert_int_equal(dp_client_subscribe(c), 0);
	assert_int_equal(dp_client_event(c, &e), -EAGAIN);
	assert_false(dp_client_is_broken(c));
	finish(&script, c);
}

/* What a broken dataplane may say to a SYNC_STATE: each must end the connection. */
static void say_nothing(struct script *s)
{
	(void)expect(s);
}

static void say_short(struct script *s)
{
	(void)expect(s);
	(void)send(s->fd, "short", 5, MSG_NOSIGNAL);
}

static void say_oversize(struct script *s)
{
	static uint8_t big[DP_MSG_MAX + 64];
	struct dp_header h;
	(void)expect(s);
	h = s->got;
	h.flags = DONE;
	h.payload_len = sizeof(big) - DP_HEADER_LEN;
	dp_header_encode(&h, big);
	(void)send(s->fd, big, sizeof(big), MSG_NOSIGNAL);
}

static void say_wrong_id(struct script *s)
{
	(void)expect(s);
	s->got.request_id++;
	answer(s, DONE, 0, NULL, 0);
}

static void say_wrong_type(struct script *s)
{
	(void)expect(s);
	s->got.type = DP_MSG_PEER_DEL;
	answer(s, DONE, 0, NULL, 0);
}

static void say_event(struct script *s)
{
	uint8_t buf[128];
	(void)expect(s);
	struct dp_header h = {.type = DP_MSG_EVENT, .flags = DP_FLAG_EVENT};
	h.payload_len = (uint32_t)sample_reply(DP_MSG_EVENT, buf);
	say(s, h, buf);
}

static void say_truncated(struct script *s)
{
	struct dp_sync_state m = {.epoch = {{1}}};
	(void)expect(s);
	answer(s, DONE, 0, &m, sizeof(m) - 1);
}

static void say_wrong_content(struct script *s)
{
	struct dp_sync_state m = {.generation = 1};
	(void)expect(s);
	answer(s, DONE, 0, &m, sizeof(m));
}

static void say_without_end(struct script *s)
{
	struct dp_sync_state m = {.epoch = {{1}}};
	(void)expect(s);
	answer(s, DP_FLAG_REPLY, 0, &m, sizeof(m));
}

static void say_terminal_codes(struct script *s)
{
	(void)expect(s);
	answer(s, DONE, -EINVAL, "\033[2J", 4);
}

static void test_nonsense_breaks(void **state)
{
	void (*const runs[])(struct script * s) = {say_nothing, say_short, say_oversize,
		say_wrong_id, say_wrong_type, say_event, say_truncated, say_wrong_content,
		say_without_end, say_terminal_codes};
	for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
		struct dp_client *c = open_good(&script, runs[i]);
		struct dp_reply reply = {.request_id = 4711};
		int want = runs[i] == say_nothing ? -ECONNRESET : -EBADMSG;
		assert_int_equal(dp_client_call(c, DP_MSG_SYNC_STATE, NULL, 0, -1, &reply), want);
		assert_int_equal(reply.request_id, 4711);
		assert_true(dp_client_is_broken(c));
		assert_int_equal(
			dp_client_call(c, DP_MSG_SYNC_STATE, NULL, 0, -1, &reply), -ENOTCONN);
		finish(&script, c);
	}
}

static void refuse_version(struct script *s)
{
	(void)expect(s);
	answer(s, DONE, -EPROTONOSUPPORT, "version 1, this is 2", 20);
}

static void say_other_version(struct script *s)
{
	struct dp_hello m = {.version = DP_API_VERSION + 1, .pid = 1, .boot_id = {{1}}};
	(void)expect(s);
	answer(s, DONE, 0, &m, sizeof(m));
}

static void hang_up(struct script *s)
{
}

static void test_hello_refused(void **state)
{
	struct {
		void (*run)(struct script *s);
		int want;
	} const cases[] = {{refuse_version, -EPROTONOSUPPORT},
		{say_other_version, -EPROTONOSUPPORT}, {say_short, -EBADMSG},
		{say_nothing, -ECONNRESET}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct dp_client *c = NULL;
		memset(&script, 0, sizeof(script));
		script.no_hello = true;
		script.run = cases[i].run;
		assert_int_equal(open_client(&script, &c), cases[i].want);
		assert_null(c);
		assert_int_equal(pthread_join(script.thread, NULL), 0);
	}
	struct dp_client *c = NULL;
	memset(&script, 0, sizeof(script));
	script.no_hello = true;
	script.run = hang_up;
	assert_true(open_client(&script, &c) < 0);
	assert_null(c);
	assert_int_equal(pthread_join(script.thread, NULL), 0);
}

static void test_no_dataplane(void **state)
{
	struct dp_client *c = NULL;
	char long_path[200];
	memset(long_path, 'a', sizeof(long_path) - 1);
	long_path[sizeof(long_path) - 1] = '\0';
	assert_int_equal(dp_client_open("/nonexistent/dataplane.sock", &c), -ENOENT);
	assert_int_equal(dp_client_open(long_path, &c), -ENAMETOOLONG);
	assert_int_equal(dp_client_open("", &c), -ENAMETOOLONG);
	assert_null(c);
	dp_client_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_calls),
		cmocka_unit_test(test_file_goes_with_it),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_pipelining),
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_no_event_yet),
		cmocka_unit_test(test_nonsense_breaks),
		cmocka_unit_test(test_hello_refused),
		cmocka_unit_test(test_no_dataplane),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
