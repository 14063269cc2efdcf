/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_PATH_OUTER_H
#define DATAPLANE_PATH_OUTER_H

#include "dataplane/base/ip.h"
#include "dataplane/table/pkt.h"

#include <string.h>

#include <rte_byteorder.h>
#include <rte_ether.h>

/* Addresses and ports of a received tunnel packet. */
struct outer {
	struct ip_endpoint source;
	struct ip_addr local;
	uint16_t local_port; /* host byte order */
};

/*
 * Reads them from the frame's start, where they stand until the packet is sealed again.
 * k->outer_len and k->outer_v6 were set by classify, which checked the lengths; m's data may
 * begin at the frame or behind the outer headers.
 */
static inline void outer_read_at(const uint8_t *frame, const struct pkt *k, struct outer *ret)
{
	const uint8_t *ip = frame + RTE_ETHER_HDR_LEN;
	const uint8_t *udp = frame + k->outer_len - 8;
	if (k->outer_v6) {
		memcpy(ret->source.addr.bytes, ip + 8, 16);
		memcpy(ret->local.bytes, ip + 24, 16);
	} else {
		ret->source.addr = ip_addr_from_v4(ip + 12);
		ret->local = ip_addr_from_v4(ip + 16);
	}
	ret->source.port = (uint16_t)(udp[0] << 8 | udp[1]);
	ret->local_port = (uint16_t)(udp[2] << 8 | udp[3]);
}

static inline void outer_read(const struct rte_mbuf *m, const struct pkt *k, struct outer *ret)
{
	outer_read_at(rte_pktmbuf_mtod(m, const uint8_t *), k, ret);
}

#endif
