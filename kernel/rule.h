/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KERNEL_RULE_H
#define KERNEL_RULE_H

#include <stdbool.h>
#include <stdint.h>

struct nl;

/* "Packets with this mark" and/or "packets out of this interface look into that table". */
struct kernel_rule {
	int family; /* AF_INET or AF_INET6 */
	uint32_t mark; /* 0: any */
	const char *oif; /* NULL: any */
	uint32_t table;
	uint32_t priority;
};

/* One that is there is fine. */
int rule_add(struct nl *nl, const struct kernel_rule *r);
/* One that is not there is fine. */
int rule_del(struct nl *nl, const struct kernel_rule *r);

/* Visits the rules of a priority, of both families; r and oif are lent; false stops. */
int rule_each(struct nl *nl, uint32_t priority,
	bool (*visit)(void *ctx, const struct kernel_rule *r), void *ctx);

#endif
