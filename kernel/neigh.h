/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KERNEL_NEIGH_H
#define KERNEL_NEIGH_H

#include "dataplane/base/ip.h"

#include <stdbool.h>
#include <stdint.h>

struct nl;

enum kernel_neigh_state {
	KERNEL_NEIGH_USABLE, /* has a MAC address that Linux would use */
	KERNEL_NEIGH_FAILED,
	KERNEL_NEIGH_RESOLVING,
};

struct kernel_neigh {
	struct ip_addr addr;
	uint8_t mac[6];
	enum kernel_neigh_state state;
};

/* Makes the kernel resolve it now. managed: it also keeps it fresh by itself (Linux 5.16; where
 * the kernel does not know that, it resolves it once). */
int neigh_resolve(struct nl *nl, int ifindex, const struct ip_addr *addr, bool managed);
/* Visits the unicast neighbours of an interface; false stops. */
int neigh_each(struct nl *nl, int ifindex, bool (*visit)(void *ctx, const struct kernel_neigh *n),
	void *ctx);

#endif
