// SPDX-License-Identifier: Apache-2.0
#include "control/node/plan.h"

#include "control/node/id_list.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct planner {
	const struct objects *actual, *wanted;
	struct plan *plan;
	/* Of actual: what must go, because it is not wanted or not so. Few, most of the time. */
	struct id_list lost_instances, lost_peers, lost_listeners;
	struct id_list contested; /* peers whose certificate or username becomes another's */
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

/*
 * The next_*() find an object in a sorted list, NULL: not there. *at is how far the search has
 * come: who asks in ascending order walks the list once.
 */
static const struct dp_instance_set *next_instance(
	const struct objects *o, unsigned int *at, const struct uuid *id)
{
	while (*at < o->instances && id_compare(&o->instance[*at].id, id) < 0)
		(*at)++;
	return *at < o->instances && uuid_equal(&o->instance[*at].id, id) ? &o->instance[*at]
									  : NULL;
}

static const struct dp_peer_set *next_peer(
	const struct objects *o, unsigned int *at, const struct uuid *id)
{
	while (*at < o->peers && id_compare(&o->peer[*at]->id, id) < 0)
		(*at)++;
	return *at < o->peers && uuid_equal(&o->peer[*at]->id, id) ? o->peer[*at] : NULL;
}

static const struct dp_route_set *next_route(
	const struct objects *o, unsigned int *at, const struct dp_route_set *r)
{
	while (*at < o->routes && objects_compare_route(&o->route[*at], r) < 0)
		(*at)++;
	return *at < o->routes && objects_compare_route(&o->route[*at], r) == 0 ? &o->route[*at]
										: NULL;
}

static const struct dp_push_set *next_push(
	const struct objects *o, unsigned int *at, const struct uuid *instance)
{
	while (*at < o->pushes && id_compare(&o->push[*at]->instance, instance) < 0)
		(*at)++;
	return *at < o->pushes && uuid_equal(&o->push[*at]->instance, instance) ? o->push[*at]
										: NULL;
}

static const struct dp_listener_set *next_listener(
	const struct objects *o, unsigned int *at, const struct uuid *id)
{
	while (*at < o->listeners && id_compare(&o->listener[*at]->id, id) < 0)
		(*at)++;
	return *at < o->listeners && uuid_equal(&o->listener[*at]->id, id) ? o->listener[*at]
									   : NULL;
}

/* The dataplane refuses to change these in place. */
static bool instance_stays(const struct dp_instance_set *a, const struct dp_instance_set *w)
{
	return w != NULL && a->number == w->number && a->wireguard_port == w->wireguard_port
		&& ip_prefix_equal(&a->address4, &w->address4)
		&& ip_prefix_equal(&a->address6, &w->address6);
}

static bool peer_stays(
	const struct planner *p, const struct dp_peer_set *a, const struct dp_peer_set *w)
{
	return w != NULL && uuid_equal(&a->instance, &w->instance)
		&& key_equal(&a->public_key, &w->public_key)
		&& !id_list_has(&p->lost_instances, &a->instance)
		&& !id_list_has(&p->contested, &a->id);
}

static bool listener_stays(
	const struct planner *p, const struct dp_listener_set *a, const struct dp_listener_set *w)
{
	return w != NULL && uuid_equal(&a->instance, &w->instance) && a->port == w->port
		&& a->transport == w->transport && !id_list_has(&p->lost_instances, &a->instance);
}

/* It goes away with its peer or its instance. */
static bool route_stays(const struct planner *p, const struct dp_route_set *a)
{
	return !id_list_has(&p->lost_instances, &a->instance)
		&& (a->target != DP_ROUTE_PEER || !id_list_has(&p->lost_peers, &a->peer));
}

/* What a peer shows OpenVPN, and nobody else of its instance may. */
struct shown {
	struct uuid instance;
	uint8_t what[DP_SHA256_LEN];
	uint8_t is_username;
	struct uuid peer;
};
static_assert(sizeof(((struct dp_openvpn *)0)->username) == DP_SHA256_LEN);

static struct shown shown_of(const struct dp_peer_set *p, uint8_t is_username)
{
	struct shown s = {.instance = p->instance, .is_username = is_username, .peer = p->id};
	if (is_username)
		memcpy(s.what, p->openvpn.username, sizeof(s.what));
	else
		memcpy(s.what, p->openvpn.certificate, sizeof(s.what));
	return s;
}

static int compare_shown(const void *a, const void *b)
{
	return memcmp(a, b, offsetof(struct shown, peer));
}

/* What peers show no more. Few, most of the time: a shown is 65 bytes. */
static int find_released(const struct planner *p, struct shown **ret, unsigned int *ret_count)
{
	static const uint8_t nothing[DP_SHA256_LEN];
	const struct objects *a = p->actual;
	unsigned int at = 0, room = 0;
	for (unsigned int i = 0; i < a->peers; i++) {
		const struct dp_peer_set *w = next_peer(p->wanted, &at, &a->peer[i]->id);
		bool may_change = w != NULL && a->peer[i]->has_openvpn == 1;
		for (uint8_t n = 0; may_change && n < 2; n++) {
			struct shown was = shown_of(a->peer[i], n), will = shown_of(w, n);
			if (memcmp(was.what, nothing, sizeof(nothing)) == 0
				|| memcmp(was.what, will.what, sizeof(was.what)) == 0)
				continue;
			if (*ret_count == room) {
				room = room == 0 ? 16 : room * 2;
				struct shown *new = reallocarray(*ret, room, sizeof(*new));
				if (new == NULL)
					return -ENOMEM;
				*ret = new;
			}
			(*ret)[(*ret_count)++] = was;
		}
	}
	return 0;
}

/*
 * Two peers that swap their certificates cannot do it one after the other: both begin anew. A
 * dataplane that was only asked tells of no certificates, so there it would stay a refusal.
 */
static int find_contested(struct planner *p)
{
	const struct objects *w = p->wanted;
	struct shown *released = NULL;
	unsigned int count = 0;
	int err = find_released(p, &released, &count);
	p->contested.id = calloc(count + 1, sizeof(struct uuid));
	if (p->contested.id == NULL)
		err = -ENOMEM;
	if (count > 0)
		qsort(released, count, sizeof(*released), compare_shown);
	for (unsigned int i = 0; err == 0 && count > 0 && i < w->peers * 2; i++) {
		struct shown s = shown_of(w->peer[i / 2], i % 2);
		const struct shown *of = bsearch(&s, released, count, sizeof(s), compare_shown);
		if (of != NULL && p->contested.count < count) /* never: two want the same */
			p->contested.id[p->contested.count++] = of->peer;
	}
	if (p->contested.count > 0)
		qsort(p->contested.id, p->contested.count, sizeof(struct uuid), id_compare);
	free(released);
	return err;
}

static int find_lost(struct planner *p)
{
	const struct objects *a = p->actual;
	unsigned int at = 0;
	p->lost_instances.id = calloc(a->instances + 1, sizeof(struct uuid));
	p->lost_peers.id = calloc(a->peers + 1, sizeof(struct uuid));
	p->lost_listeners.id = calloc(a->listeners + 1, sizeof(struct uuid));
	if (p->lost_instances.id == NULL || p->lost_peers.id == NULL
		|| p->lost_listeners.id == NULL)
		return -ENOMEM;
	int err = find_contested(p);
	if (err != 0)
		return err;
	for (unsigned int i = 0; i < a->instances; i++) {
		const struct uuid *id = &a->instance[i].id;
		if (!instance_stays(&a->instance[i], next_instance(p->wanted, &at, id)))
			p->lost_instances.id[p->lost_instances.count++] = *id;
	}
	at = 0;
	for (unsigned int i = 0; i < a->peers; i++) {
		const struct uuid *id = &a->peer[i]->id;
		if (!peer_stays(p, a->peer[i], next_peer(p->wanted, &at, id)))
			p->lost_peers.id[p->lost_peers.count++] = *id;
	}
	at = 0;
	for (unsigned int i = 0; i < a->listeners; i++) {
		const struct uuid *id = &a->listener[i]->id;
		if (!listener_stays(p, a->listener[i], next_listener(p->wanted, &at, id)))
			p->lost_listeners.id[p->lost_listeners.count++] = *id;
	}
	return 0;
}

static void plan_deletions(struct planner *p)
{
	const struct objects *a = p->actual;
	unsigned int at = 0;
	for (unsigned int i = 0; i < a->listeners; i++) {
		if (id_list_has(&p->lost_listeners, &a->listener[i]->id))
			add(p,
				(struct plan_op){
					.type = PLAN_LISTENER_DEL, .listener = a->listener[i]});
	}
	for (unsigned int i = 0; i < a->routes; i++) {
		bool wanted = next_route(p->wanted, &at, &a->route[i]) != NULL;
		if (!wanted && route_stays(p, &a->route[i]))
			add(p, (struct plan_op){.type = PLAN_ROUTE_DEL, .route = &a->route[i]});
	}
	for (unsigned int i = 0; i < a->peers; i++) {
		if (id_list_has(&p->lost_peers, &a->peer[i]->id)
			&& !id_list_has(&p->lost_instances, &a->peer[i]->instance))
			add(p, (struct plan_op){.type = PLAN_PEER_DEL, .peer = a->peer[i]});
	}
	for (unsigned int i = 0; i < a->instances; i++) {
		if (id_list_has(&p->lost_instances, &a->instance[i].id))
			add(p,
				(struct plan_op){
					.type = PLAN_INSTANCE_DEL, .instance = &a->instance[i]});
	}
}

/* From called_s to timestamp there are hints for a peer that is new: the dataplane knows better later. */
static bool peer_differs(const struct dp_peer_set *a, const struct dp_peer_set *w)
{
	enum {
		HINTS = offsetof(struct dp_peer_set, called_s),
		AFTER = offsetof(struct dp_peer_set, keepalive_s),
	};
	static_assert(
		AFTER - HINTS == sizeof(a->called_s) + sizeof(a->endpoint) + sizeof(a->timestamp));
	size_t size = dp_peer_set_size(w);
	return dp_peer_set_size(a) != size || memcmp(a, w, HINTS) != 0
		|| memcmp((const char *)a + AFTER, (const char *)w + AFTER, size - AFTER) != 0;
}

static void plan_sets(struct planner *p)
{
	const struct objects *w = p->wanted;
	bool all = !p->actual->complete;
	unsigned int at = 0;
	for (unsigned int i = 0; i < w->instances; i++) {
		const struct dp_instance_set *x = &w->instance[i];
		const struct dp_instance_set *a = next_instance(p->actual, &at, &x->id);
		if (all || a == NULL || id_list_has(&p->lost_instances, &x->id)
			|| memcmp(a, x, sizeof(*a)) != 0)
			add(p, (struct plan_op){.type = PLAN_INSTANCE_SET, .instance = x});
	}
	at = 0;
	for (unsigned int i = 0; i < w->peers; i++) {
		const struct dp_peer_set *x = w->peer[i];
		const struct dp_peer_set *a = next_peer(p->actual, &at, &x->id);
		if (all || a == NULL || id_list_has(&p->lost_peers, &x->id) || peer_differs(a, x))
			add(p, (struct plan_op){.type = PLAN_PEER_SET, .peer = x});
	}
	at = 0;
	for (unsigned int i = 0; i < w->routes; i++) {
		const struct dp_route_set *x = &w->route[i];
		const struct dp_route_set *a = next_route(p->actual, &at, x);
		if (all || a == NULL || !route_stays(p, a) || memcmp(a, x, sizeof(*a)) != 0)
			add(p, (struct plan_op){.type = PLAN_ROUTE_SET, .route = x});
	}
}

/* What is told no more has no listener left: nobody hears of it. */
static void plan_pushes(struct planner *p)
{
	const struct objects *w = p->wanted;
	bool all = !p->actual->complete;
	unsigned int at = 0;
	for (unsigned int i = 0; i < w->pushes; i++) {
		const struct dp_push_set *x = w->push[i];
		const struct dp_push_set *a = next_push(p->actual, &at, &x->instance);
		size_t size = dp_push_set_size(x);
		if (all || a == NULL || id_list_has(&p->lost_instances, &x->instance)
			|| dp_push_set_size(a) != size || memcmp(a, x, size) != 0)
			add(p, (struct plan_op){.type = PLAN_PUSH_SET, .push = x});
	}
}

static void plan_listeners(struct planner *p)
{
	const struct objects *w = p->wanted;
	bool all = !p->actual->complete;
	unsigned int at = 0;
	for (unsigned int i = 0; i < w->listeners; i++) {
		const struct dp_listener_set *x = w->listener[i];
		const struct dp_listener_set *a = next_listener(p->actual, &at, &x->id);
		size_t size = dp_listener_set_size(x);
		if (all || a == NULL || id_list_has(&p->lost_listeners, &x->id)
			|| dp_listener_set_size(a) != size || memcmp(a, x, size) != 0)
			add(p, (struct plan_op){.type = PLAN_LISTENER_SET, .listener = x});
	}
}

int plan_make(const struct objects *actual, const struct objects *wanted, struct plan *ret)
{
	struct planner p = {.actual = actual, .wanted = wanted, .plan = ret};
	memset(ret, 0, sizeof(*ret));
	p.err = find_lost(&p);
	if (p.err == 0) {
		plan_deletions(&p);
		plan_sets(&p);
		plan_pushes(&p);
		plan_listeners(&p);
	}
	free(p.lost_instances.id);
	free(p.lost_peers.id);
	free(p.lost_listeners.id);
	free(p.contested.id);
	if (p.err != 0)
		plan_fini(ret);
	return p.err;
}

void plan_fini(struct plan *p)
{
	free(p->op);
	memset(p, 0, sizeof(*p));
}
