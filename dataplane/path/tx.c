// SPDX-License-Identifier: Apache-2.0
/*
 * Out of the port, all packets of one port in one burst, by the worker's own queue. On a port that
 * has none for this worker the frames go to the one that serves a queue.
 */
#include "dataplane/path/path.h"
#include "dataplane/table/tables.h"

#include <rte_ethdev.h>

static void send_by_another(
	struct path *p, uint8_t port, unsigned int queue, struct rte_mbuf **packets, uint16_t count)
{
	for (uint16_t n = 0; n < count; n++)
		pkt_of(packets[n])->inject = PKT_INJECT_TX;
	path_hand_over(p, port_queue_worker(port, queue, p->tables->workers), packets, count);
}

static void send_burst(struct path *p, uint8_t port, struct rte_mbuf **packets, uint16_t count)
{
	const struct port *out = &p->tables->port[port];
	unsigned int queue = port_queue_first(port, p->worker, p->tables->workers);
	if (queue >= out->tx_queues) {
		send_by_another(p, port, queue % out->tx_queues, packets, count);
		return;
	}
	uint64_t bytes = 0;
	for (uint16_t n = 0; n < count; n++)
		bytes += packets[n]->data_len;
	uint16_t sent = rte_eth_tx_burst(out->ethdev, (uint16_t)queue, packets, count);
	for (uint16_t n = sent; n < count; n++) {
		bytes -= packets[n]->data_len;
		path_drop(p, packets[n], COUNTER_DROP_TX_FULL);
	}
	counter_add(p->counters, COUNTER_TX_PACKETS, sent);
	counter_add(p->counters, COUNTER_TX_BYTES, bytes);
}

void tx(struct path *p, struct vector *in)
{
	for (unsigned int port = 0; port < p->tables->ports; port++) {
		struct rte_mbuf *mine[PATH_VECTOR];
		uint16_t count = 0;
		for (uint16_t n = 0; n < in->count; n++) {
			if (pkt_of(in->packet[n])->port == port)
				mine[count++] = in->packet[n];
		}
		if (count > 0)
			send_burst(p, (uint8_t)port, mine, count);
	}
}
