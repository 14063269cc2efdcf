/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_API_PUSH_H
#define DATAPLANE_API_PUSH_H

#include "dataplane/base/ip.h"
#include "dataplane/base/uuid.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

enum {
	DP_PUSH_DNS_MAX = 8,
	DP_PUSH_DOMAINS_MAX = 8,
	DP_PUSH_DOMAIN_LEN = 128, /* with at least one NUL */
	DP_PUSH_ROUTES_MAX = 512,
};

/*
 * What the instance's OpenVPN clients are told of its network. Replaces what was; clients that are
 * connected and know PUSH_UPDATE hear of it. A site is not told its own subnets. -ENOENT: no such
 * instance. Gone with its instance.
 */
struct dp_push_set {
	struct uuid instance;
	struct ip_addr dns[DP_PUSH_DNS_MAX]; /* then zero */
	char domain[DP_PUSH_DOMAINS_MAX][DP_PUSH_DOMAIN_LEN]; /* searched; then zero */
	uint16_t route_count;
	uint8_t pad[6];
	struct ip_prefix route[DP_PUSH_ROUTES_MAX]; /* on the wire: route_count of them */
};
static_assert(sizeof(struct dp_push_set) == 1176 + 17 * DP_PUSH_ROUTES_MAX);

/* Bytes on the wire, from route_count. */
size_t dp_push_set_size(const struct dp_push_set *set);

int dp_push_set_check(const uint8_t *payload, size_t len, const char **ret_reason);

#endif
