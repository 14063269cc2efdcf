/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_WORKER_WORKER_H
#define DATAPLANE_WORKER_WORKER_H

struct counters;
struct rings;
struct tables;
struct worker;

struct worker_config {
	struct tables *tables;
	struct rings *rings;
	struct counters *counters;
	unsigned int lcore;
	unsigned int idle_sleep_us; /* 0: never sleeps */
	unsigned int reader; /* its number among the QSBR readers */
};

/* Starts the packet loop on its lcore. 0 or -errno. */
int worker_start(const struct worker_config *config, struct worker **ret);
/* Ends the loop after its current round and frees it. */
void worker_stop(struct worker *w);

#endif
