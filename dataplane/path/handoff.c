// SPDX-License-Identifier: Apache-2.0
/*
 * With several workers: data of a peer that another one owns goes to its owner, unopened, because
 * the replay window has one writer. Which queue of a port a packet came by says nothing about that:
 * the receiver index does. The ring carries no pointer: the owner finds session and instance again.
 */
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

static struct session *find_session(const struct path *p, struct rte_mbuf *m)
{
	const uint8_t *message = rte_pktmbuf_mtod_offset(m, const uint8_t *, pkt_of(m)->outer_len);
	return session_lookup(p->tables->sessions, message_read_le32(message + 4));
}

/* An index that nobody has is refused by wg_input, here as well as anywhere. */
static unsigned int owner_of(const struct path *p, const struct session *s)
{
	return s != NULL ? tables_owner(p->tables, s->peer_slot) : p->worker;
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
	uint8_t owner[PATH_VECTOR];
	for (uint16_t n = 0; n < in->count; n++) {
		struct session *s = find_session(p, in->packet[n]);
		pkt_of(in->packet[n])->session = s;
		rte_prefetch0(s != NULL ? &s->peer_slot : NULL);
	}
	uint32_t others = 0; /* bit by worker */
	for (uint16_t n = 0; n < in->count; n++) {
		owner[n] = (uint8_t)owner_of(p, pkt_of(in->packet[n])->session);
		if (owner[n] == p->worker)
			path_push(p, STAGE_WG_INPUT, in->packet[n]);
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
