// SPDX-License-Identifier: Apache-2.0
/*
 * With several workers: data of a peer that another one owns goes to its owner, unopened, because
 * the replay window has one writer. Which queue of a port a packet came by says nothing about that:
 * the receiver index does. The ring carries no pointer: the owner finds session and instance again.
 */
#include "dataplane/path/ovpn_packet.h"
#include "dataplane/path/path.h"
#include "dataplane/table/instance.h"
#include "dataplane/table/peer.h"
#include "dataplane/table/rings.h"
#include "dataplane/table/session.h"
#include "dataplane/table/tables.h"
#include "dataplane/wg/messages.h"

#include <rte_ring.h>

void path_hand_over(struct path *p, unsigned int worker, struct rte_mbuf **packets, uint16_t count)
{
	unsigned int taken =
		rte_ring_enqueue_burst(p->rings->handoff[worker], (void **)packets, count, NULL);
	counter_add(p->counters, COUNTER_HANDED_OVER_PACKETS, taken);
	for (unsigned int n = taken; n < count; n++)
		path_drop(p, packets[n], COUNTER_DROP_HANDOFF_FULL);
}

/* An index that nobody has is refused by *_input, here as well as anywhere. */
static const uint32_t *find_peer_slot(const struct path *p, struct rte_mbuf *m)
{
	struct pkt *k = pkt_of(m);
	const uint8_t *message = rte_pktmbuf_mtod_offset(m, const uint8_t *, k->outer_len);
	if (k->is_openvpn) {
		struct data_header h;
		const struct tunnel *t = ovpn_packet_tunnel(p->tables->tunnels, m, &h);
		return t != NULL ? &t->peer_slot : NULL;
	}
	const struct session *s =
		session_lookup(p->tables->sessions, message_read_le32(message + 4));
	return s != NULL ? &s->peer_slot : NULL;
}

static void give(struct path *p, unsigned int worker, struct rte_mbuf **packets, uint16_t count)
{
	for (uint16_t n = 0; n < count; n++) {
		struct pkt *k = pkt_of(packets[n]);
		k->inject = PKT_INJECT_DATA;
		k->handle = instance_handle(k->instance);
	}
	path_hand_over(p, worker, packets, count);
}

void handoff(struct path *p, struct vector *in)
{
	const uint32_t *peer_slot[PATH_VECTOR];
	uint8_t owner[PATH_VECTOR];
	for (uint16_t n = 0; n < in->count; n++) {
		peer_slot[n] = find_peer_slot(p, in->packet[n]);
		rte_prefetch0(peer_slot[n]);
	}
	uint32_t others = 0; /* bit by worker */
	for (uint16_t n = 0; n < in->count; n++) {
		owner[n] = peer_slot[n] != NULL ? (uint8_t)tables_owner(p->tables, *peer_slot[n])
						: (uint8_t)p->worker;
		if (owner[n] == p->worker)
			path_push(p, input_stage(pkt_of(in->packet[n])), in->packet[n]);
		else
			others |= 1U << owner[n];
	}
	for (unsigned int w = 0; others != 0; w++, others >>= 1) {
		struct rte_mbuf *theirs[PATH_VECTOR];
		uint16_t count = 0;
		for (uint16_t n = 0; (others & 1) != 0 && n < in->count; n++) {
			if (owner[n] == w)
				theirs[count++] = in->packet[n];
		}
		if (count > 0)
			give(p, w, theirs, count);
	}
}
