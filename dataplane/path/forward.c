// SPDX-License-Identifier: Apache-2.0
/*
 * What a router does to a packet it passes on (RFC 1812 section 5.3, RFC 8200 section 3): hop
 * count, the inner MTU, and the MSS option of TCP SYNs, so that TCP never meets the MTU. The
 * checksums are adjusted, not computed anew (RFC 1624).
 */
#include "dataplane/path/checksum.h"
#include "dataplane/path/fragment.h"
#include "dataplane/path/output.h"
#include "dataplane/path/path.h"
#include "dataplane/table/instance.h"

#include <netinet/in.h>
#include <stdatomic.h>

#include <rte_byteorder.h>
#include <rte_ip.h>

enum {
	TCP_HEADER_LEN = 20,
	TCP_FLAG_SYN = 0x02,
	TCP_OPTION_END = 0,
	TCP_OPTION_NOP = 1,
	TCP_OPTION_MSS = 2,
};

static const struct icmp_reason ttl_exceeded = {11, 0, 3, 0};
static const struct icmp_reason too_big = {3, 4, 2, 0};

static uint16_t read_be16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static void write_be16(uint8_t *at, uint16_t v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

/* One hop less; false when this was the last one. */
static bool decrement_ttl(uint8_t *ip, bool v6)
{
	uint8_t *ttl = v6 ? ip + 7 : ip + 8;
	if (*ttl <= 1)
		return false;
	*ttl -= 1;
	if (!v6)
		checksum_adjust_hop(ip + 10);
	return true;
}

/* The TCP header of an unfragmented packet with SYN set; NULL for anything else. */
static uint8_t *find_syn(uint8_t *ip, const struct pkt *k, uint16_t *ret_len)
{
	uint16_t at = sizeof(struct rte_ipv6_hdr);
	if (!k->inner_v6) {
		at = (uint16_t)((ip[0] & 0x0f) * 4);
		if ((read_be16(ip + 6) & 0x3fff) != 0)
			return NULL;
	}
	uint8_t proto = k->inner_v6 ? ip[6] : ip[9];
	if (proto != IPPROTO_TCP || k->inner_len < at + TCP_HEADER_LEN)
		return NULL;
	uint8_t *tcp = ip + at;
	uint16_t header = (uint16_t)((tcp[12] >> 4) * 4);
	bool whole = header >= TCP_HEADER_LEN && at + header <= k->inner_len;
	*ret_len = header;
	return whole && (tcp[13] & TCP_FLAG_SYN) != 0 ? tcp : NULL;
}

static void clamp_mss(uint8_t *tcp, uint16_t header, uint16_t max)
{
	uint16_t at = TCP_HEADER_LEN;
	while (at + 1 < header && tcp[at] != TCP_OPTION_END) {
		if (tcp[at] == TCP_OPTION_NOP) {
			at++;
			continue;
		}
		uint8_t len = tcp[at + 1];
		if (len < 2 || at + len > header)
			return;
		if (tcp[at] == TCP_OPTION_MSS && len == 4) {
			uint8_t *mss = tcp + at + 2;
			uint16_t old = read_be16(mss);
			if (old <= max)
				return;
			/* an option may begin at an odd byte: then its bytes stand in two words */
			bool odd = (at & 1) != 0;
			write_be16(mss, max);
			checksum_adjust(tcp + 16, odd ? rte_bswap16(old) : old,
				odd ? rte_bswap16(max) : max);
			return;
		}
		at = (uint16_t)(at + len);
	}
}

static void pass_on(struct path *p, struct rte_mbuf *m)
{
	counter_add(p->counters, COUNTER_FORWARDED_PACKETS, 1);
	const struct peer *to = pkt_of(m)->to;
	path_push(p, to != NULL ? output_stage(to) : STAGE_EGRESS, m);
}

/* Routers fragment IPv4 where they may, IPv6 never. */
static __rte_cold void forward_too_large(struct path *p, struct rte_mbuf *m, uint16_t mtu)
{
	const uint8_t *ip = rte_pktmbuf_mtod(m, const uint8_t *);
	if (pkt_of(m)->inner_v6 || (read_be16(ip + 6) & RTE_IPV4_HDR_DF_FLAG) != 0) {
		path_refuse(p, m, COUNTER_DROP_MTU, &too_big);
		return;
	}
	struct rte_mbuf *piece[FRAGMENT_MAX];
	unsigned int count = fragment_ipv4(p, m, 0, mtu, piece, path_room(p) + 1);
	if (count == 0) {
		path_drop(p, m, COUNTER_DROP_NO_BUFFER);
		return;
	}
	p->packets = (uint16_t)(p->packets + count - 1);
	for (unsigned int n = 0; n < count; n++)
		pass_on(p, piece[n]);
	counter_add(p->counters, COUNTER_FRAGMENTED_DATAGRAMS, 1);
}

static void forward_one(struct path *p, struct rte_mbuf *m)
{
	struct pkt *k = pkt_of(m);
	uint8_t *ip = rte_pktmbuf_mtod(m, uint8_t *);
	uint16_t mtu = atomic_load_explicit(&k->instance->mtu, memory_order_relaxed);
	/* Linux has forwarded what comes from the host: it counted the hop */
	if (k->from != NULL && !decrement_ttl(ip, k->inner_v6)) {
		path_refuse(p, m, COUNTER_DROP_TTL, &ttl_exceeded);
		return;
	}
	if (k->inner_len > mtu) {
		forward_too_large(p, m, mtu);
		return;
	}
	uint16_t tcp_len = 0;
	uint8_t *syn = find_syn(ip, k, &tcp_len);
	if (syn != NULL)
		clamp_mss(syn, tcp_len, (uint16_t)(mtu - (k->inner_v6 ? 40 : 20) - TCP_HEADER_LEN));
	pass_on(p, m);
}

void forward(struct path *p, struct vector *in)
{
	for (uint16_t n = 0; n < in->count; n++)
		forward_one(p, in->packet[n]);
}
