/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_TABLE_CAPTURE_H
#define DATAPLANE_TABLE_CAPTURE_H

#include "dataplane/table/counter.h"
#include "dataplane/table/peer.h"
#include "dataplane/table/rings.h"

#include <stdatomic.h>
#include <stdbool.h>

#include <rte_branch_prediction.h>

/* A copy of the packet as it is now to the host-I/O thread, which writes it; counted when there is
 * no room for it. */
void capture_copy(struct rings *r, struct counters *c, struct rte_mbuf *m, const struct peer *peer,
	bool outbound);

/*
 * For whoever has one of the peer's packets whole, before it is changed. Not a stage: the moment
 * is in the middle of others. The packet stays the caller's.
 */
static inline void capture_packet(struct rings *r, struct counters *c, struct rte_mbuf *m,
	const struct peer *peer, enum peer_capture side, bool outbound)
{
	if (unlikely(atomic_load_explicit(&peer->capture, memory_order_relaxed) == side))
		capture_copy(r, c, m, peer, outbound);
}

#endif
