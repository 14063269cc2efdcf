/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_ETHDEV_H
#define DATAPLANE_ETHDEV_H

struct rte_mempool;
struct tables;

/*
 * Attaches a DPDK device, starts it and adds it to the tables. Before the threads start, after
 * tables_set_workers(). queues each way; 0: one a worker as far as the device has them, and of a
 * device that devargs give queues (af_packet, af_xdp) all, because what comes by an unread queue is
 * lost. 0 or -errno; -ERANGE: the device has not so many queues.
 */
int ethdev_open(struct tables *t, const char *name, const char *devargs, unsigned int queues,
	struct rte_mempool *pool);
void ethdev_close_all(struct tables *t);

#endif
