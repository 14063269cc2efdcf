// SPDX-License-Identifier: Apache-2.0
/* Frames for the hub itself that are no tunnel's (ARP, ICMP, TCP ...): Linux, behind the TAP. */
#include "dataplane/path/host_ring.h"

void punt(struct path *p, struct vector *in)
{
	counter_add(p->counters, COUNTER_PUNTED_PACKETS, in->count);
	for (uint16_t n = 0; n < in->count; n++)
		host_ring_put(p, in->packet[n], PKT_HOST_TAP);
}
