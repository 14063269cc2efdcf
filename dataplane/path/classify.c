// SPDX-License-Identifier: Apache-2.0
/*
 * Outer headers: a UDP packet to an address of ours and a listener's port is a tunnel's, and its
 * first bytes say whether it is data or a handshake; everything else that is addressed to us is
 * the host's. Lengths are checked against each other before any field behind them is read.
 */
#include "dataplane/base/ip.h"
#include "dataplane/crypto/aead.h"
#include "dataplane/ovpn/framing.h"
#include "dataplane/path/outer.h"
#include "dataplane/path/path.h"
#include "dataplane/table/instance.h"
#include "dataplane/table/listener.h"
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

/* data, len: the UDP payload. */
static inline void dispatch_wireguard(
	struct path *p, struct rte_mbuf *m, const uint8_t *data, uint16_t len)
{
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

/* data, len: the UDP payload. The opcode says whether it is data (reference/openvpn-protocol.md, 1.1). */
static __rte_noinline void dispatch_openvpn(
	struct path *p, struct rte_mbuf *m, const uint8_t *data, uint16_t len)
{
	pkt_of(m)->is_openvpn = 1;
	if (len == 0) {
		path_drop(p, m, COUNTER_DROP_OVPN_LENGTH);
		return;
	}
	switch (data[0] >> 3) { /* below it is the key id */
	case P_DATA_V1:
	case P_DATA_V2:
		path_push(p, p->workers > 1 ? STAGE_HANDOFF : STAGE_OVPN_INPUT, m);
		break;
	case P_CONTROL_SOFT_RESET_V1:
	case P_CONTROL_V1:
	case P_ACK_V1:
	case P_CONTROL_HARD_RESET_CLIENT_V2:
	case P_CONTROL_HARD_RESET_CLIENT_V3:
	case P_CONTROL_WKC_V1:
		path_push(p, STAGE_TO_KEYING, m);
		break;
	default:
		path_drop(p, m, COUNTER_DROP_OVPN_OPCODE);
		break;
	}
}

/*
 * A source that can't be answered is never anybody's endpoint. IPv4 is looked at as it stands in
 * the header, because most packets are of it.
 */
static inline bool source4_is_sane(const struct path *p, rte_be32_t a)
{
	uint32_t first = rte_be_to_cpu_32(a) >> 24;
	bool multicast = first >> 4 == 0xe, loopback = first == 127, broadcast = first == 255;
	return a != 0 && !multicast && !loopback && !broadcast && !underlay_is_local4(p->tables, a);
}

/* A mapped address (RFC 4291 section 2.5.5.2) would pass for one of IPv4. */
static bool source6_is_sane(const struct path *p, const struct outer *o)
{
	const struct ip_addr *a = &o->source.addr;
	return !ip_addr_is_v4(a) && !ip_addr_is_v4(&o->local) && !ip_addr_is_zero(a)
		&& !ip_addr_is_multicast(a) && !ip_addr_is_loopback(a)
		&& !underlay_is_local(p->tables, a);
}

/* is_local, is_sane: what the IP header says of its destination and of its source. udp: whole. */
static inline void classify_udp(struct path *p, struct rte_mbuf *m, const struct rte_udp_hdr *udp,
	bool is_local, bool is_sane)
{
	uint16_t port = rte_be_to_cpu_16(udp->dst_port), len = rte_be_to_cpu_16(udp->dgram_len);
	struct instance *i = atomic_load_explicit(&p->tables->listener[port], memory_order_acquire);
	bool is_openvpn = i == NULL;
	if (is_openvpn)
		i = listener_instance(p->tables->openvpn_port, port);
	if (i == NULL || !is_local) {
		path_push(p, STAGE_PUNT, m);
		return;
	}
	if (udp->src_port == 0 || !is_sane) {
		path_drop(p, m, COUNTER_DROP_OUTER_SOURCE);
		return;
	}
	pkt_of(m)->instance = i;
	len = (uint16_t)(len - sizeof(*udp));
	if (is_openvpn)
		dispatch_openvpn(p, m, (const uint8_t *)(udp + 1), len);
	else
		dispatch_wireguard(p, m, (const uint8_t *)(udp + 1), len);
}

/* Cuts Ethernet padding off; the frame must hold what its headers promise. */
static bool trim_to(struct rte_mbuf *m, uint32_t len)
{
	if (len < m->data_len)
		pkt_cut(m, 0, (uint16_t)len);
	return len == m->data_len;
}

/* len: what the IP header leaves for it. */
static inline bool udp_is_whole(const struct rte_udp_hdr *udp, uint32_t len)
{
	return len >= sizeof(*udp) && rte_be_to_cpu_16(udp->dgram_len) == len;
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

/* header: its length, at least 20. Inlined for the one that nearly every packet has. */
static __rte_always_inline void classify_ipv4(
	struct path *p, struct rte_mbuf *m, const struct rte_ipv4_hdr *ip, uint16_t header)
{
	uint16_t total = rte_be_to_cpu_16(ip->total_length);
	if (total < header) {
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
	const struct rte_udp_hdr *udp = (const struct rte_udp_hdr *)((const uint8_t *)ip + header);
	if (!udp_is_whole(udp, (uint32_t)total - header)) {
		path_drop(p, m, COUNTER_DROP_OUTER_MALFORMED);
		return;
	}
	pkt_of(m)->outer_len = (uint16_t)(RTE_ETHER_HDR_LEN + header + sizeof(*udp));
	classify_udp(p, m, udp, underlay_is_local4(p->tables, ip->dst_addr),
		source4_is_sane(p, ip->src_addr));
}

static __rte_noinline void classify_ipv4_options(
	struct path *p, struct rte_mbuf *m, const struct rte_ipv4_hdr *ip)
{
	uint16_t header = rte_ipv4_hdr_len(ip);
	if (ip->version_ihl >> 4 != 4 || header < sizeof(*ip))
		path_drop(p, m, COUNTER_DROP_OUTER_MALFORMED);
	else
		classify_ipv4(p, m, ip, header);
}

static inline void classify_any_ipv4(struct path *p, struct rte_mbuf *m)
{
	const struct rte_ipv4_hdr *ip =
		rte_pktmbuf_mtod_offset(m, const struct rte_ipv4_hdr *, RTE_ETHER_HDR_LEN);
	if (m->data_len < RTE_ETHER_HDR_LEN + sizeof(*ip))
		path_drop(p, m, COUNTER_DROP_FRAME_SHORT);
	else if (ip->version_ihl == RTE_IPV4_VHL_DEF)
		classify_ipv4(p, m, ip, sizeof(*ip));
	else
		classify_ipv4_options(p, m, ip);
}

static void classify_ipv6(struct path *p, struct rte_mbuf *m)
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
	const struct rte_udp_hdr *udp = (const struct rte_udp_hdr *)(ip + 1);
	if (!udp_is_whole(udp, rte_be_to_cpu_16(ip->payload_len))) {
		path_drop(p, m, COUNTER_DROP_OUTER_MALFORMED);
		return;
	}
	struct pkt *k = pkt_of(m);
	k->outer_v6 = 1;
	k->outer_len = RTE_ETHER_HDR_LEN + sizeof(*ip) + sizeof(*udp);
	struct outer o;
	outer_read(m, k, &o);
	classify_udp(p, m, udp, underlay_is_local(p->tables, &o.local), source6_is_sane(p, &o));
}

/* The 6 bytes of a MAC address, for comparing: one load, of which 2 bytes more are shifted out. */
static inline uint64_t mac_word(const uint8_t *at)
{
	uint64_t word;
	memcpy(&word, at, sizeof(word));
	return htole64(le64toh(word) << 16);
}

/*
 * af_packet also delivers what the kernel sends out of the same interface, and, just after the
 * start, frames of other interfaces: only frames for us and not from us go on.
 */
static inline bool frame_is_ours(struct path *p, struct rte_mbuf *m)
{
	const struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, const struct rte_ether_hdr *);
	uint64_t mac = mac_word(p->tables->port[pkt_of(m)->port].mac);
	if (mac_word(eth->src_addr.addr_bytes) == mac) {
		path_drop(p, m, COUNTER_DROP_FRAME_OWN);
		return false;
	}
	if (mac_word(eth->dst_addr.addr_bytes) != mac
		&& !rte_is_multicast_ether_addr(&eth->dst_addr)) {
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
		if (m->data_len < RTE_ETHER_HDR_LEN || m->nb_segs != 1) {
			path_drop(p, m, COUNTER_DROP_FRAME_SHORT);
			continue;
		}
		if (!frame_is_ours(p, m))
			continue;
		switch (rte_pktmbuf_mtod(m, const struct rte_ether_hdr *)->ether_type) {
		case RTE_BE16(RTE_ETHER_TYPE_IPV4):
			classify_any_ipv4(p, m);
			break;
		case RTE_BE16(RTE_ETHER_TYPE_IPV6):
			classify_ipv6(p, m);
			break;
		default:
			path_push(p, STAGE_PUNT, m);
			break;
		}
	}
}
