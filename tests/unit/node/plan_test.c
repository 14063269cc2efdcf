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
	LISTENERS = 5,
	PORTS = 7, /* from that of the last instance on */
	CERTIFICATES = 6,
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

/* One of the first that nobody of the instance has yet, or none: 0. */
static uint8_t pick(bool *used)
{
	unsigned int n = dice_roll() % CERTIFICATES;
	if (used[n])
		return 0;
	used[n] = true;
	return (uint8_t)(n + 1);
}

/* Keys, certificates and names change hands, peers move between instances. */
static void add_peers(struct objects *o, const bool *has_instance, int *instance_of)
{
	bool used[INSTANCES][KEYS] = {0};
	bool shown[INSTANCES][CERTIFICATES] = {0}, named[INSTANCES][CERTIFICATES] = {0};
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
		p.has_openvpn = dice_roll() % 3 != 0;
		if (p.has_openvpn == 1) {
			p.openvpn.certificate[0] = pick(shown[i]);
			p.openvpn.username[0] = (char)pick(named[i]);
			p.openvpn.password[0] = (uint8_t)(dice_roll() % 2);
		}
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

/* UDP ports change hands, also with WireGuard. */
static bool is_taken(const struct objects *o, uint16_t port, uint8_t transport)
{
	for (unsigned int n = 0; n < o->instances; n++)
		if (transport == DP_TRANSPORT_UDP && o->instance[n].wireguard_port == port)
			return true;
	for (unsigned int n = 0; n < o->listeners; n++)
		if (o->listener[n]->transport == transport && o->listener[n]->port == port)
			return true;
	return false;
}

static void add_listeners(struct objects *o, const bool *has_instance)
{
	for (unsigned int n = 0; n < LISTENERS; n++) {
		unsigned int i = dice_roll() % INSTANCES;
		static struct dp_listener_set l;
		l = (struct dp_listener_set){.id = id_of(3, n),
			.instance = id_of(1, i),
			.port = (uint16_t)(51820 + INSTANCES - 1 + dice_roll() % PORTS),
			.transport = dice_roll() % 3 == 0 ? DP_TRANSPORT_TCP : DP_TRANSPORT_UDP,
			.security_level = (uint8_t)(dice_roll() % 2),
			.private_key_len = (uint16_t)(2 + dice_roll() % 2)};
		l.pem[0] = dice_roll() % 2 == 0 ? 'a' : 'b';
		if (has_instance[i] && dice_roll() % 4 != 0 && !is_taken(o, l.port, l.transport))
			assert_int_equal(objects_add_listener(o, &l), 0);
	}
}

static void add_pushes(struct objects *o, const bool *has_instance)
{
	for (unsigned int n = 0; n < INSTANCES; n++) {
		static struct dp_push_set p;
		p = (struct dp_push_set){
			.instance = id_of(1, n), .route_count = (uint16_t)(dice_roll() % 3)};
		for (unsigned int r = 0; r < p.route_count; r++)
			p.route[r] = prefix_of(dice_roll() % 2);
		if (has_instance[n] && dice_roll() % 3 != 0)
			assert_int_equal(objects_add_push(o, &p), 0);
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
	add_listeners(&o, has_instance);
	add_pushes(&o, has_instance);
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

static int find_listener(const struct objects *o, const struct uuid *id)
{
	for (unsigned int n = 0; n < o->listeners; n++)
		if (uuid_equal(&o->listener[n]->id, id))
			return (int)n;
	return -1;
}

static int find_push(const struct objects *o, const struct uuid *instance)
{
	for (unsigned int n = 0; n < o->pushes; n++)
		if (uuid_equal(&o->push[n]->instance, instance))
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

static void remove_listener(struct objects *o, int at)
{
	free(o->listener[at]);
	// NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers
	REMOVE(o->listener, o->listeners, at);
}

static void remove_push(struct objects *o, int at)
{
	free(o->push[at]);
	REMOVE(o->push, o->pushes, at); // NOLINT(bugprone-sizeof-expression): an array of pointers
}

static void remove_instance(struct objects *o, int at)
{
	struct uuid id = o->instance[at].id;
	for (unsigned int n = o->listeners; n-- > 0;)
		if (uuid_equal(&o->listener[n]->instance, &id))
			remove_listener(o, (int)n);
	if (find_push(o, &id) >= 0)
		remove_push(o, find_push(o, &id));
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
	for (unsigned int n = 0; n < o->listeners; n++)
		assert_true(o->listener[n]->transport == DP_TRANSPORT_TCP
			|| o->listener[n]->port != i->wireguard_port);
	if (at >= 0) { /* -EBUSY of the dataplane */
		assert_int_equal(o->instance[at].wireguard_port, i->wireguard_port);
		assert_true(ip_prefix_equal(&o->instance[at].address4, &i->address4));
		o->instance[at] = *i;
		return;
	}
	assert_int_equal(objects_add_instance(o, i), 0);
}

static bool is_same_shown(const void *a, const void *b)
{
	static const uint8_t nothing[DP_SHA256_LEN];
	return memcmp(a, b, DP_SHA256_LEN) == 0 && memcmp(a, nothing, DP_SHA256_LEN) != 0;
}

/* What was not told cannot be minded: see plan.c. */
static void assert_shows_its_own(const struct objects *o, const struct dp_peer_set *p)
{
	for (unsigned int n = 0; o->complete && n < o->peers; n++) { /* -EEXIST */
		const struct dp_peer_set *x = o->peer[n];
		if (uuid_equal(&x->id, &p->id) || !uuid_equal(&x->instance, &p->instance))
			continue;
		assert_false(is_same_shown(x->openvpn.certificate, p->openvpn.certificate));
		assert_false(is_same_shown(x->openvpn.username, p->openvpn.username));
	}
}

static void set_peer(struct objects *o, const struct dp_peer_set *p)
{
	int at = find_peer(o, &p->id);
	assert_true(find_instance(o, &p->instance) >= 0); /* -ENOENT */
	for (unsigned int n = 0; n < o->peers; n++) /* -EEXIST */
		assert_false(!uuid_equal(&o->peer[n]->id, &p->id)
			&& uuid_equal(&o->peer[n]->instance, &p->instance)
			&& key_equal(&o->peer[n]->public_key, &p->public_key));
	assert_shows_its_own(o, p);
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

static void set_listener(struct objects *o, const struct dp_listener_set *l)
{
	int at = find_listener(o, &l->id);
	assert_true(find_instance(o, &l->instance) >= 0); /* -ENOENT */
	if (at >= 0) { /* -EBUSY */
		assert_true(uuid_equal(&o->listener[at]->instance, &l->instance));
		assert_int_equal(o->listener[at]->port, l->port);
		assert_int_equal(o->listener[at]->transport, l->transport);
		remove_listener(o, at);
	}
	assert_false(is_taken(o, l->port, l->transport)); /* -EADDRINUSE */
	assert_int_equal(objects_add_listener(o, l), 0);
}

static void set_push(struct objects *o, const struct dp_push_set *p)
{
	int at = find_push(o, &p->instance);
	assert_true(find_instance(o, &p->instance) >= 0); /* -ENOENT */
	if (at >= 0)
		remove_push(o, at);
	assert_int_equal(objects_add_push(o, p), 0);
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
	case PLAN_PUSH_SET:
		set_push(o, op->push);
		break;
	case PLAN_LISTENER_SET:
		set_listener(o, op->listener);
		break;
	case PLAN_LISTENER_DEL:
		assert_true(find_listener(o, &op->listener->id) >= 0);
		remove_listener(o, find_listener(o, &op->listener->id));
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
	assert_int_equal(a->listeners, b->listeners);
	for (unsigned int n = 0; n < a->listeners; n++)
		assert_memory_equal(
			a->listener[n], b->listener[n], dp_listener_set_size(b->listener[n]));
	/* one more may be left of an instance: nobody hears of it */
	for (unsigned int n = 0; n < b->pushes; n++) {
		int at = find_push(a, &b->push[n]->instance);
		assert_true(at >= 0);
		assert_memory_equal(a->push[at], b->push[n], dp_push_set_size(b->push[n]));
	}
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
	for (unsigned int n = 0; n < o->listeners; n++)
		assert_int_equal(objects_add_listener(&c, o->listener[n]), 0);
	for (unsigned int n = 0; n < o->pushes; n++)
		assert_int_equal(objects_add_push(&c, o->push[n]), 0);
	return c;
}

static void applied_is_wanted(void **state)
{
	struct objects actual = random_objects();
	for (unsigned int round = 0; round < ROUNDS; round++) {
		struct objects wanted = random_objects();
		struct plan plan, again;
		actual.complete = round % 3 != 0; /* secrets of a dataplane are not told */
		struct objects model = copy(&actual);
		assert_int_equal(plan_make(&actual, &wanted, &plan), 0);
		for (unsigned int n = 0; n < plan.count; n++) {
			/* listeners close first and open last */
			assert_true(n == 0 || plan.op[n - 1].type <= plan.op[n].type);
			apply(&model, &plan.op[n]);
		}
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
