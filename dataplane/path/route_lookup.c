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

static struct ip_addr inner_destination(const struct rte_mbuf *m, const struct pkt *k)
{
	const uint8_t *ip = rte_pktmbuf_mtod(m, const uint8_t *);
	struct ip_addr to;
	if (!k->inner_v6)
		return ip_addr_from_v4(ip + 16);
	memcpy(to.bytes, ip + 24, sizeof(to.bytes));
	return to;
}

/* Never forwarded: not an address of one host, or one that means the packet's own link. A mapped
 * address in an IPv6 packet is IPv4 in disguise: it would be taken for IPv4 by lists of allowed
 * destinations, and for IPv6 by routes. */
static bool destination_is_special(const struct ip_addr *to, bool v6)
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

static void route_one(struct path *p, struct rte_mbuf *m)
{
	struct pkt *k = pkt_of(m);
	struct ip_addr to = inner_destination(m, k);
	if (destination_is_special(&to, k->inner_v6)) {
		path_drop(p, m, COUNTER_DROP_INNER_DESTINATION);
		return;
	}
	const struct route_trie *routes = &k->instance->routes;
	uintptr_t value = k->inner_v6 ? route_trie_lookup6(routes, to.bytes)
				      : route_trie_lookup4(routes, to.bytes + IP_V4_OFFSET / 8);
	k->to = NULL;
	switch (route_value_target(value)) {
	case ROUTE_PEER:
	case ROUTE_PEER_DEFAULT:
		k->to = route_value_peer(value);
		k->by_default = route_value_target(value) == ROUTE_PEER_DEFAULT;
		if (k->to == k->from)
			path_drop(p, m, COUNTER_DROP_ROUTE_BACK);
		else
			path_push(p, STAGE_ACCESS, m);
		break;
	case ROUTE_EGRESS:
		route_to_egress(p, m, &to);
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

void route_lookup(struct path *p, struct vector *in)
{
	for (uint16_t n = 0; n < in->count; n++)
		route_one(p, in->packet[n]);
}
