// SPDX-License-Identifier: Apache-2.0
/*
 * Two workers in their own loops, on the two queues of a port in memory, while this thread does what
 * server and keying do: peers, sessions and instances come and go under traffic.
 */
#include "dataplane/worker/worker.h"

#include "bench/memory_hub.h"
#include "dataplane/base/clock.h"
#include "dataplane/table/instance.h"
#include "dataplane/table/peer.h"
#include "dataplane/table/session.h"
#include "tests/unit/dice.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <rte_ring.h>

enum {
	WORKERS = 2,
	PEERS = 8,
	STABLE = 2, /* peers 0 and 1 live all the time */
	SIZE = 100,
	BURST = 16,
	OUTSTANDING = 512, /* frames on their way: no ring gets full */
	ROUNDS = 1500,
	INSTANCE_ROUNDS = 100,
	COUNTERS_MAX = 1 << 17,
};

static struct memory_hub hub;
static struct worker *worker[WORKERS];
static pthread_t thread[WORKERS];
static unsigned int running;
static unsigned int available;
static uint64_t fed[PEERS]; /* different frames of each */
static uint64_t copies; /* frames of peer 0 that came twice */
static uint8_t seen[COUNTERS_MAX]; /* counters under which peer 1 got something */

static int start_hub(void **state)
{
	struct memory_hub_settings s = {.peers = PEERS,
		.flags = INSTANCE_SITE_TO_SITE,
		.mbufs = 4095,
		.sites = true,
		.workers = WORKERS,
		.queue_size = 4096};
	int err = memory_hub_new(&hub, &s);
	available = err == 0 ? rte_mempool_avail_count(hub.rings.pool) : 0;
	return err;
}

static void *run(void *arg)
{
	(void)worker_run(arg);
	return NULL;
}

static void stop_workers(void)
{
	for (unsigned int w = 0; w < running; w++)
		worker_stop(worker[w]);
	for (; running > 0; running--) {
		(void)pthread_join(thread[running - 1], NULL);
		worker_free(worker[running - 1]);
	}
}

static void start_workers(void)
{
	assert_int_equal(running, 0);
	for (; running < WORKERS; running++) {
		struct worker_config c = {hub.tables, &hub.rings,
			counter_registry_add(&hub.tables->counters), running, 50};
		assert_int_equal(worker_new(&c, &worker[running]), 0);
		assert_int_equal(pthread_create(&thread[running], NULL, run, worker[running]), 0);
	}
}

static int end_hub(void **state)
{
	stop_workers(); /* when a test failed */
	memory_hub_free(&hub);
	return 0;
}

/* Peers are told apart by the port that they sit at. */
static void look_at_sent(struct rte_mbuf *m)
{
	const uint8_t *frame = rte_pktmbuf_mtod(m, const uint8_t *);
	unsigned int peer = (unsigned int)(frame[36] << 8 | frame[37]) - 10000;
	uint64_t counter = message_read_le64(frame + 42 + 8);
	if (peer != 1)
		return;
	assert_true(counter < COUNTERS_MAX);
	assert_int_equal(seen[counter]++, 0); /* a nonce is used once */
}

/* What left the hub, what waits for a key that nobody makes here, and what is the host's. */
static void drain(void)
{
	struct rte_mbuf *m[64];
	struct keying_message message;
	unsigned int n;
	while ((n = memory_hub_sent(&hub, m, 64)) > 0) {
		for (unsigned int i = 0; i < n; i++)
			look_at_sent(m[i]);
		rte_pktmbuf_free_bulk(m, n);
	}
	while (rings_keying_get(&hub.rings, &message))
		rte_pktmbuf_free(message.mbuf);
	n = rte_ring_dequeue_burst(hub.rings.host, (void **)m, 64, NULL);
	rte_pktmbuf_free_bulk(m, n);
}

static unsigned int outstanding(void)
{
	return available - rte_mempool_avail_count(hub.rings.pool);
}

static void wait_until_below(unsigned int frames)
{
	uint64_t until = clock_monotonic_ns() + 20 * NS_PER_SEC;
	while (outstanding() >= frames) {
		drain();
		(void)sched_yield();
		assert_true(clock_monotonic_ns() < until);
	}
}

static void put(unsigned int queue, struct rte_mbuf *m)
{
	assert_int_equal(rte_ring_enqueue(hub.arriving[queue], m), 0);
}

/* From anybody to anybody, by any queue; some of peer 0 by both. */
static void feed(void)
{
	uint8_t inner[SIZE];
	for (unsigned int n = 0; n < BURST; n++) {
		unsigned int from = dice_roll() % PEERS;
		unsigned int to = (from + 1 + dice_roll() % (PEERS - 1)) % PEERS;
		struct ip_addr a = memory_hub_address4(from), b = memory_hub_address4(to);
		unsigned int queue = dice_roll() % WORKERS;
		memory_hub_inner4(inner, SIZE, &a, &b);
		struct rte_mbuf *m = memory_hub_frame(&hub, from, inner, SIZE);
		assert_non_null(m);
		if (from == 0 && dice_roll() % 4 == 0) {
			struct rte_mbuf *copy = rte_pktmbuf_copy(m, hub.rings.pool, 0, UINT32_MAX);
			assert_non_null(copy);
			put(1 - queue, copy);
			copies++;
		}
		put(queue, m);
		fed[from]++;
	}
}

static void change_something(void)
{
	unsigned int peer = STABLE + dice_roll() % (PEERS - STABLE);
	switch (dice_roll() % 4) {
	case 0:
		memory_hub_peer_del(&hub, peer);
		assert_int_equal(memory_hub_peer_add(&hub, peer), 0);
		break;
	case 1:
	case 2:
		assert_int_equal(memory_hub_rekey(&hub, peer), 0);
		break;
	default: {
		struct ip_addr a = memory_hub_address4(peer);
		struct ip_prefix p = ip_prefix_of(&a);
		route_del(route_find(hub.instance, &p));
		assert_int_equal(route_set(hub.instance, &p, ROUTE_PEER, hub.peer[peer]), 0);
		break;
	}
	}
}

static void peers_and_keys_change_under_traffic(void **state)
{
	uint64_t most_ns = 0;
	start_workers();
	for (unsigned int n = 0; n < ROUNDS; n++) {
		wait_until_below(OUTSTANDING);
		feed();
		uint64_t start = clock_monotonic_ns();
		change_something();
		uint64_t took = clock_monotonic_ns() - start;
		most_ns = took > most_ns ? took : most_ns;
	}
	wait_until_below(1);
	stop_workers();
	drain();
	assert_int_equal(memory_hub_count(&hub, COUNTER_DROP_HANDOFF_FULL), 0);
	assert_true(memory_hub_count(&hub, COUNTER_HANDED_OVER_PACKETS) > 0);
	/* exactly once each, whichever worker got it, or both */
	assert_int_equal(hub.peer[0]->received.packets, fed[0]);
	assert_int_equal(hub.peer[1]->received.packets, fed[1]);
	assert_int_equal(memory_hub_count(&hub, COUNTER_DROP_WG_REPLAY), copies);
	/* each counter once, none left out */
	uint64_t sent = 0;
	for (unsigned int i = 0; i < COUNTERS_MAX; i++)
		sent += seen[i];
	assert_int_equal(sent, hub.peer[1]->current->keypair.send_counter);
	assert_int_equal(sent, hub.peer[1]->sent.packets);
	print_message("longest change %lu us\n", (unsigned long)(most_ns / 1000));
}

static void instances_come_and_go_under_traffic(void **state)
{
	start_workers();
	for (unsigned int n = 0; n < INSTANCE_ROUNDS; n++) {
		memset(seen, 0, sizeof(seen)); /* of the session before */
		wait_until_below(OUTSTANDING);
		for (unsigned int i = 0; i < 4; i++)
			feed();
		memory_hub_instance_del(&hub);
		wait_until_below(1); /* nothing of it is sent with a counter that comes again */
		assert_int_equal(memory_hub_instance_add(&hub), 0);
	}
	memset(seen, 0, sizeof(seen));
	feed();
	wait_until_below(1);
	stop_workers();
}

static void load_is_told(void **state)
{
	struct worker_load load[WORKERS];
	start_workers();
	feed();
	wait_until_below(1);
	for (unsigned int w = 0; w < WORKERS; w++) {
		uint64_t until = clock_monotonic_ns() + 10 * NS_PER_SEC, longest = 0;
		do { /* the round that moved the last packet may not be over */
			worker_load(worker[w], &load[w]);
			if (load[w].longest_ns > longest)
				longest = load[w].longest_ns;
		} while ((load[w].busy_ns == 0 || load[w].idle_ns == 0)
			&& clock_monotonic_ns() < until);
		assert_true(load[w].idle_ns > 0);
		assert_true(load[w].busy_ns > 0);
		assert_in_range(longest, 1, load[w].busy_ns);
		assert_int_equal(load[w].handoff_depth, 0);
		assert_int_equal(load[w].inject_depth, 0);
		/* the longest round is told once: then there is none */
		while (load[w].longest_ns != 0 && clock_monotonic_ns() < until)
			worker_load(worker[w], &load[w]);
		assert_int_equal(load[w].longest_ns, 0);
	}
	stop_workers();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(peers_and_keys_change_under_traffic),
		cmocka_unit_test(instances_come_and_go_under_traffic),
		cmocka_unit_test(load_is_told),
	};
	return cmocka_run_group_tests(tests, start_hub, end_hub);
}
