// SPDX-License-Identifier: Apache-2.0
/*
 * Whatever a dataplane has and whatever is wanted: the plan, applied in its order to a model of the
 * dataplane that refuses what the real one refuses, gives what is wanted; planned again it is empty.
 */
#include "control/node/plan.h"

#include "tests/unit/dice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
	INSTANCES = 4,
	PEERS = 8,
	KEYS = 10,
	PREFIXES = 12,
	ROUNDS = 4000,
};

static struct uuid id_of(uint8_t kind, unsigned int n)
{
	struct uuid id = {{kind, (uint8_t)n}};
	return id;
}

static struct ip_prefix prefix_of(unsigned int n)
{
	struct ip_prefix p;
	assert_int_equal(ip_prefix_parse("10.0.0.0/24", &p), 0);
	p.addr.bytes[14] = (uint8_t)n;
	return p;
}

/* Ports change hands: a turn by two swaps those of two pairs. */
static void add_instances(struct objects *o, bool *has)
{
	unsigned int turn = dice_roll() % 2 == 0 ? dice_roll() % INSTANCES : 0;
	for (unsigned int n = 0; n < INSTANCES; n++) {
		struct dp_instance_set i = {.id = id_of(1, n),
			.number = n + 1,
			.wireguard_port = (uint16_t)(51820 + (n + turn) % INSTANCES),
			.mtu = dice_roll() % 2 == 0 ? 1420 : 1400,
			.flags = dice_roll() % 4};
		has[n] = dice_roll() % 4 != 0;
		i.address4 = prefix_of(
			100 + n + (dice_roll() % 4 == 0 ? 50 : 0)); /* at times renumbered */
		i.wireguard_private_key.bytes[0] = (uint8_t)(dice_roll() % 2);
		if (has[n])
			assert_int_equal(objects_add_instance(o, &i), 0);
	}
}

/* Keys change hands, peers move between instances. */
static void add_peers(struct objects *o, const bool *has_instance, int *instance_of)
{
	bool used[INSTANCES][KEYS] = {0};
	for (unsigned int n = 0; n < PEERS; n++) {
		unsigned int i = dice_roll() % INSTANCES, k = dice_roll() % KEYS;
		struct dp_peer_set p = {.id = id_of(2, n),
			.instance = id_of(1, i),
			.type = DP_PEER_SITE,
			.keepalive_s = (uint16_t)(dice_roll() % 3),
			.allowed_count = DP_ALLOWED_ALL};
		instance_of[n] = -1;
		if (!has_instance[i] || used[i][k] || dice_roll() % 3 == 0)
			continue;
		used[i][k] = true;
		p.public_key.bytes[0] = (uint8_t)(k + 1);
		assert_int_equal(objects_add_peer(o, &p), 0);
		instance_of[n] = (int)i;
	}
}

static void add_routes(struct objects *o, const bool *has_instance, const int *instance_of)
{
	bool used[INSTANCES][PREFIXES] = {0};
	for (unsigned int n = 0; n < PREFIXES * 2; n++) {
		unsigned int prefix = dice_roll() % PREFIXES;
		unsigned int peer = dice_roll() % PEERS;
		bool is_peer = instance_of[peer] >= 0 && dice_roll() % 3 != 0;
		unsigned int i =
			is_peer ? (unsigned int)instance_of[peer] : dice_roll() % INSTANCES;
		struct dp_route_set r = {.instance = id_of(1, i),
			.prefix = prefix_of(prefix),
			.target = is_peer ? DP_ROUTE_PEER : DP_ROUTE_DROP};
		if (is_peer)
			r.peer = id_of(2, peer);
		if (!has_instance[i] || used[i][prefix])
			continue;
		used[i][prefix] = true;
		assert_int_equal(objects_add_route(o, &r), 0);
	}
}

static struct objects random_objects(void)
{
	struct objects o = {.complete = true};
	bool has_instance[INSTANCES];
	int instance_of[PEERS];
	add_instances(&o, has_instance);
	add_peers(&o, has_instance, instance_of);
	add_routes(&o, has_instance, instance_of);
	objects_sort(&o);
	return o;
}

/* The model. Removing keeps the order, so that it stays sorted; adding sorts again. */
static int find_instance(const struct objects *o, const struct uuid *id)
{
	for (unsigned int n = 0; n < o->instances; n++)
		if (uuid_equal(&o->instance[n].id, id))
			return (int)n;
	return -1;
}

static int find_peer(const struct objects *o, const struct uuid *id)
{
	for (unsigned int n = 0; n < o->peers; n++)
		if (uuid_equal(&o->peer[n]->id, id))
			return (int)n;
	return -1;
}

static int find_route(const struct objects *o, const struct dp_route_set *r)
{
	for (unsigned int n = 0; n < o->routes; n++)
		if (objects_compare_route(&o->route[n], r) == 0)
			return (int)n;
	return -1;
}

#define REMOVE(array, count, at)                  \
	memmove(&(array)[at], &(array)[(at) + 1], \
		(--(count) - (unsigned int)(at)) * sizeof((array)[0]))

static void remove_peer(struct objects *o, int at)
{
	for (unsigned int n = o->routes; n-- > 0;)
		if (uuid_equal(&o->route[n].peer, &o->peer[at]->id))
			REMOVE(o->route, o->routes, n);
	free(o->peer[at]);
	REMOVE(o->peer, o->peers, at); // NOLINT(bugprone-sizeof-expression): an array of pointers
}

static void remove_instance(struct objects *o, int at)
{
	struct uuid id = o->instance[at].id;
	for (unsigned int n = o->peers; n-- > 0;)
		if (uuid_equal(&o->peer[n]->instance, &id))
			remove_peer(o, (int)n);
	for (unsigned int n = o->routes; n-- > 0;)
		if (uuid_equal(&o->route[n].instance, &id))
			REMOVE(o->route, o->routes, n);
	REMOVE(o->instance, o->instances, at);
}

static void set_instance(struct objects *o, const struct dp_instance_set *i)
{
	int at = find_instance(o, &i->id);
	for (unsigned int n = 0; n < o->instances; n++) /* -EADDRINUSE */
		assert_true((int)n == at || o->instance[n].wireguard_port != i->wireguard_port);
	if (at >= 0) { /* -EBUSY of the dataplane */
		assert_int_equal(o->instance[at].wireguard_port, i->wireguard_port);
		assert_true(ip_prefix_equal(&o->instance[at].address4, &i->address4));
		o->instance[at] = *i;
		return;
	}
	assert_int_equal(objects_add_instance(o, i), 0);
}

static void set_peer(struct objects *o, const struct dp_peer_set *p)
{
	int at = find_peer(o, &p->id);
	assert_true(find_instance(o, &p->instance) >= 0); /* -ENOENT */
	for (unsigned int n = 0; n < o->peers; n++) /* -EEXIST */
		assert_false(!uuid_equal(&o->peer[n]->id, &p->id)
			&& uuid_equal(&o->peer[n]->instance, &p->instance)
			&& key_equal(&o->peer[n]->public_key, &p->public_key));
	if (at < 0) {
		assert_int_equal(objects_add_peer(o, p), 0);
		return;
	}
	assert_true(uuid_equal(&o->peer[at]->instance, &p->instance)); /* -EBUSY, so below */
	assert_true(key_equal(&o->peer[at]->public_key, &p->public_key));
	free(o->peer[at]);
	o->peer[at] = o->peer[--o->peers]; /* it is sorted at the end */
	assert_int_equal(objects_add_peer(o, p), 0);
}

static void set_route(struct objects *o, const struct dp_route_set *r)
{
	int at = find_route(o, r), peer = find_peer(o, &r->peer);
	assert_true(find_instance(o, &r->instance) >= 0);
	assert_true(r->target != DP_ROUTE_PEER
		|| (peer >= 0 && uuid_equal(&o->peer[peer]->instance, &r->instance)));
	if (at >= 0)
		o->route[at] = *r;
	else
		assert_int_equal(objects_add_route(o, r), 0);
}

static void apply(struct objects *o, const struct plan_op *op)
{
	int at;
	switch (op->type) {
	case PLAN_INSTANCE_SET:
		set_instance(o, op->instance);
		break;
	case PLAN_PEER_SET:
		set_peer(o, op->peer);
		break;
	case PLAN_ROUTE_SET:
		set_route(o, op->route);
		break;
	case PLAN_INSTANCE_DEL:
		if (find_instance(o, &op->instance->id) >= 0)
			remove_instance(o, find_instance(o, &op->instance->id));
		break;
	case PLAN_PEER_DEL:
		if (find_peer(o, &op->peer->id) >= 0)
			remove_peer(o, find_peer(o, &op->peer->id));
		break;
	case PLAN_ROUTE_DEL:
		at = find_route(o, op->route);
		if (at >= 0)
			REMOVE(o->route, o->routes, at);
		break;
	}
}

static void assert_same(const struct objects *a, const struct objects *b)
{
	assert_int_equal(a->instances, b->instances);
	assert_int_equal(a->peers, b->peers);
	assert_int_equal(a->routes, b->routes);
	for (unsigned int n = 0; n < a->instances; n++)
		assert_memory_equal(&a->instance[n], &b->instance[n], sizeof(a->instance[n]));
	for (unsigned int n = 0; n < a->peers; n++)
		assert_memory_equal(a->peer[n], b->peer[n], dp_peer_set_size(b->peer[n]));
	for (unsigned int n = 0; n < a->routes; n++)
		assert_memory_equal(&a->route[n], &b->route[n], sizeof(a->route[n]));
}

static struct objects copy(const struct objects *o)
{
	struct objects c = {.complete = o->complete};
	for (unsigned int n = 0; n < o->instances; n++)
		assert_int_equal(objects_add_instance(&c, &o->instance[n]), 0);
	for (unsigned int n = 0; n < o->peers; n++)
		assert_int_equal(objects_add_peer(&c, o->peer[n]), 0);
	for (unsigned int n = 0; n < o->routes; n++)
		assert_int_equal(objects_add_route(&c, &o->route[n]), 0);
	return c;
}

static void applied_is_wanted(void **state)
{
	struct objects actual = random_objects();
	for (unsigned int round = 0; round < ROUNDS; round++) {
		struct objects wanted = random_objects(), model = copy(&actual);
		struct plan plan, again;
		actual.complete = round % 3 != 0; /* secrets of a dataplane are not told */
		assert_int_equal(plan_make(&actual, &wanted, &plan), 0);
		for (unsigned int n = 0; n < plan.count; n++)
			apply(&model, &plan.op[n]);
		objects_sort(&model);
		assert_same(&model, &wanted);
		assert_int_equal(plan_make(&model, &wanted, &again), 0);
		assert_int_equal(again.count, actual.complete ? 0 : again.count);
		plan_fini(&plan);
		plan_fini(&again);
		objects_fini(&actual);
		objects_fini(&model);
		actual = wanted;
	}
	objects_fini(&actual);
}

static void what_is_the_same_stays(void **state)
{
	struct objects o = random_objects(), same = copy(&o);
	struct plan plan;
	assert_int_equal(plan_make(&o, &same, &plan), 0);
	assert_int_equal(plan.count, 0);
	plan_fini(&plan);
	objects_fini(&o);
	objects_fini(&same);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(applied_is_wanted),
		cmocka_unit_test(what_is_the_same_stays),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
