// SPDX-License-Identifier: Apache-2.0
/*
 * What a second worker is worth: the same frames, all there before the clock starts, through one worker
 * and through two (the real loop of dataplane/worker, each on a core of its own) on an in-memory port
 * with two queues. Each flow comes by one queue, as a card spreads them, which is the owner's for half of
 * the peers; the frames of the others are handed over. One worker and two take turns, in one process.
 *
 *   bench/workers [ROUNDS]
 */
#include "bench/memory_hub.h"
#include "dataplane/base/clock.h"
#include "dataplane/table/instance.h"
#include "dataplane/worker/worker.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <rte_launch.h>
#include <rte_ring.h>

enum {
	WORKERS = 2,
	PEERS = 64,
	FRAMES = 8192,
	QUEUE_SIZE = 8192 * 2,
	ROUNDS_DEFAULT = 40,
	ROUNDS_MAX = 1000,
	WARM_UP = 2,
	TRIES = 20,
	LOOK_NS = 50 * 1000, /* how often the main thread looks whether all was sent */
	/* without packets the workers leave their cores to this thread */
	IDLE_SLEEP_US = 20,
	STARTED_NS = 1000 * 1000, /* until then both look at their queues */
	GIVE_UP_NS = 1000 * 1000 * 1000,
};

static const uint16_t sizes[] = {64, 512, 1420};

static struct memory_hub hub;
static struct counters *counters[WORKERS];
static uint64_t least[WORKERS + 1]; /* nanoseconds of the fastest run of this size, by workers */

static void die(const char *what)
{
	(void)fprintf(stderr, "bench/workers: %s\n", what);
	_exit(1);
}

/* xorshift64: the same senders and receivers in every run. */
static unsigned int draw(unsigned int below)
{
	static uint64_t x = 0x9e3779b97f4a7c15U;
	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return (unsigned int)(x >> 32) % below;
}

/* Neighbours have different owners: every second pair comes by the queue of the other one. */
static unsigned int queue_of(unsigned int peer)
{
	return peer / 2 % WORKERS;
}

/* Made before the clock starts: which queue each comes by. */
static struct {
	struct rte_mbuf *frame[FRAMES];
	unsigned int count;
} waiting[WORKERS];

static void make_frames(uint16_t size)
{
	static uint8_t inner[2048];
	for (unsigned int q = 0; q < WORKERS; q++)
		waiting[q].count = 0;
	for (unsigned int n = 0; n < FRAMES; n++) {
		unsigned int from = draw(PEERS), to = (from + 1 + draw(PEERS - 1)) % PEERS;
		struct ip_addr a = memory_hub_address4(from), b = memory_hub_address4(to);
		memory_hub_inner4(inner, size, &a, &b);
		struct rte_mbuf *m = memory_hub_frame(&hub, from, inner, size);
		if (m == NULL)
			die("no room for frames");
		unsigned int q = queue_of(from);
		waiting[q].frame[waiting[q].count++] = m;
	}
}

/* All at once, so that no worker has begun before the other can. */
static void give_frames(void)
{
	for (unsigned int q = 0; q < WORKERS; q++) {
		if (rte_ring_enqueue_bulk(hub.arriving[q], (void *const *)waiting[q].frame,
			    waiting[q].count, NULL)
				== 0
			&& waiting[q].count > 0)
			die("no room in a queue");
	}
}

static unsigned int sent(void)
{
	return rte_ring_count(hub.sent[0]) + rte_ring_count(hub.sent[1]);
}

static void drain(void)
{
	struct rte_mbuf *m[256];
	unsigned int n;
	while ((n = memory_hub_sent(&hub, m, 256)) > 0)
		rte_pktmbuf_free_bulk(m, n);
}

static uint64_t lost(void)
{
	return memory_hub_count(&hub, COUNTER_DROP_HANDOFF_FULL);
}

static void sleep_ns(uint64_t ns)
{
	struct timespec t = {.tv_nsec = (long)ns};
	(void)clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL);
}

/* Until all was sent. Nobody looks before that can be: two workers have both cores, and each look takes
 * one of them away. */
static uint64_t wait_until_sent(uint64_t start, uint64_t lost_before, unsigned int workers)
{
	sleep_ns(least[workers] * 9 / 10);
	uint64_t took = clock_monotonic_ns() - start;
	while (sent() + lost() - lost_before < FRAMES && took < GIVE_UP_NS) {
		sleep_ns(LOOK_NS);
		took = clock_monotonic_ns() - start;
	}
	if (least[workers] == 0 || took < least[workers])
		least[workers] = took;
	return took;
}

/* Nanoseconds from when all arrived until all was sent; 0 when something was lost: a worker whose core went to
 * somebody else for a while does not empty its ring. */
static uint64_t measure_once(uint16_t size, unsigned int workers)
{
	struct worker *worker[WORKERS];
	make_frames(size);
	tables_set_workers(hub.tables, workers);
	for (unsigned int w = 0; w < workers; w++) {
		struct worker_config c = {hub.tables, &hub.rings, counters[w], w, IDLE_SLEEP_US};
		if (worker_new(&c, &worker[w]) != 0)
			die("no worker");
	}
	for (unsigned int w = 0; w < workers; w++)
		(void)rte_eal_remote_launch(worker_run, worker[w], w + 1);
	sleep_ns(STARTED_NS);
	uint64_t lost_before = lost(), start = clock_monotonic_ns();
	give_frames();
	uint64_t took = wait_until_sent(start, lost_before, workers);
	for (unsigned int w = 0; w < workers; w++)
		worker_stop(worker[w]);
	for (unsigned int w = 0; w < workers; w++) {
		(void)rte_eal_wait_lcore(w + 1);
		worker_free(worker[w]);
	}
	if (sent() + lost() - lost_before != FRAMES)
		die("packets went astray");
	drain();
	return lost() == lost_before ? took : 0;
}

static uint64_t measure(uint16_t size, unsigned int workers)
{
	for (unsigned int tries = 0; tries < TRIES; tries++) {
		uint64_t ns = measure_once(size, workers);
		if (ns != 0)
			return ns;
	}
	die("this machine does not leave its cores to the workers");
	return 0;
}

static int compare(const void *a, const void *b)
{
	const double *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

static void print_result(
	const char *name, uint16_t size, const char *unit, double *values, unsigned int count)
{
	qsort(values, count, sizeof(values[0]), compare);
	(void)printf("{\"name\":\"%s.%u\",\"value\":%.3f,\"unit\":\"%s\",\"min\":%.3f,"
		     "\"median\":%.3f,\"max\":%.3f,\"runs\":%u}\n",
		name, size, values[count / 2], unit, values[0], values[count / 2],
		values[count - 1], count);
}

static void measure_size(uint16_t size, unsigned int rounds)
{
	memset(least, 0, sizeof(least));
	static double one[ROUNDS_MAX], two[ROUNDS_MAX], gain[ROUNDS_MAX];
	for (unsigned int n = 0; n < rounds + WARM_UP; n++) {
		unsigned int r = n < WARM_UP ? 0 : n - WARM_UP;
		bool two_first = n % 2 != 0;
		if (two_first)
			two[r] = (double)measure(size, 2);
		one[r] = (double)measure(size, 1);
		if (!two_first)
			two[r] = (double)measure(size, 2);
		gain[r] = one[r] / two[r];
		one[r] = FRAMES * 1e3 / one[r];
		two[r] = FRAMES * 1e3 / two[r];
	}
	print_result("workers.wireguard.one", size, "Mpps", one, rounds);
	print_result("workers.wireguard.two", size, "Mpps", two, rounds);
	print_result("workers.wireguard.gain", size, "ratio", gain, rounds);
}

int main(int argc, char **argv)
{
	struct memory_hub_settings s = {.peers = PEERS,
		.flags = INSTANCE_SITE_TO_SITE,
		.mbufs = 12287,
		.sites = true,
		.workers = WORKERS,
		.queue_size = QUEUE_SIZE,
		/* this thread sleeps while they work, on whatever core */
		.lcores = "0@(0-1),1@0,2@1"};
	unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : ROUNDS_DEFAULT;
	if (rounds < 1 || rounds > ROUNDS_MAX)
		die("usage: bench/workers [ROUNDS 1-1000]");
	if (sysconf(_SC_NPROCESSORS_ONLN) < WORKERS)
		die("two workers want two cores");
	if (memory_hub_new(&hub, &s) != 0)
		die("cannot make a hub");
	for (unsigned int w = 0; w < WORKERS; w++)
		counters[w] = counter_registry_add(&hub.tables->counters);
	for (size_t n = 0; n < sizeof(sizes) / sizeof(sizes[0]); n++)
		measure_size(sizes[n], (unsigned int)rounds);
	uint64_t handed = memory_hub_count(&hub, COUNTER_HANDED_OVER_PACKETS);
	(void)printf("{\"name\":\"workers.handed_over\",\"value\":%" PRIu64
		     ",\"unit\":\"packets\"}\n",
		handed);
	memory_hub_free(&hub);
	return 0;
}
