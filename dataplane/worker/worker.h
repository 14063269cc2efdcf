/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_WORKER_WORKER_H
#define DATAPLANE_WORKER_WORKER_H

#include <stdint.h>

struct counters;
struct rings;
struct tables;
struct worker;

struct worker_config {
	struct tables *tables;
	struct rings *rings;
	struct counters *counters;
	unsigned int number; /* below tables->workers; also its number among the QSBR readers */
	unsigned int idle_sleep_us; /* 0: never sleeps */
};

/* What a worker did since its start, and what waits for it. */
struct worker_load {
	uint64_t busy_ns; /* rounds that moved packets */
	uint64_t idle_ns; /* rounds that found nothing, and sleep */
	uint64_t longest_ns; /* the longest round that moved packets since it was asked last */
	unsigned int inject_depth, handoff_depth; /* packets in its rings now */
};

/* 0 or -errno. */
int worker_new(const struct worker_config *config, struct worker **ret);
/* The packet loop, on the calling thread, until worker_stop(). worker: a struct worker *, as
 * rte_eal_remote_launch() wants it. Always 0. */
int worker_run(void *worker);
/* Any thread: the loop ends after its current round. */
void worker_stop(struct worker *w);
/* After worker_run() came back, or was never called. Accepts NULL. */
void worker_free(struct worker *w);

/* Any thread. */
void worker_load(struct worker *w, struct worker_load *ret);

#endif
