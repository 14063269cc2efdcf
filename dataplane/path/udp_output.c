// SPDX-License-Identifier: Apache-2.0
/*
 * Outer headers: the endpoint's template is copied in front of the sealed packet and what depends
 * on it is filled in: lengths, checksums, and the MAC addresses of the way there. The UDP
 * checksum is zero over IPv4 (RFC 768) and computed over IPv6 (RFC 8200 section 8.1).
 */
#include "dataplane/path/outer.h"
#include "dataplane/path/path.h"
#include "dataplane/table/capture.h"
#include "dataplane/table/peer.h"
#include "dataplane/table/rings.h"
#include "dataplane/table/tables.h"
#include "dataplane/table/underlay.h"
#include "dataplane/wg/messages.h"

#include <stdatomic.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_udp.h>

enum {
	OUTER4 = RTE_ETHER_HDR_LEN + sizeof(struct rte_ipv4_hdr) + sizeof(struct rte_udp_hdr),
	OUTER6 = RTE_ETHER_HDR_LEN + sizeof(struct rte_ipv6_hdr) + sizeof(struct rte_udp_hdr),
};

/* The template's checksum is right for what it leaves zero: that is added (RFC 1624). */
static void write_ipv4(uint8_t *frame, const struct endpoint *e, uint16_t udp_len, uint8_t tos)
{
	memcpy(frame, e->header, OUTER4);
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(frame + RTE_ETHER_HDR_LEN);
	struct rte_udp_hdr *udp = (struct rte_udp_hdr *)(ip + 1);
	const struct rte_ipv4_hdr *template =
		(const struct rte_ipv4_hdr *)(e->header + RTE_ETHER_HDR_LEN);
	uint16_t len = rte_cpu_to_be_16((uint16_t)(udp_len + sizeof(*ip)));
	uint16_t id = (uint16_t)outer_identification((const uint8_t *)(udp + 1));
	uint32_t sum = (uint16_t) ~template->hdr_checksum + (uint32_t)len + id + RTE_BE16(tos);
	sum = (sum & 0xffff) + (sum >> 16);
	ip->type_of_service = tos;
	ip->total_length = len;
	ip->packet_id = id;
	ip->hdr_checksum = (uint16_t) ~(sum + (sum >> 16));
	udp->dgram_len = rte_cpu_to_be_16(udp_len);
}

static __rte_noinline void write_ipv6(
	uint8_t *frame, const struct endpoint *e, uint16_t udp_len, uint8_t tos)
{
	memcpy(frame, e->header, OUTER6);
	struct rte_ipv6_hdr *ip = (struct rte_ipv6_hdr *)(frame + RTE_ETHER_HDR_LEN);
	struct rte_udp_hdr *udp = (struct rte_udp_hdr *)(ip + 1);
	ip->vtc_flow |= rte_cpu_to_be_32((uint32_t)tos << 20);
	ip->payload_len = rte_cpu_to_be_16(udp_len);
	udp->dgram_len = rte_cpu_to_be_16(udp_len);
	udp->dgram_cksum = rte_ipv6_udptcp_cksum(ip, udp);
}

/* Routes or addresses changed since keying made the endpoint: it is used on, and made anew. */
static __rte_cold void renew_stale_endpoint(struct path *p, const struct pkt *k)
{
	struct keying_message message = {.type = KEYING_STALE_ENDPOINT, .peer = peer_handle(k->to)};
	path_tell_keying(p, &k->to->renewing, &message);
}

static void send_one(struct path *p, struct rte_mbuf *m, uint32_t generation)
{
	struct pkt *k = pkt_of(m);
	const struct endpoint *e = k->endpoint;
	if (e->underlay_generation != generation)
		renew_stale_endpoint(p, k);
	uint16_t udp_len = (uint16_t)(m->data_len + sizeof(struct rte_udp_hdr));
	uint8_t *frame = pkt_grow(m, e->header_len, 0);
	if (frame == NULL) {
		path_drop(p, m, COUNTER_DROP_NO_HEADROOM);
		return;
	}
	if (e->is_v6)
		write_ipv6(frame, e, udp_len, k->outer_tos);
	else
		write_ipv4(frame, e, udp_len, k->outer_tos);
	const struct port *port = underlay_adjacency_port(p->tables, e->adjacency, frame);
	if (port == NULL) {
		renew_stale_endpoint(p, k);
		path_drop(p, m, COUNTER_DROP_NEIGHBOUR_MISSING);
		return;
	}
	capture_packet(p->rings, p->counters, m, k->to, PEER_CAPTURE_OUTER, true);
	k->port = (uint8_t)(port - p->tables->port);
	bool fits = m->data_len - RTE_ETHER_HDR_LEN <= port->mtu;
	path_push(p, fits ? STAGE_TX : STAGE_FRAGMENT, m);
}

void udp_output(struct path *p, struct vector *in)
{
	uint32_t generation = underlay_generation(p->tables->underlay);
	for (uint16_t n = 0; n < in->count; n++)
		send_one(p, in->packet[n], generation);
}
