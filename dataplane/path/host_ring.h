/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_PATH_HOST_RING_H
#define DATAPLANE_PATH_HOST_RING_H

#include "dataplane/path/path.h"
#include "dataplane/table/rings.h"

#include <rte_ring.h>

/* Hands a packet to the host-I/O thread, which owns TAP and TUN. */
static inline void host_ring_put(struct path *p, struct rte_mbuf *m, enum pkt_host device)
{
	pkt_of(m)->host = (uint8_t)device;
	if (rte_ring_enqueue(p->rings->host, m) != 0)
		path_drop(p, m, COUNTER_DROP_HOST_FULL);
}

#endif
