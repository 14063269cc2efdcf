/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_API_ROUTE_H
#define DATAPLANE_API_ROUTE_H

#include "dataplane/base/ip.h"
#include "dataplane/base/uuid.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

enum dp_route_target {
	DP_ROUTE_PEER = 1, /* also makes the prefix a source that the peer may use */
	DP_ROUTE_EGRESS, /* the internet, for peers with route_all */
	DP_ROUTE_HOST, /* the hub's own inner address */
	DP_ROUTE_DROP,
	DP_ROUTE__COUNT,
};

/*
 * A route inside an instance, creates or replaces. -ENOENT: no such instance or peer; -EEXIST: the
 * same SYNC named the prefix before with another target; -ENOSPC: table full. Also the object of
 * ROUTE_LIST.
 */
struct dp_route_set {
	struct uuid instance;
	struct uuid peer; /* zero unless target is PEER */
	struct ip_prefix prefix; /* no host bits */
	uint8_t target; /* enum dp_route_target */
};
static_assert(sizeof(struct dp_route_set) == 50);

struct dp_route_del {
	struct uuid instance;
	struct ip_prefix prefix;
};
static_assert(sizeof(struct dp_route_del) == 33);

struct dp_route_list {
	struct uuid instance; /* zero: of all instances */
};
static_assert(sizeof(struct dp_route_list) == 16);

int dp_route_set_check(const uint8_t *payload, size_t len, const char **ret_reason);
int dp_route_del_check(const uint8_t *payload, size_t len, const char **ret_reason);
int dp_route_list_check(const uint8_t *payload, size_t len, const char **ret_reason);

#endif
