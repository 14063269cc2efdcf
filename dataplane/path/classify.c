// SPDX-License-Identifier: Apache-2.0
/*
 * Outer headers: a UDP packet to an address of ours and a listener's port is a tunnel's, and its
 * first bytes say whether it is data or a handshake; everything else that is addressed to us is
 * the host's. Lengths are checked against each other before any field behind them is read.
 */
#include "dataplane/base/ip.h"
#include "dataplane/crypto/aead.h"
#include "dataplane/path/outer.h"
#include "dataplane/path/path.h"
#include "dataplane/table/instance.h"
#include "dataplane/table/session.h"
#include "dataplane/table/tables.h"
#include "dataplane/table/underlay.h"
#include "dataplane/wg/messages.h"

#include <netinet/in.h>
#include <stdatomic.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_udp.h>

enum {
	WG_TYPE_AND_RESERVED = 4,
};

/* By type and exact length (section 5.4 of the WireGuard paper). */
static void dispatch_handshake(struct path *p, struct rte_mbuf *m, uint32_t type, uint16_t len)
{
	bool fits;
	switch (type) {
	case MESSAGE_HANDSHAKE_INITIATION:
		fits = len == sizeof(struct message_handshake_initiation);
		break;
	case MESSAGE_HANDSHAKE_RESPONSE:
		fits = len == sizeof(struct message_handshake_response);
		break;
	case MESSAGE_HANDSHAKE_COOKIE:
		fits = len == sizeof(struct message_handshake_cookie);
		break;
	default:
		path_drop(p, m, COUNTER_DROP_WG_TYPE);
		return;
	}
	if (fits)
		path_push(p, STAGE_TO_KEYING, m);
	else
		path_drop(p, m, COUNTER_DROP_WG_LENGTH);
}

static inline void dispatch_wireguard(struct path *p, struct rte_mbuf *m, uint16_t at)
{
	const uint8_t *data = rte_pktmbuf_mtod_offset(m, const uint8_t *, at);
	uint16_t len = (uint16_t)(m->data_len - at);
	if (len < WG_TYPE_AND_RESERVED) {
		path_drop(p, m, COUNTER_DROP_WG_LENGTH);
		return;
	}
	uint32_t type = message_read_le32(data); /* with the three reserved bytes, which are zero */
	if (type != MESSAGE_DATA) {
		dispatch_handshake(p, m, type, len);
		return;
	}
	if (len < sizeof(struct message_data) + AEAD_TAG_LEN) {
		path_drop(p, m, COUNTER_DROP_WG_LENGTH);
		return;
	}
	session_prefetch(p->tables->sessions, message_read_le32(data + 4));
	path_push(p, p->data_stage, m);
}

/* A source that can't be answered is never anybody's endpoint. In an IPv6 header a mapped address
 * (RFC 4291 section 2.5.5.2) would pass for one of IPv4. */
static inline bool source_is_sane(const struct path *p, const struct outer *o, bool v6)
{
	const struct ip_addr *a = &o->source.addr;
	if (v6 && (ip_addr_is_v4(a) || ip_addr_is_v4(&o->local)))
		return false;
	bool broadcast = ip_addr_is_v4(a) && a->bytes[12] == 255;
	return o->source.port != 0 && !ip_addr_is_zero(a) && !ip_addr_is_multicast(a)
		&& !ip_addr_is_loopback(a) && !broadcast && !underlay_is_local(p->tables, a);
}

/* Inlined for each family, of which the addresses then are. */
static __rte_always_inline void classify_udp(
	struct path *p, struct rte_mbuf *m, struct pkt *k, const struct outer *o, bool v6)
{
	struct instance *i =
		atomic_load_explicit(&p->tables->listener[o->local_port], memory_order_acquire);
	if (i == NULL || !underlay_is_local(p->tables, &o->local)) {
		path_push(p, STAGE_PUNT, m);
		return;
	}
	if (!source_is_sane(p, o, v6)) {
		path_drop(p, m, COUNTER_DROP_OUTER_SOURCE);
		return;
	}
	k->instance = i;
	dispatch_wireguard(p, m, k->outer_len);
}

/* Cuts Ethernet padding off; the frame must hold what its headers promise. */
static bool trim_to(struct rte_mbuf *m, uint32_t len)
{
	if (len > m->data_len)
		return false;
	pkt_cut(m, 0, (uint16_t)len);
	return true;
}

/* The UDP header is in the frame, and says as many bytes as the IP header. */
static bool udp_is_whole(const struct rte_mbuf *m, uint16_t at)
{
	const struct rte_udp_hdr *udp = rte_pktmbuf_mtod_offset(m, const struct rte_udp_hdr *, at);
	return m->data_len >= at + sizeof(*udp)
		&& rte_be_to_cpu_16(udp->dgram_len) == m->data_len - at;
}

static __rte_cold uint16_t sum_of_options(const struct rte_ipv4_hdr *ip, uint16_t header)
{
	return rte_raw_cksum(ip + 1, header - sizeof(*ip));
}

/* RFC 1071, in words of 32 bits: a header is a multiple of them, and never all zero. */
static inline bool ipv4_checksum_is_right(const struct rte_ipv4_hdr *ip, uint16_t header)
{
	uint64_t a, b;
	uint32_t c;
	memcpy(&a, ip, 8);
	memcpy(&b, (const uint8_t *)ip + 8, 8);
	memcpy(&c, (const uint8_t *)ip + 16, 4);
	uint64_t sum = (uint32_t)a + (a >> 32) + (uint32_t)b + (b >> 32) + c;
	if (header != sizeof(*ip))
		sum += sum_of_options(ip, header);
	return sum % 0xffff == 0;
}

static void classify_ipv4(struct path *p, struct rte_mbuf *m, struct pkt *k)
{
	const struct rte_ipv4_hdr *ip =
		rte_pktmbuf_mtod_offset(m, const struct rte_ipv4_hdr *, RTE_ETHER_HDR_LEN);
	if (m->data_len < RTE_ETHER_HDR_LEN + sizeof(*ip)) {
		path_drop(p, m, COUNTER_DROP_FRAME_SHORT);
		return;
	}
	uint16_t header = (uint16_t)((ip->version_ihl & 0x0f) * 4);
	uint16_t total = rte_be_to_cpu_16(ip->total_length);
	if (ip->version_ihl >> 4 != 4 || header < sizeof(*ip) || total < header) {
		path_drop(p, m, COUNTER_DROP_OUTER_MALFORMED);
		return;
	}
	if (!trim_to(m, RTE_ETHER_HDR_LEN + (uint32_t)total)) {
		path_drop(p, m, COUNTER_DROP_FRAME_TRUNCATED);
		return;
	}
	if (!ipv4_checksum_is_right(ip, header)) { /* RFC 1812 section 5.2.2 (2) */
		path_drop(p, m, COUNTER_DROP_OUTER_MALFORMED);
		return;
	}
	bool fragment = (ip->fragment_offset & RTE_BE16(0x3fff)) != 0;
	if (ip->next_proto_id != IPPROTO_UDP || fragment) {
		bool of_udp = ip->next_proto_id == IPPROTO_UDP;
		path_push(p, of_udp ? STAGE_REASSEMBLE : STAGE_PUNT, m);
		return;
	}
	uint16_t udp = (uint16_t)(RTE_ETHER_HDR_LEN + header);
	if (!udp_is_whole(m, udp)) {
		path_drop(p, m, COUNTER_DROP_OUTER_MALFORMED);
		return;
	}
	k->outer_len = (uint16_t)(udp + sizeof(struct rte_udp_hdr));
	struct outer o;
	outer_read4(rte_pktmbuf_mtod(m, const uint8_t *), udp, &o);
	classify_udp(p, m, k, &o, false);
}

static void classify_ipv6(struct path *p, struct rte_mbuf *m, struct pkt *k)
{
	const struct rte_ipv6_hdr *ip =
		rte_pktmbuf_mtod_offset(m, const struct rte_ipv6_hdr *, RTE_ETHER_HDR_LEN);
	if (m->data_len < RTE_ETHER_HDR_LEN + sizeof(*ip)) {
		path_drop(p, m, COUNTER_DROP_FRAME_SHORT);
		return;
	}
	if ((rte_be_to_cpu_32(ip->vtc_flow) >> 28) != 6) {
		path_drop(p, m, COUNTER_DROP_OUTER_MALFORMED);
		return;
	}
	if (!trim_to(m,
		    RTE_ETHER_HDR_LEN + (uint32_t)sizeof(*ip)
			    + rte_be_to_cpu_16(ip->payload_len))) {
		path_drop(p, m, COUNTER_DROP_FRAME_TRUNCATED);
		return;
	}
	if (ip->proto != IPPROTO_UDP) {
		path_push(p, ip->proto == IPPROTO_FRAGMENT ? STAGE_REASSEMBLE : STAGE_PUNT, m);
		return;
	}
	enum {
		UDP = RTE_ETHER_HDR_LEN + sizeof(*ip)
	};
	if (!udp_is_whole(m, UDP)) {
		path_drop(p, m, COUNTER_DROP_OUTER_MALFORMED);
		return;
	}
	k->outer_v6 = 1;
	k->outer_len = UDP + sizeof(struct rte_udp_hdr);
	struct outer o;
	outer_read6(rte_pktmbuf_mtod(m, const uint8_t *), UDP, &o);
	classify_udp(p, m, k, &o, true);
}

/*
 * af_packet also delivers what the kernel sends out of the same interface, and, just after the
 * start, frames of other interfaces: only frames for us and not from us go on.
 */
static bool frame_is_ours(struct path *p, struct rte_mbuf *m, const struct pkt *k)
{
	const struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, const struct rte_ether_hdr *);
	const uint8_t *mac = p->tables->port[k->port].mac;
	if (memcmp(eth->src_addr.addr_bytes, mac, RTE_ETHER_ADDR_LEN) == 0) {
		path_drop(p, m, COUNTER_DROP_FRAME_OWN);
		return false;
	}
	if ((eth->dst_addr.addr_bytes[0] & 1) == 0
		&& memcmp(eth->dst_addr.addr_bytes, mac, RTE_ETHER_ADDR_LEN) != 0) {
		path_drop(p, m, COUNTER_DROP_FRAME_NOT_OURS);
		return false;
	}
	return true;
}

void classify(struct path *p, struct vector *in)
{
	for (uint16_t n = 0; n < in->count; n++)
		rte_prefetch0(rte_pktmbuf_mtod(in->packet[n], const void *));
	for (uint16_t n = 0; n < in->count; n++) {
		struct rte_mbuf *m = in->packet[n];
		struct pkt *k = pkt_of(m);
		if (m->data_len < RTE_ETHER_HDR_LEN || m->nb_segs != 1) {
			path_drop(p, m, COUNTER_DROP_FRAME_SHORT);
			continue;
		}
		if (!frame_is_ours(p, m, k))
			continue;
		switch (rte_pktmbuf_mtod(m, const struct rte_ether_hdr *)->ether_type) {
		case RTE_BE16(RTE_ETHER_TYPE_IPV4):
			classify_ipv4(p, m, k);
			break;
		case RTE_BE16(RTE_ETHER_TYPE_IPV6):
			classify_ipv6(p, m, k);
			break;
		default:
			path_push(p, STAGE_PUNT, m);
			break;
		}
	}
}
