// SPDX-License-Identifier: Apache-2.0
#include "dataplane/table/capture.h"

#include "dataplane/table/pkt.h"

#include <string.h>

#include <rte_mbuf.h>
#include <rte_ring.h>

void capture_copy(struct rings *r, struct counters *c, struct rte_mbuf *m, const struct peer *peer,
	bool outbound)
{
	/* half of the ring stays for the host's own packets */
	bool room = rte_ring_count(r->host) < rte_ring_get_capacity(r->host) / 2;
	struct rte_mbuf *copy = room ? rte_pktmbuf_copy(m, r->pool, 0, m->pkt_len) : NULL;
	if (copy == NULL) {
		counter_add(c, COUNTER_CAPTURE_LOST, 1);
		return;
	}
	struct pkt *k = pkt_of(copy);
	memset(k, 0, sizeof(*k));
	k->handle = peer_handle(peer);
	k->host = PKT_HOST_CAPTURE;
	k->outbound = outbound;
	if (rte_ring_enqueue(r->host, copy) == 0)
		return;
	counter_add(c, COUNTER_CAPTURE_LOST, 1);
	rte_pktmbuf_free(copy);
}
