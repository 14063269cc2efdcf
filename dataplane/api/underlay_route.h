/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_API_UNDERLAY_ROUTE_H
#define DATAPLANE_API_UNDERLAY_ROUTE_H

#include "dataplane/base/ip.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A route of the outer network, mirrored from Linux; one a prefix and port. Of a prefix with
 * several ways the node names the best only. Creates or replaces.
 */
struct dp_underlay_route_set {
	struct ip_prefix prefix; /* no host bits */
	uint8_t pad;
	uint16_t port;
	struct ip_addr gateway; /* of the prefix's family; all zero: on link */
};
static_assert(sizeof(struct dp_underlay_route_set) == 36);

int dp_underlay_route_set_check(const uint8_t *payload, size_t len, const char **ret_reason);

#endif
