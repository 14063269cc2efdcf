// SPDX-License-Identifier: Apache-2.0
/* Inner destination -> peer, egress, host or drop, by the routes of the packet's instance. */
#include "dataplane/base/ip.h"
#include "dataplane/path/path.h"
#include "dataplane/table/instance.h"
#include "dataplane/table/peer.h"
#include "dataplane/table/underlay.h"

#include <string.h>

/* RFC 1812 section 4.3.3.1: no route is network unreachable, and an address of our own network that
 * nobody has is host unreachable; RFC 4443 section 3.1. */
static const struct icmp_reason no_route = {3, 0, 1, 0};
static const struct icmp_reason no_host = {3, 1, 1, 3};

/* Never forwarded: not an address of one host, or one that means the packet's own link. A mapped
 * address in an IPv6 packet is IPv4 in disguise: it would be taken for IPv4 by lists of allowed
 * destinations, and for IPv6 by routes. */
static inline bool destination_is_special(const struct ip_addr *to, bool v6)
{
	bool disguised = v6 && ip_addr_is_v4(to);
	bool broadcast = ip_addr_is_v4(to) && memcmp(to->bytes + 12, "\xff\xff\xff\xff", 4) == 0;
	return disguised || broadcast || ip_addr_is_multicast(to) || ip_addr_is_loopback(to)
		|| ip_addr_is_zero(to) || ip_addr_is_link_local(to);
}

/* What goes to the internet must not come back into the hub's own tunnels. */
static void route_to_egress(struct path *p, struct rte_mbuf *m, const struct ip_addr *to)
{
	if (underlay_is_local(p->tables, to))
		path_drop(p, m, COUNTER_DROP_RECURSIVE);
	else if (pkt_of(m)->from == NULL)
		path_drop(p, m, COUNTER_DROP_ROUTE_BACK);
	else
		path_push(p, STAGE_ACCESS, m);
}

static void follow(struct path *p, struct rte_mbuf *m, const struct ip_addr *to, uintptr_t value)
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
		route_to_egress(p, m, to);
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

static void route_ipv4(struct path *p, struct rte_mbuf *m, const struct route_trie *routes)
{
	const uint8_t *destination = rte_pktmbuf_mtod_offset(m, const uint8_t *, 16);
	struct ip_addr to = ip_addr_from_v4(destination);
	if (destination_is_special(&to, false))
		path_drop(p, m, COUNTER_DROP_INNER_DESTINATION);
	else
		follow(p, m, &to, route_trie_lookup4(routes, destination));
}

static void route_ipv6(struct path *p, struct rte_mbuf *m, const struct route_trie *routes)
{
	struct ip_addr to;
	memcpy(to.bytes, rte_pktmbuf_mtod_offset(m, const uint8_t *, 24), sizeof(to.bytes));
	if (destination_is_special(&to, true))
		path_drop(p, m, COUNTER_DROP_INNER_DESTINATION);
	else
		follow(p, m, &to, route_trie_lookup6(routes, to.bytes));
}

void route_lookup(struct path *p, struct vector *in)
{
	for (uint16_t n = 0; n < in->count; n++) {
		struct rte_mbuf *m = in->packet[n];
		const struct pkt *k = pkt_of(m);
		if (k->inner_v6)
			route_ipv6(p, m, &k->instance->routes);
		else
			route_ipv4(p, m, &k->instance->routes);
	}
}
