// SPDX-License-Identifier: Apache-2.0
/* Inner destination -> peer, egress, host or drop, by the routes of the packet's instance. */
#include "dataplane/base/ip.h"
#include "dataplane/path/path.h"
#include "dataplane/table/instance.h"
#include "dataplane/table/peer.h"
#include "dataplane/table/underlay.h"

#include <string.h>

#include <rte_byteorder.h>

/* RFC 1812 section 4.3.3.1: no route is network unreachable, and an address of our own network that
 * nobody has is host unreachable; RFC 4443 section 3.1. */
static const struct icmp_reason no_route = {3, 0, 1, 0};
static const struct icmp_reason no_host = {3, 1, 1, 3};

/* Never forwarded: not an address of one host, or one that means the packet's own link. */
static inline bool destination4_is_special(rte_be32_t be)
{
	uint32_t to = rte_be_to_cpu_32(be);
	bool multicast = to >> 28 == 0xe, loopback = to >> 24 == 127,
	     link_local = to >> 16 == 0xa9fe;
	return multicast || loopback || link_local || to == 0 || to == UINT32_MAX;
}

/* A mapped address is IPv4 in disguise: it would be taken for IPv4 by lists of allowed
 * destinations, and for IPv6 by routes. */
static inline bool destination6_is_special(const struct ip_addr *to)
{
	return ip_addr_is_v4(to) || ip_addr_is_multicast(to) || ip_addr_is_loopback(to)
		|| ip_addr_is_zero(to) || ip_addr_is_link_local(to);
}

static bool destination_is_hub(const struct path *p, struct rte_mbuf *m)
{
	const uint8_t *ip = rte_pktmbuf_mtod(m, const uint8_t *);
	struct ip_addr to;
	if (pkt_of(m)->inner_v6)
		memcpy(to.bytes, ip + 24, sizeof(to.bytes));
	else
		to = ip_addr_from_v4(ip + 16);
	return underlay_is_local(p->tables, &to);
}

/* What goes to the internet must not come back into the hub's own tunnels. */
static void route_to_egress(struct path *p, struct rte_mbuf *m)
{
	if (destination_is_hub(p, m))
		path_drop(p, m, COUNTER_DROP_RECURSIVE);
	else if (pkt_of(m)->from == NULL)
		path_drop(p, m, COUNTER_DROP_ROUTE_BACK);
	else
		path_push(p, STAGE_ACCESS, m);
}

static __rte_always_inline void follow(struct path *p, struct rte_mbuf *m, uintptr_t value)
{
	struct pkt *k = pkt_of(m);
	k->to = NULL;
	switch (route_value_target(value)) {
	case ROUTE_PEER:
	case ROUTE_PEER_DEFAULT:
		k->to = route_value_peer(value);
		k->by_default = route_value_target(value) == ROUTE_PEER_DEFAULT;
		rte_prefetch0(k->to);
		if (k->to == k->from)
			path_drop(p, m, COUNTER_DROP_ROUTE_BACK);
		else
			path_push(p, STAGE_ACCESS, m);
		break;
	case ROUTE_EGRESS:
		route_to_egress(p, m);
		break;
	case ROUTE_HOST:
		if (k->from == NULL)
			path_drop(p, m, COUNTER_DROP_ROUTE_BACK);
		else
			path_push(p, STAGE_HOST, m);
		break;
	case ROUTE_DROP:
		path_refuse(p, m, COUNTER_DROP_ROUTE_DROP, &no_host);
		break;
	case ROUTE_NONE:
		path_refuse(p, m, COUNTER_DROP_NO_ROUTE, &no_route);
		break;
	}
}

static inline bool destination_is_special(struct rte_mbuf *m)
{
	if (pkt_of(m)->inner_v6) {
		struct ip_addr to;
		memcpy(to.bytes, rte_pktmbuf_mtod_offset(m, const uint8_t *, 24), sizeof(to.bytes));
		return destination6_is_special(&to);
	}
	rte_be32_t be;
	memcpy(&be, rte_pktmbuf_mtod_offset(m, const uint8_t *, 16), sizeof(be));
	return destination4_is_special(be);
}

static inline struct route_trie_walk walk_to(struct rte_mbuf *m)
{
	const struct pkt *k = pkt_of(m);
	const struct route_trie *routes = &k->instance->routes;
	return k->inner_v6
		? route_trie_walk6(routes, rte_pktmbuf_mtod_offset(m, const uint8_t *, 24))
		: route_trie_walk4(routes, rte_pktmbuf_mtod_offset(m, const uint8_t *, 16));
}

void route_lookup(struct path *p, struct vector *in)
{
	struct route_trie_walk walk[PATH_VECTOR];
	for (uint16_t n = 0; n < in->count; n++) {
		walk[n] = walk_to(in->packet[n]);
		rte_prefetch0(walk[n].slot);
	}
	for (uint16_t n = 0; n < in->count; n++) {
		struct rte_mbuf *m = in->packet[n];
		if (destination_is_special(m))
			path_drop(p, m, COUNTER_DROP_INNER_DESTINATION);
		else
			follow(p, m, route_trie_walk_value(&walk[n]));
	}
}
