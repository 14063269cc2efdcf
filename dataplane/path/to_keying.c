// SPDX-License-Identifier: Apache-2.0
/*
 * Handshake messages go to the keying thread by a bounded ring: when it is full they are dropped
 * here, before any cryptography, and data goes on.
 */
#include "dataplane/path/outer.h"
#include "dataplane/path/path.h"
#include "dataplane/table/instance.h"
#include "dataplane/table/rings.h"

void to_keying(struct path *p, struct vector *in)
{
	for (uint16_t n = 0; n < in->count; n++) {
		struct rte_mbuf *m = in->packet[n];
		struct pkt *k = pkt_of(m);
		struct outer o;
		outer_read(m, k, &o);
		k->handle = instance_handle(k->instance);
		struct keying_message message = {
			.type = KEYING_HANDSHAKE,
			.mbuf = m,
			.remote = o.source.addr,
			.remote_port = o.source.port,
			.local = o.local,
			.local_port = o.local_port,
			.queued_us = keying_message_time(p->now_ns),
		};
		if (!rings_keying_put(p->rings, &message))
			path_drop(p, m, COUNTER_DROP_KEYING_FULL);
	}
}
