// SPDX-License-Identifier: Apache-2.0
/*
 * C-30 (reliability-and-security 8.3): a worker that hangs is seen within 2 s, said, counted, and the
 * supervisor is not fed any more. The test plays worker and supervisor. Also what COUNTER_LIST tells
 * of memory.
 */
#include "dataplane/server/watchdog.h"

#include "dataplane/api/counter.h"
#include "dataplane/base/clock.h"
#include "dataplane/table/tables.h"
#include "tests/unit/server/fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>
#include <rte_rcu_qsbr.h>

enum {
	WORKER = 1, /* of two: it is named, the other is not */
};

static int supervisor;
static FILE *said; /* what goes to standard error while it is caught */
static int standard_error;

static void catch_standard_error(void)
{
	said = tmpfile();
	standard_error = dup(STDERR_FILENO);
	assert_true(said != NULL && standard_error >= 0);
	(void)dup2(fileno(said), STDERR_FILENO);
}

/* Ends that. */
static void read_what_was_said(char text[4096])
{
	(void)dup2(standard_error, STDERR_FILENO);
	(void)close(standard_error);
	rewind(said);
	text[fread(text, 1, 4095, said)] = '\0';
	(void)fclose(said);
}

static int start_supervised(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct timeval limit = {.tv_sec = 20};
	char name[sizeof(address.sun_path)];
	int len = snprintf(name, sizeof(name), "@nave-watchdog-%d", (int)getpid());
	memcpy(address.sun_path + 1, name + 1, (size_t)len - 1);
	supervisor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(supervisor >= 0);
	assert_int_equal(bind(supervisor, (const struct sockaddr *)&address,
				 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)len)),
		0);
	assert_int_equal(setsockopt(supervisor, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
	/* No other thread yet. NOLINTBEGIN(concurrency-mt-unsafe) */
	assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
	assert_int_equal(setenv("WATCHDOG_USEC", "15000000", 1), 0);
	/* NOLINTEND(concurrency-mt-unsafe) */
	return fixture_start(state);
}

static int stop_supervised(void **state)
{
	int err = fixture_stop(state);
	(void)close(supervisor);
	/* The server's thread is gone. NOLINTBEGIN(concurrency-mt-unsafe) */
	(void)unsetenv("NOTIFY_SOCKET");
	(void)unsetenv("WATCHDOG_USEC");
	/* NOLINTEND(concurrency-mt-unsafe) */
	return err;
}

static bool is_told(const char *wanted)
{
	char text[64] = "";
	ssize_t n = recv(supervisor, text, sizeof(text) - 1, 0);
	return n > 0 && strcmp(text, wanted) == 0;
}

/* What was said already is read; is there anything within ms? */
static bool is_fed_within(int ms)
{
	char text[64];
	while (recv(supervisor, text, sizeof(text), MSG_DONTWAIT) > 0)
		continue;
	(void)usleep((useconds_t)ms * 1000);
	return recv(supervisor, text, sizeof(text), MSG_DONTWAIT) > 0;
}

struct search {
	const char *name;
	uint64_t value;
	bool found;
};

static int look(void *ctx, const uint8_t *payload, size_t len)
{
	struct search *s = ctx;
	struct dp_counter m;
	memcpy(&m, payload, sizeof(m));
	if (strcmp(m.name, s->name) == 0) {
		s->value = m.value;
		s->found = true;
	}
	return 0;
}

static uint64_t counter(struct dp_client *c, const char *name)
{
	struct search s = {.name = name};
	assert_int_equal(dp_client_list(c, DP_MSG_COUNTER_LIST, NULL, 0, look, &s), 0);
	assert_true(s.found);
	return s.value;
}

static void c30_hung_worker_is_seen(void **state)
{
	struct rte_rcu_qsbr *q = fixture_tables()->qsbr;
	struct dp_client *c = fixture_client();
	char log[4096];
	fixture_tables()->workers = WORKER + 1;
	assert_true(is_told("READY=1"));
	assert_true(is_told("WATCHDOG=1"));
	assert_int_equal(rte_rcu_qsbr_thread_register(q, WORKER), 0);
	rte_rcu_qsbr_thread_online(q, WORKER);
	uint64_t start = clock_monotonic_ns();
	catch_standard_error();
	while (counter(c, "worker_stalls") == 0 && clock_monotonic_ns() - start < 20 * NS_PER_SEC)
		(void)usleep(50000);
	read_what_was_said(log);
	assert_int_equal(counter(c, "worker_stalls"), 1);
	assert_non_null(strstr(log, "worker 1: "));
	assert_null(strstr(log, "worker 0: "));
	assert_true(clock_monotonic_ns() - start >= WATCHDOG_STALL_MS * NS_PER_MS);
	assert_false(is_fed_within(3 * WATCHDOG_TICK_MS));
	rte_rcu_qsbr_quiescent(q, WORKER); /* it was slow, not dead */
	rte_rcu_qsbr_thread_offline(q, WORKER); /* who sleeps does not hang */
	while (recv(supervisor, &(char){0}, 1, MSG_DONTWAIT) > 0)
		continue;
	assert_true(is_told("WATCHDOG=1"));
	assert_int_equal(counter(c, "worker_stalls"), 1);
	(void)rte_rcu_qsbr_thread_unregister(q, WORKER);
	dp_client_free(c);
}

static void memory_is_told(void **state)
{
	struct dp_client *c = fixture_client();
	assert_int_equal(counter(c, "peers_now"), 0);
	uint64_t routes = counter(c, "memory_routes_bytes_now");
	assert_int_equal(set_instance(c, 1), 0);
	for (unsigned int n = 1; n <= 10; n++)
		assert_int_equal(set_peer(c, n, 1), 0);
	assert_int_equal(set_route(c, 1, "10.200.0.2/32", 1), 0);
	assert_int_equal(counter(c, "instances_now"), 1);
	assert_int_equal(counter(c, "peers_now"), 10);
	assert_int_equal(counter(c, "routes_now"), 1);
	assert_int_equal(counter(c, "sessions_now"), 0);
	assert_int_equal(counter(c, "packets_free_now"), 63);
	assert_in_range(counter(c, "memory_peers_bytes_now"), 2560, 10240);
	assert_true(counter(c, "memory_routes_bytes_now") > routes + 4096);
	assert_true(counter(c, "memory_packets_bytes_now") > 63UL * 128);
	assert_true(counter(c, "memory_reserved_bytes_now") > 16 << 20);
	assert_true(counter(c, "memory_used_bytes_now") > 1 << 20);
	dp_client_free(c);
}

static void load_is_told(void **state)
{
	struct dp_client *c = fixture_client();
	assert_int_equal(counter(c, "worker0_busy_ns"), 100);
	assert_int_equal(counter(c, "worker1_idle_ns"), 2000);
	assert_int_equal(counter(c, "worker0_longest_round_ns_now"), 300);
	assert_int_equal(counter(c, "worker1_inject_ring_now"), 40);
	assert_int_equal(counter(c, "worker1_handoff_ring_now"), 50);
	assert_int_equal(counter(c, "keying_ring_now"), 0);
	assert_int_equal(counter(c, "host_ring_now"), 0);
	dp_client_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			c30_hung_worker_is_seen, start_supervised, stop_supervised),
		cmocka_unit_test_setup_teardown(memory_is_told, fixture_start, fixture_stop),
		cmocka_unit_test_setup_teardown(load_is_told, fixture_start, fixture_stop),
	};
	return cmocka_run_group_tests(tests, fixture_start_eal, fixture_stop_eal);
}
