// SPDX-License-Identifier: Apache-2.0
/*
 * A worker's life: take what other threads handed over, receive from its queues of each port, run
 * the path, tell QSBR that no pointer is held any more. When some rounds brought nothing it sleeps
 * for a moment, offline, so that a grace period never waits for a sleeper.
 */
#include "dataplane/worker/worker.h"

#include "dataplane/base/clock.h"
#include "dataplane/path/path.h"
#include "dataplane/table/rings.h"
#include "dataplane/table/tables.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include <rte_ethdev.h>
#include <rte_rcu_qsbr.h>
#include <rte_ring.h>

enum {
	RX_BURST = 64,
	IDLE_ROUNDS = 64, /* rounds without a packet before it sleeps: a burst rarely comes alone */
};

struct queue {
	uint8_t port;
	uint16_t ethdev, number;
};

struct worker {
	struct worker_config config;
	struct path path;
	struct queue *queue; /* owned array: what it receives from */
	unsigned int queues;
	unsigned int turn; /* the queue that is polled first */
	_Atomic bool stop; /* set: worker_stop() */
	/* set: the worker; read: worker_load() */
	_Atomic uint64_t busy_ns, idle_ns;
	_Atomic uint64_t longest_ns; /* raised: the worker; taken: worker_load() */
};

static unsigned int take_from_ring(struct worker *w, struct rte_ring *ring)
{
	struct rte_mbuf *packets[RX_BURST];
	uint16_t n = (uint16_t)rte_ring_dequeue_burst(ring, (void **)packets, RX_BURST, NULL);
	path_inject(&w->path, packets, n);
	return n;
}

/* Queues take turns at being first: when the budget is used up, it is not always the same that
 * waits. */
static unsigned int receive(struct worker *w)
{
	const struct rings *r = w->config.rings;
	unsigned int total = take_from_ring(w, r->inject[w->config.number]);
	total += take_from_ring(w, r->handoff[w->config.number]);
	for (unsigned int n = 0; n < w->queues && total + RX_BURST <= PATH_VECTOR; n++) {
		struct rte_mbuf *packets[RX_BURST];
		const struct queue *q = &w->queue[(w->turn + n) % w->queues];
		uint16_t got = rte_eth_rx_burst(q->ethdev, q->number, packets, RX_BURST);
		path_receive(&w->path, q->port, packets, got);
		total += got;
	}
	w->turn++;
	return total;
}

static void nap(struct worker *w)
{
	struct rte_rcu_qsbr *q = w->config.tables->qsbr;
	struct timespec t = {.tv_nsec = (long)w->config.idle_sleep_us * 1000};
	rte_rcu_qsbr_thread_offline(q, w->config.number);
	(void)clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL);
	rte_rcu_qsbr_thread_online(q, w->config.number);
}

static void add(_Atomic uint64_t *sum, uint64_t ns)
{
	uint64_t before = atomic_load_explicit(sum, memory_order_relaxed);
	atomic_store_explicit(sum, before + ns, memory_order_relaxed);
}

static void note_round(struct worker *w, bool busy, uint64_t ns)
{
	add(busy ? &w->busy_ns : &w->idle_ns, ns);
	if (busy && ns > atomic_load_explicit(&w->longest_ns, memory_order_relaxed))
		atomic_store_explicit(&w->longest_ns, ns, memory_order_relaxed);
}

int worker_run(void *worker)
{
	struct worker *w = worker;
	struct rte_rcu_qsbr *q = w->config.tables->qsbr;
	unsigned int idle = 0;
	rte_rcu_qsbr_thread_online(q, w->config.number);
	uint64_t start = clock_monotonic_ns();
	while (!atomic_load_explicit(&w->stop, memory_order_relaxed)) {
		unsigned int packets = receive(w);
		if (packets > 0 || path_waits(&w->path))
			path_run(&w->path, start);
		rte_rcu_qsbr_quiescent(q, w->config.number);
		idle = packets > 0 ? 0 : idle + 1;
		if (idle > IDLE_ROUNDS && w->config.idle_sleep_us > 0)
			nap(w);
		uint64_t end = clock_monotonic_ns();
		note_round(w, packets > 0, end - start);
		start = end;
	}
	rte_rcu_qsbr_thread_offline(q, w->config.number);
	return 0;
}

static int find_queues(struct worker *w)
{
	const struct tables *t = w->config.tables;
	unsigned int most = 0;
	for (unsigned int port = 0; port < t->ports; port++)
		most += t->port[port].rx_queues;
	w->queue = calloc(most + 1, sizeof(w->queue[0]));
	if (w->queue == NULL)
		return -ENOMEM;
	for (unsigned int port = 0; port < t->ports; port++) {
		unsigned int q = port_queue_first(port, w->config.number, t->workers);
		for (; q < t->port[port].rx_queues; q += t->workers)
			w->queue[w->queues++] =
				(struct queue){(uint8_t)port, t->port[port].ethdev, (uint16_t)q};
	}
	return 0;
}

int worker_new(const struct worker_config *config, struct worker **ret)
{
	struct worker *w = calloc(1, sizeof(*w));
	if (w == NULL)
		return -ENOMEM;
	w->config = *config;
	int err = path_init(
		&w->path, config->tables, config->rings, config->counters, config->number);
	if (err == 0)
		err = find_queues(w);
	if (err == 0 && rte_rcu_qsbr_thread_register(config->tables->qsbr, config->number) != 0)
		err = -EINVAL;
	if (err != 0) {
		worker_free(w);
		return err;
	}
	*ret = w;
	return 0;
}

void worker_stop(struct worker *w)
{
	atomic_store_explicit(&w->stop, true, memory_order_relaxed);
}

void worker_free(struct worker *w)
{
	if (w == NULL)
		return;
	(void)rte_rcu_qsbr_thread_unregister(w->config.tables->qsbr, w->config.number);
	path_fini(&w->path);
	free(w->queue);
	free(w);
}

void worker_load(struct worker *w, struct worker_load *ret)
{
	const struct rings *r = w->config.rings;
	*ret = (struct worker_load){
		.busy_ns = atomic_load_explicit(&w->busy_ns, memory_order_relaxed),
		.idle_ns = atomic_load_explicit(&w->idle_ns, memory_order_relaxed),
		.longest_ns = atomic_exchange_explicit(&w->longest_ns, 0, memory_order_relaxed),
		.inject_depth = rte_ring_count(r->inject[w->config.number]),
		.handoff_depth = rte_ring_count(r->handoff[w->config.number]),
	};
}
