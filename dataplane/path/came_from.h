/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_PATH_CAME_FROM_H
#define DATAPLANE_PATH_CAME_FROM_H

#include "dataplane/table/pkt.h"
#include "dataplane/table/session.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <rte_ether.h>
#include <rte_udp.h>

/* Does the frame come from where the endpoint's header leads? Compared as it stands on the wire:
 * what is source in the one is destination in the other. */
static inline bool came_from(const struct endpoint *e, const uint8_t *frame, const struct pkt *k)
{
	const uint8_t *ip = frame + RTE_ETHER_HDR_LEN, *to = e->header + RTE_ETHER_HDR_LEN;
	uint32_t ports, reply_ports;
	memcpy(&ports, frame + k->outer_len - sizeof(struct rte_udp_hdr), sizeof(ports));
	memcpy(&reply_ports, e->header + e->header_len - sizeof(struct rte_udp_hdr), sizeof(ports));
	if (e->is_v6 != k->outer_v6 || ports != (reply_ports >> 16 | reply_ports << 16))
		return false;
	if (k->outer_v6)
		return memcmp(ip + 8, to + 24, 16) == 0 && memcmp(ip + 24, to + 8, 16) == 0;
	uint64_t addresses, reply;
	memcpy(&addresses, ip + 12, sizeof(addresses));
	memcpy(&reply, to + 12, sizeof(reply));
	return addresses == (reply >> 32 | reply << 32);
}

#endif
