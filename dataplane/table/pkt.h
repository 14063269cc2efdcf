/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_TABLE_PKT_H
#define DATAPLANE_TABLE_PKT_H

#include <assert.h>
#include <stdint.h>

#include <rte_mbuf.h>

struct instance;
struct peer;
struct session;
struct tunnel;
struct endpoint;

/*
 * What the hub knows of a packet: one cache line in the private area of its mbuf. Nobody
 * overlays it. A packet is one segment: Nave's pools hold whole packets.
 */
struct pkt {
	struct instance *instance; /* set: classify, inject; read: all inner stages */
	struct peer *from; /* set: wg_input; NULL: from the hub's host or the internet */
	struct peer *to; /* set: route_lookup, icmp, inject; read: access, wg_output */
	/* set: handoff, wg_input; read: wg_input. Of is_openvpn: set and read by ovpn_input */
	union {
		struct session *session;
		struct tunnel *tunnel;
	};
	struct endpoint *endpoint; /* set: wg_output, inject; read: udp_output */
	uint64_t handle; /* instance or peer, while the packet is in a ring: see pkt_inject */
	uint16_t
		outer_len; /* from the frame's start to the UDP payload; behind *_input to the inner packet */
	uint16_t inner_len; /* set: source_check, inject: IP packet without padding */
	uint8_t outer_v6; /* set: classify */
	uint8_t inner_v6; /* set: source_check, inject */
	uint8_t port; /* set: rx, udp_output: index of the port */
	uint8_t inject; /* enum pkt_inject, while in an inject or handoff ring */
	uint8_t host; /* enum pkt_host, while in the host ring */
	uint8_t outer_tos; /* set: wg_output, inject; read: udp_output: DSCP and ECN */
	uint8_t icmp_type, icmp_code;
	uint8_t outbound; /* while in the host ring as PKT_HOST_CAPTURE: to the peer */
	uint8_t is_openvpn; /* set: classify; read: to_keying, handoff, inject */
	uint8_t by_default; /* set: route_lookup: to the internet, through a site; read: access */
};

/* Where a packet that comes from another thread enters the path. */
enum pkt_inject {
	PKT_INJECT_DATA, /* a frame with a tunnel's data for its owner; handle: instance */
	PKT_INJECT_FRAGMENT, /* an outer fragment, for the worker that puts its datagram together */
	PKT_INJECT_TX, /* a whole frame for pkt.port */
	PKT_INJECT_ROUTE, /* an inner packet from the host; handle: instance */
	PKT_INJECT_FROM_PEER, /* an inner packet that a TCP stream brought; handle: peer */
	PKT_INJECT_PEER_INNER, /* an inner packet (or nothing: a keepalive) to seal; handle: peer */
	PKT_INJECT_PEER_OUTER, /* a UDP payload for the peer's endpoint; handle: peer */
};

/* Which host device a packet goes to. */
enum pkt_host {
	PKT_HOST_TAP, /* a frame for the TAP of pkt.port */
	PKT_HOST_TUN, /* an inner packet for the TUN of the instance; handle: instance */
	PKT_HOST_CAPTURE, /* a copy for the capture file of a peer; handle: peer */
};

static_assert(sizeof(struct pkt) <= 64, "struct pkt is one cache line");

enum {
	PKT_PRIVATE_SIZE = 64,
	PKT_ROOM_UNIT = 2048, /* as the drivers like it */
	PKT_LINK = 18, /* Ethernet with a VLAN tag */
	PKT_OVERHEAD = 14 + 40 + 8 + 16 + 16, /* Ethernet, IPv6, UDP, WireGuard's header and tag */
};

/* What a packet's buffer holds behind the headroom when frames of that MTU must fit; all of a pool
 * are alike. */
static inline uint16_t pkt_room(unsigned int mtu)
{
	return (uint16_t)((mtu + PKT_LINK + PKT_ROOM_UNIT - 1) / PKT_ROOM_UNIT * PKT_ROOM_UNIT);
}

/* And the largest inner packet that then fits with all that goes around it. */
static inline uint16_t pkt_inner_max(unsigned int mtu)
{
	return (uint16_t)(pkt_room(mtu) - PKT_OVERHEAD);
}

static inline struct pkt *pkt_of(struct rte_mbuf *m)
{
	return (struct pkt *)rte_mbuf_to_priv(m);
}

/*
 * rte_pktmbuf_trim() and _append() ask for the last segment, which is in the mbuf's second cache
 * line. A packet of ours has but one, so nobody need look.
 */

/* Keeps len bytes behind the first `front`; the caller knows that they are there. */
static inline void pkt_cut(struct rte_mbuf *m, uint16_t front, uint16_t len)
{
	m->data_off = (uint16_t)(m->data_off + front);
	m->data_len = len;
	m->pkt_len = len;
}

/* More bytes, unwritten, in front and behind; the new start, or NULL without room. */
static inline uint8_t *pkt_grow(struct rte_mbuf *m, uint16_t front, uint16_t back)
{
	if (front > m->data_off || m->data_off + m->data_len + back > m->buf_len)
		return NULL;
	m->data_off = (uint16_t)(m->data_off - front);
	m->data_len = (uint16_t)(m->data_len + front + back);
	m->pkt_len = m->data_len;
	return rte_pktmbuf_mtod(m, uint8_t *);
}

#endif
