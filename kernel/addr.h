/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KERNEL_ADDR_H
#define KERNEL_ADDR_H

#include "dataplane/base/ip.h"

#include <stdbool.h>

struct nl;

/* Adds an address with its net's length; one that is there is fine. without_route: the kernel
 * makes no route to its net. */
int addr_add(struct nl *nl, int ifindex, const struct ip_prefix *p, bool without_route);
int addr_del(struct nl *nl, int ifindex, const struct ip_prefix *p);
/* Visits the usable addresses of an interface (not tentative, not failed); false stops. */
int addr_each(
	struct nl *nl, int ifindex, bool (*visit)(void *ctx, const struct ip_prefix *p), void *ctx);

#endif
