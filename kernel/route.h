/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KERNEL_ROUTE_H
#define KERNEL_ROUTE_H

#include "dataplane/base/ip.h"

#include <stdbool.h>
#include <stdint.h>

struct nl;

enum {
	KERNEL_ROUTE_TABLE_MAIN = 254,
};

struct kernel_route {
	struct ip_prefix prefix;
	struct ip_addr gateway; /* zero: on link */
	int ifindex;
	uint32_t table;
	uint32_t priority; /* of what each visits; the smaller is the better */
};

/* Creates or replaces. */
int kernel_route_replace(struct nl *nl, const struct kernel_route *r);
/* One that is not there is fine. */
int kernel_route_del(struct nl *nl, const struct kernel_route *r);
/* Visits the unicast routes of a table (0: of all); false stops. */
int kernel_route_each(struct nl *nl, uint32_t table,
	bool (*visit)(void *ctx, const struct kernel_route *r), void *ctx);

#endif
