/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_ETHDEV_H
#define DATAPLANE_ETHDEV_H

#include <stdint.h>

struct rte_mempool;
struct tables;

struct ethdev_settings {
	const char *name, *devargs;
	/* each way; 0: one a worker as far as the device has them, and of a device that devargs give
	 * queues (af_packet, af_xdp) all, because what comes by an unread queue is lost */
	unsigned int queues;
	/* a card is set to it, a Linux interface (af_packet, af_xdp) must have it; 0: as it is */
	uint16_t mtu;
};

/*
 * Attaches a DPDK device, starts it and adds it to the tables. Before the threads start, after
 * tables_set_workers(). 0 or -errno; -ERANGE: the device has not so many queues, or others that
 * would stay unread; -EMSGSIZE: nor so
 * large packets.
 */
int ethdev_open(struct tables *t, const struct ethdev_settings *s, struct rte_mempool *pool);
void ethdev_close_all(struct tables *t);

#endif
