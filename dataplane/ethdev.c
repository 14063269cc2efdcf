// SPDX-License-Identifier: Apache-2.0
#include "dataplane/ethdev.h"

#include "dataplane/table/tables.h"

#include <errno.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_bus_vdev.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>

enum {
	RX_DESCRIPTORS = 1024,
	TX_DESCRIPTORS = 1024,
	STALE_BURSTS = 1024,
};

static uint16_t least(unsigned int a, unsigned int b)
{
	return (uint16_t)(a < b ? a : b);
}

/* Did whoever wrote the devargs choose the number of queues? Each of them gets packets then. */
static bool has_chosen_queues(const struct rte_eth_dev_info *info)
{
	return strcmp(info->driver_name, "net_af_packet") == 0
		|| strcmp(info->driver_name, "net_af_xdp") == 0;
}

static int choose_queues(struct port *p, const struct rte_eth_dev_info *info, unsigned int workers,
	unsigned int queues)
{
	bool all = has_chosen_queues(info);
	if (queues > info->max_rx_queues || (all && queues != 0 && queues < info->max_rx_queues))
		return -ERANGE;
	if (queues == 0)
		queues = all ? info->max_rx_queues : workers;
	p->rx_queues = least(queues, info->max_rx_queues);
	p->tx_queues = least(least(queues, workers), info->max_tx_queues);
	return p->rx_queues > 0 && p->tx_queues > 0 ? 0 : -ENODEV;
}

/* A device that can spreads flows over its queues, so that each stays in order. */
static struct rte_eth_conf spread_flows(const struct port *p, const struct rte_eth_dev_info *info)
{
	struct rte_eth_conf conf = {0};
	uint64_t kinds =
		info->flow_type_rss_offloads & (RTE_ETH_RSS_IP | RTE_ETH_RSS_UDP | RTE_ETH_RSS_TCP);
	if (p->rx_queues > 1 && kinds != 0) {
		conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		conf.rx_adv_conf.rss_conf.rss_hf = kinds;
	}
	return conf;
}

/* Of a port that is a Linux interface; DPDK would not know it. */
static int linux_mtu(unsigned int interface, uint16_t *ret)
{
	struct ifreq r = {0};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	bool known =
		if_indextoname(interface, r.ifr_name) != NULL && ioctl(fd, SIOCGIFMTU, &r) == 0;
	int err = known ? 0 : -errno;
	(void)close(fd);
	*ret = least((unsigned int)r.ifr_mtu, UINT16_MAX);
	return err;
}

/* Between configuring and starting it. */
static int settle_mtu(struct port *p, const struct rte_eth_dev_info *info, uint16_t wanted)
{
	if (info->if_index == 0) {
		if (wanted != 0 && rte_eth_dev_set_mtu(p->ethdev, wanted) != 0)
			return -EMSGSIZE;
		return rte_eth_dev_get_mtu(p->ethdev, &p->mtu);
	}
	int err = linux_mtu(info->if_index, &p->mtu);
	if (err != 0)
		return err;
	if (wanted > p->mtu)
		return -EMSGSIZE;
	p->mtu = wanted != 0 ? wanted : p->mtu;
	return 0;
}

static int configure(struct port *p, unsigned int workers, const struct ethdev_settings *s,
	struct rte_mempool *pool)
{
	struct rte_eth_dev_info info;
	uint16_t rx = RX_DESCRIPTORS, tx = TX_DESCRIPTORS;
	int err = rte_eth_dev_info_get(p->ethdev, &info);
	if (err == 0)
		err = choose_queues(p, &info, workers, s->queues);
	if (err != 0)
		return err;
	struct rte_eth_conf conf = spread_flows(p, &info);
	err = rte_eth_dev_configure(p->ethdev, p->rx_queues, p->tx_queues, &conf);
	if (err == 0)
		err = settle_mtu(p, &info, s->mtu);
	if (err == 0)
		err = rte_eth_dev_adjust_nb_rx_tx_desc(p->ethdev, &rx, &tx);
	for (uint16_t q = 0; err == 0 && q < p->rx_queues; q++)
		err = rte_eth_rx_queue_setup(p->ethdev, q, rx, SOCKET_ID_ANY, NULL, pool);
	for (uint16_t q = 0; err == 0 && q < p->tx_queues; q++)
		err = rte_eth_tx_queue_setup(p->ethdev, q, tx, SOCKET_ID_ANY, NULL);
	return err == 0 ? rte_eth_dev_start(p->ethdev) : err;
}

/* af_packet binds its socket only after the ring is mapped: what is in the ring by now may have
 * come from any interface. */
static void drain_startup(uint16_t ethdev, uint16_t queue)
{
	struct rte_mbuf *packets[32];
	for (unsigned int i = 0; i < STALE_BURSTS; i++) {
		uint16_t n = rte_eth_rx_burst(ethdev, queue, packets, 32);
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

int ethdev_open(struct tables *t, const struct ethdev_settings *s, struct rte_mempool *pool)
{
	struct port *p = &t->port[t->ports];
	struct rte_ether_addr mac;
	if (t->ports == PORT_MAX)
		return -ENOSPC;
	memset(p, 0, sizeof(*p));
	int err = attach(s->devargs, &p->ethdev);
	if (err == 0)
		err = configure(p, t->workers, s, pool);
	if (err == 0)
		err = rte_eth_macaddr_get(p->ethdev, &mac);
	if (err != 0)
		return err;
	(void)snprintf(p->name, sizeof(p->name), "%s", s->name);
	memcpy(p->mac, mac.addr_bytes, sizeof(p->mac));
	(void)rte_eth_promiscuous_enable(
		p->ethdev); /* not all can; classify looks at the address */
	for (uint16_t q = 0; q < p->rx_queues; q++)
		drain_startup(p->ethdev, q);
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
