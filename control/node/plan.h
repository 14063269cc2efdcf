/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_NODE_PLAN_H
#define CONTROL_NODE_PLAN_H

#include "control/node/objects.h"

/*
 * A pure function: (what the dataplane has, what it should have) -> operations in an order in
 * which each of them succeeds. What can't be changed in place (a peer's key, an instance's
 * port and networks) is deleted and made anew, with all that hangs on it. Applied to actual it gives
 * wanted; planned again it is empty.
 */
enum plan_op_type {
	PLAN_ROUTE_DEL,
	PLAN_PEER_DEL,
	PLAN_INSTANCE_DEL,
	PLAN_INSTANCE_SET,
	PLAN_PEER_SET,
	PLAN_ROUTE_SET,
};

/* The object is borrowed from actual (deletions) or wanted. */
struct plan_op {
	enum plan_op_type type;
	const struct dp_instance_set *instance;
	const struct dp_peer_set *peer;
	const struct dp_route_set *route;
};

struct plan {
	struct plan_op *op; /* owned */
	unsigned int count, room;
};

/* Both sorted. 0 or -ENOMEM. */
int plan_make(const struct objects *actual, const struct objects *wanted, struct plan *ret);
void plan_fini(struct plan *p);

#endif
