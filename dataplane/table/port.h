/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_TABLE_PORT_H
#define DATAPLANE_TABLE_PORT_H

#include <stdint.h>

enum {
	PORT_MAX = 8,
	PORT_NAME_MAX = 16,
	ETHERNET_MTU = 1500,
	PORT_MTU_MIN = 1280, /* RFC 8200 section 5 */
	PORT_MTU_MAX = 9216,
};

/* One DPDK port; written by main before threads start, constant afterwards. */
struct port {
	char name[PORT_NAME_MAX]; /* from dataplane.conf; NUL-terminated */
	uint16_t ethdev; /* DPDK's number */
	uint16_t mtu; /* of the link: what is larger leaves in fragments */
	uint8_t mac[6];
	uint16_t rx_queues, tx_queues;
} __attribute__((aligned(32))); /* each packet finds its port by index */

/*
 * Who serves a queue: the first of port N is worker N's, the next one the next worker's, and so on
 * in turns. A worker sends by its own queue only, so that queues need no lock.
 */
static inline unsigned int port_queue_worker(
	unsigned int port, unsigned int queue, unsigned int workers)
{
	return (port + queue) % workers;
}

/* The first queue of a worker; the others follow in steps of the number of workers. */
static inline unsigned int port_queue_first(
	unsigned int port, unsigned int worker, unsigned int workers)
{
	return (worker + workers - port % workers) % workers;
}

struct tables;

/* NULL when there is no such port. id is the index in tables->port. */
const struct port *port_find(const struct tables *t, unsigned int id);

#endif
