// SPDX-License-Identifier: Apache-2.0
/*
 * Handshake messages and control packets whose UDP checksum is right go to the keying thread by a bounded ring: when it
 * is full they are dropped here, before any cryptography, and data goes on.
 */
#include "dataplane/path/outer.h"
#include "dataplane/path/path.h"
#include "dataplane/table/instance.h"
#include "dataplane/table/rings.h"

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_udp.h>

/*
 * RFC 768: zero over IPv4 means that there is none; RFC 8200 section 8.1: over IPv6 there must be
 * one. Data is not looked at: see DECISIONS.md.
 */
static bool checksum_is_right(const struct rte_mbuf *m, const struct pkt *k)
{
	const void *ip = rte_pktmbuf_mtod_offset(m, const void *, RTE_ETHER_HDR_LEN);
	const struct rte_udp_hdr *udp = rte_pktmbuf_mtod_offset(
		m, const struct rte_udp_hdr *, k->outer_len - sizeof(struct rte_udp_hdr));
	if (udp->dgram_cksum == 0)
		return !k->outer_v6;
	/* what a sender writes in the place of zero: all of it, with the sum that came, adds up */
	return (k->outer_v6 ? rte_ipv6_udptcp_cksum(ip, udp) : rte_ipv4_udptcp_cksum(ip, udp))
		== 0xffff;
}

void to_keying(struct path *p, struct vector *in)
{
	for (uint16_t n = 0; n < in->count; n++) {
		struct rte_mbuf *m = in->packet[n];
		struct pkt *k = pkt_of(m);
		struct outer o;
		if (!checksum_is_right(m, k)) {
			path_drop(p, m, COUNTER_DROP_OUTER_CHECKSUM);
			continue;
		}
		outer_read(m, k, &o);
		k->handle = instance_handle(k->instance);
		struct keying_message message = {
			.type = k->is_openvpn ? KEYING_OPENVPN : KEYING_HANDSHAKE,
			.mbuf = m,
			.remote = o.source.addr,
			.remote_port = o.source.port,
			.local = o.local,
			.local_port = o.local_port,
			.queued_us = keying_message_time(p->now_ns),
		};
		if (!rings_keying_put(p->rings, &message))
			path_drop(p, m, COUNTER_DROP_KEYING_FULL);
	}
}
