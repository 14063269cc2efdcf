// SPDX-License-Identifier: Apache-2.0
/* To the internet: Linux routes and masquerades what comes out of the instance's TUN. */
#include "dataplane/path/host_ring.h"
#include "dataplane/table/instance.h"

void egress(struct path *p, struct vector *in)
{
	for (uint16_t n = 0; n < in->count; n++) {
		struct pkt *k = pkt_of(in->packet[n]);
		k->handle = instance_handle(k->instance);
		host_ring_put(p, in->packet[n], PKT_HOST_TUN);
	}
}
