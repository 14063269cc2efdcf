// SPDX-License-Identifier: Apache-2.0
/*
 * T-WG-13: the routes of 2 000 peers against a naive list, while peers come and go with all their
 * routes and prefixes move between them, and a reader looks on that must never see a peer that is gone.
 */
#include "dataplane/table/route.h"

#include "dataplane/table/instance.h"
#include "dataplane/table/peer.h"
#include "dataplane/table/tables.h"
#include "tests/unit/dice.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <rte_eal.h>
#include <rte_rcu_qsbr.h>

enum {
	PEERS = 2000,
	STEPS = 10000,
	LIST_MAX = 8000,
	READER = 0,
	READ_BURST = 256,
	PEER_ROUTES = 1 << 17, /* as many as one may have */
	PEER_ROUTES_SECONDS = 20, /* of a core */
};

static struct tables *tables;
static struct instance *instance;
static struct peer *peer[PEERS];
static struct naive {
	struct ip_prefix prefix;
	unsigned int owner; /* PEERS: dropped */
} naive[LIST_MAX];
static unsigned int naive_count;

static int start_eal(void **state)
{
	static char *args[] = {"route_test", "--no-huge", "-m", "64", "--no-pci", "--no-shconf",
		"--no-telemetry", "--iova-mode=va", "--log-level=error", "-l", "0", NULL};
	return rte_eal_init((int)(sizeof(args) / sizeof(args[0])) - 1, args) < 0 ? -1 : 0;
}

static int stop_eal(void **state)
{
	return rte_eal_cleanup();
}

static void make_peer(unsigned int n)
{
	struct peer_settings s = {
		.instance = instance, .type = PEER_TYPE_SITE, .allowed_any = true};
	bool created;
	memcpy(s.id.bytes, &n, sizeof(n));
	s.id.bytes[15] = 1;
	memcpy(s.public_key.bytes, &n, sizeof(n));
	s.public_key.bytes[31] = 1;
	assert_int_equal(peer_set(tables, &s, &peer[n], &created), 0);
	assert_true(created);
}

/* Few bits, so that prefixes contain and meet each other. */
static struct ip_prefix random_prefix(void)
{
	struct ip_prefix p;
	bool v4 = dice_roll() % 2 == 0;
	assert_int_equal(ip_prefix_parse(v4 ? "10.0.0.0/8" : "fd00::/16", &p), 0);
	unsigned int first = v4 ? 13 : 2;
	for (unsigned int i = first; i < first + 3; i++)
		p.addr.bytes[i] = (uint8_t)(dice_roll() % 16 * 16 + dice_roll() % 2);
	p.len = (uint8_t)(first * 8 + dice_roll() % 25);
	for (unsigned int bit = p.len; bit < 128; bit++)
		p.addr.bytes[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
	return p;
}

static struct naive *naive_find(const struct ip_prefix *p)
{
	for (unsigned int i = 0; i < naive_count; i++) {
		if (ip_prefix_equal(&naive[i].prefix, p))
			return &naive[i];
	}
	return NULL;
}

static void set_one(void)
{
	struct ip_prefix p = random_prefix();
	unsigned int owner = dice_roll() % (PEERS + 20);
	owner = owner < PEERS ? owner : PEERS;
	struct naive *old = naive_find(&p);
	if (old == NULL && naive_count == LIST_MAX)
		return;
	enum route_target target = owner < PEERS ? ROUTE_PEER : ROUTE_DROP;
	assert_int_equal(route_set(instance, &p, target, owner < PEERS ? peer[owner] : NULL), 0);
	*(old != NULL ? old : &naive[naive_count++]) = (struct naive){p, owner};
}

static void del_one(void)
{
	if (naive_count == 0)
		return;
	struct naive *n = &naive[dice_roll() % naive_count];
	struct route *r = route_find(instance, &n->prefix);
	assert_non_null(r);
	route_del(r);
	*n = naive[--naive_count];
}

/* All routes of the peer go with it; then it comes back without any. */
static void replace_peer(void)
{
	unsigned int n = dice_roll() % PEERS, routes = 0;
	for (unsigned int i = 0; i < naive_count;) {
		if (naive[i].owner == n) {
			naive[i] = naive[--naive_count];
			routes++;
		} else {
			i++;
		}
	}
	assert_int_equal(peer[n]->route_count, routes);
	peer_unlink(tables, peer[n]);
	tables_reclaim(tables);
	make_peer(n);
}

static uintptr_t trie_lookup(const struct ip_addr *a)
{
	return ip_addr_is_v4(a) ? route_trie_lookup4(&instance->routes, a->bytes + 12)
				: route_trie_lookup6(&instance->routes, a->bytes);
}

static uintptr_t naive_lookup(const struct ip_addr *a)
{
	const struct naive *best = NULL;
	for (unsigned int i = 0; i < naive_count; i++) {
		const struct naive *n = &naive[i];
		if (ip_prefix_contains(&n->prefix, a)
			&& (best == NULL || n->prefix.len > best->prefix.len))
			best = n;
	}
	if (best == NULL)
		return 0;
	return best->owner == PEERS ? ROUTE_DROP : (uintptr_t)peer[best->owner] | ROUTE_PEER;
}

static void check_some(void)
{
	for (unsigned int i = 0; i < 4; i++) {
		struct ip_addr a = random_prefix().addr;
		assert_true(trie_lookup(&a) == naive_lookup(&a));
	}
}

static atomic_bool stop;

struct sights {
	uint64_t alive, gone;
};

/* A burst of a worker, as far as routes go: what the lookups give lives until the next quiescent state. A
 * freed peer, or another in its place, has another generation. */
static void read_burst(uint32_t first, struct sights *seen)
{
	const struct peer *found[READ_BURST];
	uint32_t generation[READ_BURST];
	unsigned int count = 0;
	struct ip_addr a = {.bytes = {[10] = 0xff, 0xff, 10}};
	for (uint32_t n = first; n < first + READ_BURST; n++) {
		uint32_t mixed = n * 2654435761U;
		for (unsigned int i = 13; i < 16; i++, mixed >>= 5)
			a.bytes[i] = (uint8_t)((mixed & 15) * 16 + (mixed >> 4 & 1));
		const struct peer *p = route_value_peer(trie_lookup(&a));
		if (p == NULL)
			continue;
		generation[count] = p->generation;
		found[count++] = p;
	}
	for (unsigned int n = 0; n < count; n++) {
		bool same = found[n]->generation == generation[n] && found[n]->instance == instance;
		*(same ? &seen->alive : &seen->gone) += 1;
	}
}

static void *read_routes(void *ctx)
{
	(void)rte_rcu_qsbr_thread_register(tables->qsbr, READER);
	rte_rcu_qsbr_thread_online(tables->qsbr, READER);
	for (uint32_t n = 1; !atomic_load_explicit(&stop, memory_order_relaxed); n += READ_BURST) {
		read_burst(n, ctx);
		rte_rcu_qsbr_quiescent(tables->qsbr, READER);
	}
	rte_rcu_qsbr_thread_offline(tables->qsbr, READER);
	(void)rte_rcu_qsbr_thread_unregister(tables->qsbr, READER);
	return NULL;
}

static void t_wg_13_routes_of_2000_peers(void **state)
{
	struct instance_settings s = {
		.id.bytes = {1}, .number = 1, .wireguard_port = 51820, .mtu = 1420};
	pthread_t reader;
	struct sights seen = {0};
	assert_int_equal(tables_new(&tables), 0);
	assert_int_equal(instance_set(tables, &s, &instance), 0);
	for (unsigned int n = 0; n < PEERS; n++)
		make_peer(n);
	assert_int_equal(pthread_create(&reader, NULL, read_routes, &seen), 0);
	for (unsigned int n = 0; n < STEPS; n++) {
		unsigned int what = dice_roll() % 16;
		if (what < 12)
			set_one();
		else if (what < 14)
			del_one();
		else if (what == 14)
			replace_peer();
		if (n % 8 == 0)
			check_some();
	}
	atomic_store(&stop, true);
	assert_int_equal(pthread_join(reader, NULL), 0);
	assert_true(seen.alive > 0);
	assert_int_equal(seen.gone, 0);
	assert_int_equal(instance->route_by_prefix.count, naive_count);
	for (unsigned int n = 0; n < PEERS; n++)
		peer_unlink(tables, peer[n]);
	tables_reclaim(tables);
	for (const struct route *r = instance->route_list; r != NULL; r = r->next)
		assert_int_equal(r->target, ROUTE_DROP);
	while (instance->route_list != NULL)
		route_del(instance->route_list);
	assert_int_equal(instance->routes.nodes, 2); /* the roots */
	tables_free(tables);
}

/* A step each, whatever kind they are: it once took minutes of the server thread. */
static void routes_of_one_peer(void **state)
{
	struct instance_settings s = {
		.id.bytes = {1}, .number = 1, .wireguard_port = 51820, .mtu = 1420};
	struct ip_prefix p;
	assert_int_equal(tables_new(&tables), 0);
	assert_int_equal(instance_set(tables, &s, &instance), 0);
	make_peer(0);
	assert_int_equal(ip_prefix_parse("fd00::/128", &p), 0);
	clock_t start = clock();
	for (uint32_t n = 0; n < PEER_ROUTES; n++) {
		memcpy(p.addr.bytes + 12, &n, sizeof(n));
		assert_int_equal(route_set(instance, &p, ROUTE_PEER, peer[0]), 0);
	}
	assert_in_range(clock() - start, 0, PEER_ROUTES_SECONDS * CLOCKS_PER_SEC);
	assert_int_equal(peer[0]->route_count, PEER_ROUTES);
	peer_unlink(tables, peer[0]);
	tables_reclaim(tables);
	tables_free(tables);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(t_wg_13_routes_of_2000_peers),
		cmocka_unit_test(routes_of_one_peer),
	};
	return cmocka_run_group_tests(tests, start_eal, stop_eal);
}
