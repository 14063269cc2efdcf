/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_ETHDEV_H
#define DATAPLANE_ETHDEV_H

struct rte_mempool;
struct tables;

/*
 * Attaches a DPDK device, starts it with one queue each way and adds it to the tables. Before the
 * threads start. 0 or -errno.
 */
int ethdev_open(struct tables *t, const char *name, const char *devargs, struct rte_mempool *pool);
void ethdev_close_all(struct tables *t);

#endif
