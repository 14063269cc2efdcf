/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_API_NEIGHBOUR_H
#define DATAPLANE_API_NEIGHBOUR_H

#include "dataplane/api/port.h"
#include "dataplane/base/ip.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

enum dp_neighbour_state {
	DP_NEIGHBOUR_REACHABLE = 1,
	DP_NEIGHBOUR_FAILED, /* Linux gave up: packets to it are dropped */
	DP_NEIGHBOUR__COUNT,
};

/* A neighbour of a port, mirrored from Linux. */
struct dp_neighbour_set {
	struct ip_addr addr;
	uint16_t port;
	uint8_t mac[DP_MAC_LEN]; /* unicast; zero when FAILED */
	uint8_t state; /* enum dp_neighbour_state */
	uint8_t pad;
};
static_assert(sizeof(struct dp_neighbour_set) == 26);

int dp_neighbour_set_check(const uint8_t *payload, size_t len, const char **ret_reason);

#endif
