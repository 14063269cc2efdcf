// SPDX-License-Identifier: Apache-2.0
/*
 * A worker's life: receive from each port, take what other threads injected, run the path, tell
 * QSBR that no pointer is held any more. When a round brought nothing it sleeps for a moment,
 * offline, so that a grace period never waits for a sleeper.
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
#include <rte_launch.h>
#include <rte_rcu_qsbr.h>
#include <rte_ring.h>

enum {
	RX_BURST = 64,
	IDLE_ROUNDS = 64, /* rounds without a packet before it sleeps: a burst rarely comes alone */
};

struct worker {
	struct worker_config config;
	struct path path;
	_Atomic bool stop; /* set: worker_stop() */
};

static unsigned int receive(struct worker *w)
{
	const struct tables *t = w->config.tables;
	struct rte_mbuf *packets[RX_BURST] = {0};
	unsigned int budget = PATH_VECTOR, total = 0;
	uint16_t injected = (uint16_t)rte_ring_dequeue_burst(
		w->config.rings->inject, (void **)packets, RX_BURST, NULL);
	path_inject(&w->path, packets, injected);
	total += injected;
	for (unsigned int port = 0; port < t->ports && total + RX_BURST <= budget; port++) {
		uint16_t n = rte_eth_rx_burst(t->port[port].ethdev, 0, packets, RX_BURST);
		path_receive(&w->path, (uint8_t)port, packets, n);
		total += n;
	}
	return total;
}

static void nap(struct worker *w)
{
	struct rte_rcu_qsbr *q = w->config.tables->qsbr;
	struct timespec t = {.tv_nsec = (long)w->config.idle_sleep_us * 1000};
	rte_rcu_qsbr_thread_offline(q, w->config.reader);
	(void)clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL);
	rte_rcu_qsbr_thread_online(q, w->config.reader);
}

static int run(void *arg)
{
	struct worker *w = arg;
	struct rte_rcu_qsbr *q = w->config.tables->qsbr;
	unsigned int idle = 0;
	(void)rte_rcu_qsbr_thread_register(q, w->config.reader);
	rte_rcu_qsbr_thread_online(q, w->config.reader);
	while (!atomic_load_explicit(&w->stop, memory_order_relaxed)) {
		unsigned int packets = receive(w);
		if (packets > 0)
			path_run(&w->path, clock_monotonic_ns());
		rte_rcu_qsbr_quiescent(q, w->config.reader);
		idle = packets > 0 ? 0 : idle + 1;
		if (idle > IDLE_ROUNDS && w->config.idle_sleep_us > 0)
			nap(w);
	}
	rte_rcu_qsbr_thread_offline(q, w->config.reader);
	(void)rte_rcu_qsbr_thread_unregister(q, w->config.reader);
	return 0;
}

int worker_start(const struct worker_config *config, struct worker **ret)
{
	struct worker *w = calloc(1, sizeof(*w));
	if (w == NULL)
		return -ENOMEM;
	w->config = *config;
	int err = path_init(&w->path, config->tables, config->rings, config->counters);
	if (err == 0)
		err = rte_eal_remote_launch(run, w, config->lcore);
	if (err != 0) {
		path_fini(&w->path);
		free(w);
		return err;
	}
	*ret = w;
	return 0;
}

void worker_stop(struct worker *w)
{
	if (w == NULL)
		return;
	atomic_store_explicit(&w->stop, true, memory_order_relaxed);
	(void)rte_eal_wait_lcore(w->config.lcore);
	path_fini(&w->path);
	free(w);
}
