/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_NODE_OBJECTS_H
#define CONTROL_NODE_OBJECTS_H

#include "control/node/desired.h"
#include "dataplane/api/instance.h"
#include "dataplane/api/listener.h"
#include "dataplane/api/peer.h"
#include "dataplane/api/push.h"
#include "dataplane/api/route.h"

#include <stdbool.h>

/*
 * The objects of a dataplane: what it has, or what it should have. Sorted by their ids, so that
 * two sets are compared in one walk.
 */
struct objects {
	struct dp_instance_set *instance;
	/* each only as long as on the wire, dp_peer_set_size(): most of a set is room for a list */
	struct dp_peer_set **peer;
	struct dp_route_set *route;
	struct dp_push_set **push; /* sorted by instance */
	struct dp_listener_set **listener;
	unsigned int instances, peers, routes, pushes, listeners;
	unsigned int instance_room, peer_room, route_room, push_room, listener_room;
	/* secrets and keepalives are known too: not so for what a dataplane was asked for */
	bool complete;
};

/* Copies one object in. 0 or -ENOMEM. */
int objects_add_instance(struct objects *o, const struct dp_instance_set *i);
int objects_add_peer(struct objects *o, const struct dp_peer_set *p);
int objects_add_route(struct objects *o, const struct dp_route_set *r);
int objects_add_push(struct objects *o, const struct dp_push_set *p);
int objects_add_listener(struct objects *o, const struct dp_listener_set *l);
/* After the last add. */
void objects_sort(struct objects *o);
/* Wipes the keys. */
void objects_fini(struct objects *o);

int objects_compare_route(const struct dp_route_set *a, const struct dp_route_set *b);

/* The hub's own say in what is desired. */
struct hub_state {
	bool egress4, egress6; /* there is a way to the internet */
};

/* What the dataplane should have. 0 or -ENOMEM. */
int objects_from_desired(const struct desired *d, const struct hub_state *hub, struct objects *ret);

#endif
