/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_PATH_OUTER_H
#define DATAPLANE_PATH_OUTER_H

#include "dataplane/base/ip.h"
#include "dataplane/table/pkt.h"
#include "dataplane/wg/messages.h"

#include <string.h>

#include <rte_ether.h>
#include <rte_udp.h>

/* Addresses and ports of a received tunnel packet. */
struct outer {
	struct ip_endpoint source;
	struct ip_addr local;
	uint16_t local_port; /* host byte order */
};

/* From a frame whose UDP header begins at that byte; classify has checked the lengths. */
static inline void outer_read4(const uint8_t *frame, uint16_t udp, struct outer *ret)
{
	ret->source.addr = ip_addr_from_v4(frame + RTE_ETHER_HDR_LEN + 12);
	ret->local = ip_addr_from_v4(frame + RTE_ETHER_HDR_LEN + 16);
	ret->source.port = (uint16_t)(frame[udp] << 8 | frame[udp + 1]);
	ret->local_port = (uint16_t)(frame[udp + 2] << 8 | frame[udp + 3]);
}

static inline void outer_read6(const uint8_t *frame, uint16_t udp, struct outer *ret)
{
	memcpy(ret->source.addr.bytes, frame + RTE_ETHER_HDR_LEN + 8, 16);
	memcpy(ret->local.bytes, frame + RTE_ETHER_HDR_LEN + 24, 16);
	ret->source.port = (uint16_t)(frame[udp] << 8 | frame[udp + 1]);
	ret->local_port = (uint16_t)(frame[udp + 2] << 8 | frame[udp + 3]);
}

/* Of a frame that classify has let pass: m's data begins at the frame. */
static inline void outer_read(const struct rte_mbuf *m, const struct pkt *k, struct outer *ret)
{
	const uint8_t *frame = rte_pktmbuf_mtod(m, const uint8_t *);
	uint16_t udp = (uint16_t)(k->outer_len - sizeof(struct rte_udp_hdr));
	if (k->outer_v6)
		outer_read6(frame, udp, ret);
	else
		outer_read4(frame, udp, ret);
}

/*
 * Of a WireGuard message that we send: routers, and we, may send it in fragments, so that the
 * identification must differ between messages to one address for long (RFC 6864 section 4.3, RFC
 * 8200 section 4.5). It is made of what differs in them, index and counter; IPv4 takes the low half.
 */
static inline uint32_t outer_identification(const uint8_t *message)
{
	return message_read_le32(message + 4) + message_read_le32(message + 8);
}

#endif
