// SPDX-License-Identifier: Apache-2.0
/*
 * The inner header is read for the first time: version and lengths must agree with what was
 * decrypted (WireGuard paper section 5.4.6), the padding is cut off, and the source must be an
 * address whose longest route leads to the sending peer: a peer may send only its own addresses.
 * Packets from the hub's host (pkt.from is NULL) bring their own header check, nothing else.
 */
#include "dataplane/path/ecn.h"
#include "dataplane/path/path.h"
#include "dataplane/table/instance.h"
#include "dataplane/table/peer.h"

#include <string.h>

#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_ip.h>

/* Length the IP header claims; 0 when the packet is malformed. */
static uint16_t inner_length(const struct rte_mbuf *m, struct pkt *k)
{
	const uint8_t *ip = rte_pktmbuf_mtod(m, const uint8_t *);
	uint32_t len = 0;
	if (m->data_len >= sizeof(struct rte_ipv4_hdr) && ip[0] >> 4 == 4) {
		uint32_t header = (ip[0] & 0x0fU) * 4;
		len = rte_be_to_cpu_16(((const struct rte_ipv4_hdr *)ip)->total_length);
		if (header < sizeof(struct rte_ipv4_hdr) || len < header)
			return 0;
	} else if (m->data_len >= sizeof(struct rte_ipv6_hdr) && ip[0] >> 4 == 6) {
		len = (uint32_t)(ip[4] << 8 | ip[5]) + (uint32_t)sizeof(struct rte_ipv6_hdr);
		k->inner_v6 = 1;
	}
	return len <= m->data_len ? (uint16_t)len : 0;
}

static bool source_belongs(const struct pkt *k, const uint8_t *ip)
{
	const struct route_trie *routes = &k->instance->routes;
	uint32_t source4;
	memcpy(&source4, ip + 12, sizeof(source4));
	if (!k->inner_v6 && peer_has_source4(k->from, source4))
		return true;
	uintptr_t owner = k->inner_v6 ? route_trie_lookup6(routes, ip + 8)
				      : route_trie_lookup4(routes, ip + 12);
	enum route_target target = route_value_target(owner);
	return (target == ROUTE_PEER || target == ROUTE_PEER_DEFAULT)
		&& route_value_peer(owner) == k->from;
}

/* The outer header still stands in front of a peer's packet, but for one of a TCP stream. */
static bool take_congestion(struct rte_mbuf *m, const struct pkt *k)
{
	uint8_t *ip = rte_pktmbuf_mtod(m, uint8_t *);
	if (k->outer_len == 0)
		return true;
	uint8_t tos = ecn_tos(ip - k->outer_len + RTE_ETHER_HDR_LEN);
	return (tos & ECN_MASK) == ECN_NOT_ECT || ecn_decapsulate(ip, tos);
}

void source_check(struct path *p, struct vector *in)
{
	for (uint16_t n = 0; n < in->count; n++) {
		struct rte_mbuf *m = in->packet[n];
		struct pkt *k = pkt_of(m);
		k->inner_v6 = 0;
		k->inner_len = inner_length(m, k);
		if (k->inner_len == 0) {
			path_drop(p, m, COUNTER_DROP_INNER_MALFORMED);
			continue;
		}
		pkt_cut(m, 0, k->inner_len);
		if (k->from != NULL && !take_congestion(m, k)) {
			path_drop(p, m, COUNTER_DROP_ECN);
			continue;
		}
		if (k->from != NULL && !source_belongs(k, rte_pktmbuf_mtod(m, const uint8_t *)))
			path_drop(p, m, COUNTER_DROP_SPOOFED_SOURCE);
		else
			path_push(p, STAGE_ROUTE_LOOKUP, m);
	}
}
