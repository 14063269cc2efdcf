// SPDX-License-Identifier: Apache-2.0
/*
 * Outer headers: the endpoint's template is copied in front of the sealed packet and what depends
 * on it is filled in: lengths, checksums, and the MAC addresses of the way there. The UDP
 * checksum is zero over IPv4 (RFC 768) and computed over IPv6 (RFC 8200 section 8.1).
 */
#include "dataplane/path/path.h"
#include "dataplane/table/peer.h"
#include "dataplane/table/rings.h"
#include "dataplane/table/tables.h"
#include "dataplane/table/underlay.h"

#include <stdatomic.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_udp.h>

static void finish_ipv4(uint8_t *frame, uint16_t udp_len)
{
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(frame + RTE_ETHER_HDR_LEN);
	struct rte_udp_hdr *udp = (struct rte_udp_hdr *)(ip + 1);
	ip->total_length = rte_cpu_to_be_16((uint16_t)(udp_len + sizeof(*ip)));
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	udp->dgram_len = rte_cpu_to_be_16(udp_len);
}

static void finish_ipv6(uint8_t *frame, uint16_t udp_len)
{
	struct rte_ipv6_hdr *ip = (struct rte_ipv6_hdr *)(frame + RTE_ETHER_HDR_LEN);
	struct rte_udp_hdr *udp = (struct rte_udp_hdr *)(ip + 1);
	ip->payload_len = rte_cpu_to_be_16(udp_len);
	udp->dgram_len = rte_cpu_to_be_16(udp_len);
	udp->dgram_cksum = rte_ipv6_udptcp_cksum(ip, udp);
}

/* Routes or addresses changed since keying made the endpoint: it is used on, and made anew. */
static void renew_stale_endpoint(struct path *p, const struct pkt *k)
{
	struct keying_message message = {.type = KEYING_STALE_ENDPOINT, .peer = peer_handle(k->to)};
	if (atomic_exchange_explicit(&k->to->roaming, 1, memory_order_relaxed) == 0
		&& !rings_keying_put(p->rings, &message))
		atomic_store_explicit(&k->to->roaming, 0, memory_order_relaxed);
}

static void send_one(struct path *p, struct rte_mbuf *m, uint32_t generation)
{
	struct pkt *k = pkt_of(m);
	const struct endpoint *e = k->endpoint;
	uint8_t macs[2 * RTE_ETHER_ADDR_LEN];
	uint32_t port;
	if (e->underlay_generation != generation)
		renew_stale_endpoint(p, k);
	if (!underlay_adjacency_mac(p->tables, e->adjacency, macs, &port)) {
		renew_stale_endpoint(p, k);
		path_drop(p, m, COUNTER_DROP_NEIGHBOUR_MISSING);
		return;
	}
	uint16_t udp_len = (uint16_t)(m->data_len + sizeof(struct rte_udp_hdr));
	uint8_t *frame = (uint8_t *)rte_pktmbuf_prepend(m, e->header_len);
	if (frame == NULL) {
		path_drop(p, m, COUNTER_DROP_NO_HEADROOM);
		return;
	}
	memcpy(frame, e->header, e->header_len);
	memcpy(frame, macs, sizeof(macs));
	if (e->is_v6)
		finish_ipv6(frame, udp_len);
	else
		finish_ipv4(frame, udp_len);
	k->port = (uint8_t)port;
	path_push(p, STAGE_TX, m);
}

void udp_output(struct path *p, struct vector *in)
{
	uint32_t generation = underlay_generation(p->tables->underlay);
	for (uint16_t n = 0; n < in->count; n++)
		send_one(p, in->packet[n], generation);
}
