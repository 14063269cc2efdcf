/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_NODE_PLAN_H
#define CONTROL_NODE_PLAN_H

#include "control/node/objects.h"

/*
 * A pure function: (what the dataplane has, what it should have) -> operations in an order in
 * which each of them succeeds. What can't be changed in place (a peer's key, an instance's
 * port and networks) is deleted and made anew, with all that hangs on it; so is a peer whose
 * certificate or username becomes another's. Applied to actual it gives wanted; planned again it is
 * empty. A client that calls meanwhile is not refused for what is only halfway: listeners close
 * first and open last.
 */
enum plan_op_type {
	PLAN_LISTENER_DEL,
	PLAN_ROUTE_DEL,
	PLAN_PEER_DEL,
	PLAN_INSTANCE_DEL,
	PLAN_INSTANCE_SET,
	PLAN_PEER_SET,
	PLAN_ROUTE_SET,
	PLAN_PUSH_SET,
	PLAN_LISTENER_SET,
};

/* The object is borrowed from actual (deletions) or wanted. */
struct plan_op {
	enum plan_op_type type;
	const struct dp_instance_set *instance;
	const struct dp_peer_set *peer;
	const struct dp_route_set *route;
	const struct dp_push_set *push;
	const struct dp_listener_set *listener;
};

struct plan {
	struct plan_op *op; /* owned */
	unsigned int count, room;
};

/* Both sorted. 0 or -ENOMEM. */
int plan_make(const struct objects *actual, const struct objects *wanted, struct plan *ret);
void plan_fini(struct plan *p);

#endif
