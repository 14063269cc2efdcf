// SPDX-License-Identifier: Apache-2.0
#include "control/node/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct planner {
	const struct objects *actual, *wanted;
	struct plan *plan;
	int err;
};

static void add(struct planner *p, struct plan_op op)
{
	struct plan *plan = p->plan;
	if (plan->count == plan->room) {
		unsigned int room = plan->room == 0 ? 64 : plan->room * 2;
		struct plan_op *new = reallocarray(plan->op, room, sizeof(*new));
		if (new == NULL) {
			p->err = -ENOMEM;
			return;
		}
		plan->op = new;
		plan->room = room;
	}
	plan->op[plan->count++] = op;
}

static int compare_id(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct uuid));
}

static const struct dp_instance_set *find_instance(const struct objects *o, const struct uuid *id)
{
	return o->instances == 0
		? NULL
		: bsearch(id, o->instance, o->instances, sizeof(o->instance[0]), compare_id);
}

static const struct dp_peer_set *find_peer(const struct objects *o, const struct uuid *id)
{
	return o->peers == 0 ? NULL
			     : bsearch(id, o->peer, o->peers, sizeof(o->peer[0]), compare_id);
}

static int compare_route(const void *a, const void *b)
{
	return objects_compare_route(a, b);
}

static const struct dp_route_set *find_route(const struct objects *o, const struct dp_route_set *r)
{
	return o->routes == 0 ? NULL
			      : bsearch(r, o->route, o->routes, sizeof(o->route[0]), compare_route);
}

/* The dataplane refuses to change these in place. */
static bool instance_is_kept(const struct planner *p, const struct uuid *id)
{
	const struct dp_instance_set *a = find_instance(p->actual, id),
				     *w = find_instance(p->wanted, id);
	return a != NULL && w != NULL && a->number == w->number
		&& a->wireguard_port == w->wireguard_port
		&& ip_prefix_equal(&a->address4, &w->address4)
		&& ip_prefix_equal(&a->address6, &w->address6);
}

static bool peer_is_kept(const struct planner *p, const struct uuid *id)
{
	const struct dp_peer_set *a = find_peer(p->actual, id), *w = find_peer(p->wanted, id);
	return a != NULL && w != NULL && uuid_equal(&a->instance, &w->instance)
		&& key_equal(&a->public_key, &w->public_key) && instance_is_kept(p, &w->instance);
}

/* It goes away with its peer or its instance. */
static bool route_is_kept(const struct planner *p, const struct dp_route_set *a)
{
	return instance_is_kept(p, &a->instance)
		&& (a->target != DP_ROUTE_PEER || peer_is_kept(p, &a->peer));
}

static void plan_deletions(struct planner *p)
{
	const struct objects *a = p->actual;
	for (unsigned int i = 0; i < a->routes; i++) {
		if (route_is_kept(p, &a->route[i]) && find_route(p->wanted, &a->route[i]) == NULL)
			add(p, (struct plan_op){.type = PLAN_ROUTE_DEL, .route = &a->route[i]});
	}
	for (unsigned int i = 0; i < a->peers; i++) {
		if (!peer_is_kept(p, &a->peer[i].id) && instance_is_kept(p, &a->peer[i].instance))
			add(p, (struct plan_op){.type = PLAN_PEER_DEL, .peer = &a->peer[i]});
	}
	for (unsigned int i = 0; i < a->instances; i++) {
		if (!instance_is_kept(p, &a->instance[i].id))
			add(p,
				(struct plan_op){
					.type = PLAN_INSTANCE_DEL, .instance = &a->instance[i]});
	}
}

/* Endpoint and timestamp are hints for a peer that is new: the dataplane knows better later. */
static bool peer_differs(const struct dp_peer_set *a, const struct dp_peer_set *w)
{
	struct dp_peer_set x = *a;
	x.endpoint = w->endpoint;
	memcpy(x.timestamp, w->timestamp, sizeof(x.timestamp));
	bool differs = memcmp(&x, w, dp_peer_set_size(w)) != 0;
	explicit_bzero(&x.preshared_key, sizeof(x.preshared_key));
	return differs;
}

static void plan_sets(struct planner *p)
{
	const struct objects *w = p->wanted;
	bool all = !p->actual->complete;
	for (unsigned int i = 0; i < w->instances; i++) {
		const struct dp_instance_set *a = find_instance(p->actual, &w->instance[i].id);
		if (all || !instance_is_kept(p, &w->instance[i].id)
			|| memcmp(a, &w->instance[i], sizeof(*a)) != 0)
			add(p,
				(struct plan_op){
					.type = PLAN_INSTANCE_SET, .instance = &w->instance[i]});
	}
	for (unsigned int i = 0; i < w->peers; i++) {
		const struct dp_peer_set *a = find_peer(p->actual, &w->peer[i].id);
		if (all || !peer_is_kept(p, &w->peer[i].id) || peer_differs(a, &w->peer[i]))
			add(p, (struct plan_op){.type = PLAN_PEER_SET, .peer = &w->peer[i]});
	}
	for (unsigned int i = 0; i < w->routes; i++) {
		const struct dp_route_set *a = find_route(p->actual, &w->route[i]);
		bool kept = a != NULL && route_is_kept(p, a);
		if (all || !kept || memcmp(a, &w->route[i], sizeof(*a)) != 0)
			add(p, (struct plan_op){.type = PLAN_ROUTE_SET, .route = &w->route[i]});
	}
}

int plan_make(const struct objects *actual, const struct objects *wanted, struct plan *ret)
{
	struct planner p = {actual, wanted, ret, 0};
	memset(ret, 0, sizeof(*ret));
	plan_deletions(&p);
	plan_sets(&p);
	if (p.err != 0)
		plan_fini(ret);
	return p.err;
}

void plan_fini(struct plan *p)
{
	free(p->op);
	memset(p, 0, sizeof(*p));
}
