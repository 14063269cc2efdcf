/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_PATH_OUTPUT_H
#define DATAPLANE_PATH_OUTPUT_H

#include "dataplane/path/path.h"
#include "dataplane/table/peer.h"

#include <stdatomic.h>

/* The stage that seals what goes to that peer: which protocol it speaks now. */
static inline enum stage output_stage(const struct peer *to)
{
	return atomic_load_explicit(&to->tunnel, memory_order_relaxed) == NULL ? STAGE_WG_OUTPUT
									       : STAGE_OVPN_OUTPUT;
}

/* What is sealed for a peer, to it. Other workers write this too: a stamp that is a moment older does no
 * harm, a count is exact. */
static inline void output_count(
	const struct path *p, struct peer *to, bool data, uint64_t packets, uint64_t bytes)
{
	struct peer_traffic *sent = &to->sent;
	peer_stamp(sent, &to->received, data, p->now_ns);
	if (p->workers > 1) {
		(void)atomic_fetch_add_explicit(&sent->packets, packets, memory_order_relaxed);
		(void)atomic_fetch_add_explicit(&sent->bytes, bytes, memory_order_relaxed);
	} else {
		peer_count(&sent->packets, packets);
		peer_count(&sent->bytes, bytes);
	}
}

#endif
