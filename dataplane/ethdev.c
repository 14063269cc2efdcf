// SPDX-License-Identifier: Apache-2.0
#include "dataplane/ethdev.h"

#include "dataplane/table/tables.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_bus_vdev.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>

enum {
	RX_DESCRIPTORS = 1024,
	TX_DESCRIPTORS = 1024,
	STALE_BURSTS = 1024,
};

static int configure(uint16_t ethdev, struct rte_mempool *pool)
{
	static const struct rte_eth_conf conf;
	uint16_t rx = RX_DESCRIPTORS, tx = TX_DESCRIPTORS;
	int err = rte_eth_dev_configure(ethdev, 1, 1, &conf);
	if (err == 0)
		err = rte_eth_dev_adjust_nb_rx_tx_desc(ethdev, &rx, &tx);
	if (err == 0)
		err = rte_eth_rx_queue_setup(ethdev, 0, rx, SOCKET_ID_ANY, NULL, pool);
	if (err == 0)
		err = rte_eth_tx_queue_setup(ethdev, 0, tx, SOCKET_ID_ANY, NULL);
	return err == 0 ? rte_eth_dev_start(ethdev) : err;
}

/* af_packet binds its socket only after the ring is mapped: what is in the ring by now may have
 * come from any interface. */
static void drain_startup(uint16_t ethdev)
{
	struct rte_mbuf *packets[32];
	for (unsigned int i = 0; i < STALE_BURSTS; i++) {
		uint16_t n = rte_eth_rx_burst(ethdev, 0, packets, 32);
		if (n == 0)
			return;
		rte_pktmbuf_free_bulk(packets, n);
	}
}

static int attach(const char *devargs, uint16_t *ret)
{
	struct rte_dev_iterator iterator;
	uint16_t id;
	int err = rte_dev_probe(devargs);
	if (err != 0)
		return err;
	RTE_ETH_FOREACH_MATCHING_DEV(id, devargs, &iterator)
	{
		rte_eth_iterator_cleanup(&iterator);
		*ret = id;
		return 0;
	}
	return -ENODEV;
}

int ethdev_open(struct tables *t, const char *name, const char *devargs, struct rte_mempool *pool)
{
	struct port *p = &t->port[t->ports];
	struct rte_ether_addr mac;
	if (t->ports == PORT_MAX)
		return -ENOSPC;
	memset(p, 0, sizeof(*p));
	int err = attach(devargs, &p->ethdev);
	if (err == 0)
		err = configure(p->ethdev, pool);
	if (err == 0)
		err = rte_eth_macaddr_get(p->ethdev, &mac);
	if (err == 0)
		err = rte_eth_dev_get_mtu(p->ethdev, &p->mtu);
	if (err != 0)
		return err;
	(void)snprintf(p->name, sizeof(p->name), "%s", name);
	memcpy(p->mac, mac.addr_bytes, sizeof(p->mac));
	(void)rte_eth_promiscuous_enable(
		p->ethdev); /* not all can; classify looks at the address */
	drain_startup(p->ethdev);
	t->ports++;
	return 0;
}

void ethdev_close_all(struct tables *t)
{
	while (t->ports > 0) {
		uint16_t ethdev = t->port[--t->ports].ethdev;
		(void)rte_eth_dev_stop(ethdev);
		(void)rte_eth_dev_close(ethdev);
	}
}
