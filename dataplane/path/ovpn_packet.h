/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_PATH_OVPN_PACKET_H
#define DATAPLANE_PATH_OVPN_PACKET_H

#include "dataplane/path/outer.h"
#include "dataplane/table/pkt.h"
#include "dataplane/table/tunnel.h"

/*
 * Whose a frame of OpenVPN data is: by its peer id, or without one by where it came from. Its header is
 * in h then. NULL: nobody's, or no data.
 */
static inline struct tunnel *ovpn_packet_tunnel(
	const struct tunnel_table *table, const struct rte_mbuf *m, struct data_header *h)
{
	const struct pkt *k = pkt_of((struct rte_mbuf *)m);
	const uint8_t *packet = rte_pktmbuf_mtod_offset(m, const uint8_t *, k->outer_len);
	if (data_header_read(packet, (uint32_t)m->data_len - k->outer_len, h) != 0)
		return NULL;
	if (h->peer_id != DATA_NO_PEER_ID) {
		struct tunnel *t = tunnel_lookup(table, h->peer_id);
		return t != NULL && t->id == h->peer_id ? t : NULL;
	}
	struct outer o;
	outer_read(m, k, &o);
	return tunnel_find_address(table, &o.source, o.local_port);
}

#endif
