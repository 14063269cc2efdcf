// SPDX-License-Identifier: Apache-2.0
/*
 * Packets that are larger than the way: a tunnel's outer packet that is larger than its port's MTU
 * is sent in pieces, as WireGuard does elsewhere (don't-fragment is never set outside, and in IPv6
 * the hub is the sender), so that a peer's MTU need not fit the path. Pieces are copies: one segment
 * each, like every packet here.
 */
#include "dataplane/path/fragment.h"

#include "dataplane/path/outer.h"
#include "dataplane/path/path.h"
#include "dataplane/table/rings.h"
#include "dataplane/table/tables.h"
#include "dataplane/wg/messages.h"

#include <netinet/in.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_udp.h>

enum {
	UNIT = 8, /* of an offset */
	IPV4_HEADER_MAX = 60,
	FRAGMENT6_HEADER = 8,
	OPTION_END = 0,
	OPTION_NOP = 1,
	OPTION_COPIED = 0x80,
};

/* A packet's headers, which all pieces repeat, and what is shared out. */
struct parts {
	const uint8_t *payload;
	uint16_t len; /* of the payload */
	uint16_t chunk; /* payload of each piece but the last */
	uint16_t headers; /* of a piece */
};

static struct rte_mbuf *make_piece(struct path *p, struct rte_mbuf *m, uint16_t len)
{
	struct rte_mbuf *piece = rte_pktmbuf_alloc(p->rings->pool);
	if (piece == NULL)
		return NULL;
	if (pkt_grow(piece, 0, len) == NULL) {
		rte_pktmbuf_free(piece);
		return NULL;
	}
	*pkt_of(piece) = *pkt_of(m);
	return piece;
}

/* All pieces but the first, with room for the headers. Their number with the first, or 0. */
static unsigned int share_out(struct path *p, struct rte_mbuf *m, const struct parts *parts,
	struct rte_mbuf **ret, unsigned int max)
{
	unsigned int count = 0;
	ret[count++] = m;
	for (uint16_t at = parts->chunk; at < parts->len; at = (uint16_t)(at + parts->chunk)) {
		uint16_t left = (uint16_t)(parts->len - at);
		uint16_t len = left < parts->chunk ? left : parts->chunk;
		struct rte_mbuf *piece = NULL;
		if (count < max)
			piece = make_piece(p, m, (uint16_t)(parts->headers + len));
		if (piece == NULL) {
			rte_pktmbuf_free_bulk(ret + 1, count - 1);
			return 0;
		}
		memcpy(rte_pktmbuf_mtod_offset(piece, uint8_t *, parts->headers),
			parts->payload + at, len);
		ret[count++] = piece;
	}
	return count;
}

/* The header of all pieces but the first: of the options only those that say so. Its length. */
static uint16_t later_header(const uint8_t *ip, uint8_t ret[IPV4_HEADER_MAX])
{
	uint16_t header = (uint16_t)((ip[0] & 0x0f) * 4), to = sizeof(struct rte_ipv4_hdr);
	memset(ret, 0, IPV4_HEADER_MAX);
	memcpy(ret, ip, to);
	uint16_t len;
	for (uint16_t at = to; at + 1 < header && ip[at] != OPTION_END; at = (uint16_t)(at + len)) {
		len = ip[at] == OPTION_NOP ? 1 : ip[at + 1];
		if (len == 0 || at + len > header)
			break;
		if (ip[at] & OPTION_COPIED) {
			memcpy(ret + to, ip + at, len);
			to = (uint16_t)(to + len);
		}
	}
	to = (uint16_t)((to + 3) & ~3);
	ret[0] = (uint8_t)(0x40 | to / 4);
	return to;
}

static void finish_ipv4(struct rte_mbuf *m, uint16_t link, uint16_t where)
{
	struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod_offset(m, struct rte_ipv4_hdr *, link);
	ip->total_length = rte_cpu_to_be_16((uint16_t)(m->data_len - link));
	ip->fragment_offset = rte_cpu_to_be_16(where);
	ip->hdr_checksum = 0;
	ip->hdr_checksum = (uint16_t)~rte_raw_cksum(ip, (size_t)(ip->version_ihl & 0x0f) * 4);
}

unsigned int fragment_ipv4(struct path *p, struct rte_mbuf *m, uint16_t link, uint16_t mtu,
	struct rte_mbuf *ret[FRAGMENT_MAX], unsigned int max)
{
	const uint8_t *frame = rte_pktmbuf_mtod(m, const uint8_t *), *ip = frame + link;
	uint8_t later[IPV4_HEADER_MAX];
	uint16_t header = (uint16_t)((ip[0] & 0x0f) * 4), later_len = later_header(ip, later);
	uint16_t where = (uint16_t)(ip[6] << 8 | ip[7]);
	struct parts parts = {
		.payload = ip + header,
		.len = (uint16_t)(m->data_len - link - header),
		.chunk = (uint16_t)((mtu - header) / UNIT * UNIT),
		.headers = (uint16_t)(link + later_len),
	};
	unsigned int count = share_out(p, m, &parts, ret, max < FRAGMENT_MAX ? max : FRAGMENT_MAX);
	if (count == 0)
		return 0;
	for (unsigned int n = 1; n < count; n++) {
		uint8_t *to = rte_pktmbuf_mtod(ret[n], uint8_t *);
		bool last = n == count - 1 && (where & RTE_IPV4_HDR_MF_FLAG) == 0;
		unsigned int offset = (where + n * (parts.chunk / UNIT)) & RTE_IPV4_HDR_OFFSET_MASK;
		memcpy(to, frame, link);
		memcpy(to + link, later, later_len);
		finish_ipv4(
			ret[n], link, (uint16_t)(last ? offset : offset | RTE_IPV4_HDR_MF_FLAG));
	}
	pkt_cut(m, 0, (uint16_t)(link + header + parts.chunk));
	finish_ipv4(m, link, where | RTE_IPV4_HDR_MF_FLAG);
	return count;
}

/* The fragment header (RFC 8200 section 4.5) behind the IPv6 header, whose length it joins. */
static void write_ipv6(struct rte_mbuf *m, const uint8_t *headers, uint16_t headers_len,
	uint16_t where, uint32_t id)
{
	uint8_t *frame = rte_pktmbuf_mtod(m, uint8_t *), *f = frame + headers_len;
	uint16_t len = (uint16_t)(m->data_len - headers_len);
	memcpy(frame, headers, headers_len);
	frame[RTE_ETHER_HDR_LEN + 4] = (uint8_t)(len >> 8);
	frame[RTE_ETHER_HDR_LEN + 5] = (uint8_t)len;
	frame[RTE_ETHER_HDR_LEN + 6] = IPPROTO_FRAGMENT;
	f[0] = IPPROTO_UDP;
	f[1] = 0;
	f[2] = (uint8_t)(where >> 8);
	f[3] = (uint8_t)where;
	memcpy(f + 4, &id, sizeof(id));
}

/* As fragment_ipv4(), of the hub's own frame: Ethernet, IPv6 and UDP with a WireGuard message. */
static unsigned int fragment_ipv6(
	struct path *p, struct rte_mbuf *m, uint16_t mtu, struct rte_mbuf *ret[FRAGMENT_MAX])
{
	enum {
		HEADERS = RTE_ETHER_HDR_LEN + sizeof(struct rte_ipv6_hdr),
	};
	uint8_t headers[HEADERS];
	const uint8_t *frame = rte_pktmbuf_mtod(m, const uint8_t *);
	uint32_t id = outer_identification(frame + HEADERS + sizeof(struct rte_udp_hdr));
	struct parts parts = {
		.payload = frame + HEADERS,
		.len = (uint16_t)(m->data_len - HEADERS),
		.chunk = (uint16_t)((mtu - sizeof(struct rte_ipv6_hdr) - FRAGMENT6_HEADER) / UNIT
			* UNIT),
		.headers = HEADERS + FRAGMENT6_HEADER,
	};
	memcpy(headers, frame, HEADERS);
	unsigned int count =
		m->data_off >= FRAGMENT6_HEADER ? share_out(p, m, &parts, ret, FRAGMENT_MAX) : 0;
	if (count == 0)
		return 0;
	for (unsigned int n = 1; n < count; n++)
		write_ipv6(ret[n], headers, HEADERS, (uint16_t)(n * parts.chunk | (n + 1 < count)),
			id);
	pkt_cut(m, 0, (uint16_t)(HEADERS + parts.chunk));
	(void)pkt_grow(m, FRAGMENT6_HEADER, 0);
	write_ipv6(m, headers, HEADERS, 1, id);
	return count;
}

/* Pieces are more packets than came in: what waits is sent before a vector is full. */
static void make_room(struct path *p, unsigned int count)
{
	struct vector *out = &p->vector[STAGE_TX];
	if (out->count + count <= PATH_VECTOR)
		return;
	tx(p, out);
	out->count = 0;
}

static void send_in_pieces(struct path *p, struct rte_mbuf *m)
{
	struct rte_mbuf *piece[FRAGMENT_MAX];
	const struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, const struct rte_ether_hdr *);
	uint16_t mtu = p->tables->port[pkt_of(m)->port].mtu;
	unsigned int count = eth->ether_type == RTE_BE16(RTE_ETHER_TYPE_IPV4)
		? fragment_ipv4(p, m, RTE_ETHER_HDR_LEN, mtu, piece, FRAGMENT_MAX)
		: fragment_ipv6(p, m, mtu, piece);
	if (count == 0) {
		path_drop(p, m, COUNTER_DROP_NO_BUFFER);
		return;
	}
	make_room(p, count);
	for (unsigned int n = 0; n < count; n++)
		path_push(p, STAGE_TX, piece[n]);
	counter_add(p->counters, COUNTER_FRAGMENTED_DATAGRAMS, 1);
}

void fragment(struct path *p, struct vector *in)
{
	for (uint16_t n = 0; n < in->count; n++)
		send_in_pieces(p, in->packet[n]);
}
