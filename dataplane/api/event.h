/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_API_EVENT_H
#define DATAPLANE_API_EVENT_H

#include "dataplane/base/ip.h"
#include "dataplane/base/uuid.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

enum dp_event_type {
	DP_EVENT_PEER_SEEN = 1, /* first session of a peer: endpoint */
	DP_EVENT_ENDPOINT_MOVED, /* endpoint: the new one */
	DP_EVENT_NEIGHBOUR_MISSING, /* port, endpoint.addr: nobody told us its MAC address */
	DP_EVENT_PEER_EXPIRED,
	DP_EVENT_HANDSHAKE_FAILED, /* failure, and endpoint where one is known */
	DP_EVENT_LOST, /* lost: that many events did not fit; list what you need to know */
	DP_EVENT__COUNT,
};

/* What does not belong to a type is zero. */
struct dp_event {
	uint64_t at_ns; /* since 1970 */
	uint64_t lost;
	struct uuid peer;
	struct uuid instance;
	struct ip_endpoint endpoint;
	uint16_t port;
	uint8_t type; /* enum dp_event_type */
	uint8_t failure; /* enum dp_failure */
	uint8_t protocol; /* enum dp_protocol: what the peer speaks, of events with endpoint */
	uint8_t pad;
};
static_assert(sizeof(struct dp_event) == 72);

int dp_event_check(const uint8_t *payload, size_t len, const char **ret_reason);

#endif
