// SPDX-License-Identifier: Apache-2.0
/*
 * What hubs are told, and what they tell. The invariant: a hub that applies every delta has, at
 * each generation, just what one has that pulls everything.
 */
#include "control/store/party.h"
#include "control/store/report.h"
#include "dataplane/base/uuid.h"
#include "tests/unit/store/fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
	OBJECTS_MAX = 64,
};

/* What a hub has: ids only. */
struct view {
	struct uuid ids[OBJECTS_MAX];
	size_t count;
	int64_t generation;
	size_t told; /* callbacks in the last pull */
};

struct network {
	struct fixture f;
	struct hub hub;
	struct instance i;
};

static int setup(void **state)
{
	static struct network n;
	fixture_init(&n.f);
	fixture_write(&n.f);
	fixture_hub(&n.f, "hub1", &n.hub);
	fixture_ready_instance(&n.f, "acme", &n.i);
	fixture_commit(&n.f);
	*state = &n;
	return 0;
}

static int teardown(void **state)
{
	struct network *n = *state;
	instance_fini(&n->i);
	hub_fini(&n->hub);
	fixture_fini(&n->f);
	return 0;
}

static size_t find_id(const struct view *v, const struct uuid *id)
{
	size_t i = 0;
	while (i < v->count && !uuid_equal(&v->ids[i], id))
		i++;
	return i;
}

static void put_id(struct view *v, const struct uuid *id)
{
	v->told++;
	if (find_id(v, id) < v->count)
		return;
	assert_true(v->count < OBJECTS_MAX);
	v->ids[v->count++] = *id;
}

static int take_instance(void *ctx, const struct instance *i, const struct key *private_key)
{
	assert_false(key_is_zero(private_key));
	put_id(ctx, &i->id);
	return 0;
}

static int take_peer(void *ctx, const struct peer *p, const struct key *preshared_key)
{
	assert_false(key_is_zero(preshared_key));
	put_id(ctx, &p->id);
	return 0;
}

static int take_capture(void *ctx, const struct capture *c)
{
	fail_msg("nobody has asked for a capture");
	return 0;
}

static int take_deleted(void *ctx, const char *kind, const struct uuid *id)
{
	struct view *v = ctx;
	v->told++;
	assert_true(strcmp(kind, "peer") == 0 || strcmp(kind, "instance") == 0);
	size_t i = find_id(v, id);
	if (i < v->count)
		v->ids[i] = v->ids[--v->count];
	return 0;
}

/* In a transaction of its own, as the node API does it. */
static void pull(struct network *n, struct view *v, bool all)
{
	const struct hub_desired sink = {take_instance, take_peer, take_capture, take_deleted, v};
	struct hub h;
	fixture_read(&n->f);
	assert_int_equal(hub_find(n->f.store, &n->hub.id, &h), 0);
	all |= hub_needs_all(n->f.store, &h, store_epoch(n->f.store), v->generation);
	if (all)
		v->count = 0;
	v->told = 0;
	assert_int_equal(hub_desired_list(n->f.store, &h, v->generation, all, &sink), 0);
	v->generation = h.generation;
	hub_fini(&h);
	fixture_rollback(&n->f);
}

static void expect_same(struct network *n, struct view *delta)
{
	struct view all = {0};
	pull(n, delta, false);
	pull(n, &all, true);
	assert_int_equal(delta->count, all.count);
	for (size_t i = 0; i < all.count; i++)
		assert_true(find_id(delta, &all.ids[i]) < delta->count);
	pull(n, delta, false);
	assert_int_equal(delta->told, 0); /* nothing twice */
}

static void add_peer(struct network *n, const char *name, struct peer *ret)
{
	fixture_write(&n->f);
	assert_int_equal(fixture_add_peer(&n->f, &n->i, name, NULL, ret), 0);
	fixture_commit(&n->f);
}

static void deltas_follow_what_people_do(void **state)
{
	struct network *n = *state;
	struct model_errors errors = {0};
	struct view v = {0};
	struct peer a, b;
	expect_same(n, &v);
	assert_int_equal(v.count, 1);
	add_peer(n, "a", &a);
	add_peer(n, "b", &b);
	expect_same(n, &v);
	assert_int_equal(v.count, 3);
	fixture_write(&n->f);
	assert_int_equal(peer_set_suspended(n->f.store, &a, true), 0);
	fixture_commit(&n->f);
	expect_same(n, &v);
	assert_int_equal(v.count, 2);
	fixture_write(&n->f);
	assert_int_equal(peer_set_suspended(n->f.store, &a, false), 0);
	fixture_commit(&n->f);
	expect_same(n, &v);
	assert_int_equal(v.count, 3);
	/* A change of the instance tells the instance, and no peer. */
	n->i.mtu = 1400;
	fixture_write(&n->f);
	assert_int_equal(instance_set(n->f.store, &n->i, &errors), 0);
	fixture_commit(&n->f);
	pull(n, &v, false);
	assert_int_equal(v.told, 1);
	fixture_write(&n->f);
	assert_int_equal(peer_del(n->f.store, &n->i, &b), 0);
	fixture_commit(&n->f);
	expect_same(n, &v);
	assert_int_equal(v.count, 2);
	peer_fini(&a);
	peer_fini(&b);
}

static void time_cuts_a_peer_once(void **state)
{
	struct network *n = *state;
	struct model_errors errors = {0};
	struct view v = {0};
	struct peer p;
	add_peer(n, "guest", &p);
	expect_same(n, &v);
	fixture_run_sql(&n->f, "UPDATE peer SET expires_at = 1000");
	fixture_write(&n->f);
	assert_int_equal(peers_expire(n->f.store), 1);
	fixture_commit(&n->f);
	expect_same(n, &v);
	assert_int_equal(v.count, 1);
	fixture_write(&n->f);
	assert_int_equal(peers_expire(n->f.store), 0);
	p.expires_at = store_now(n->f.store) + 3600;
	assert_int_equal(peer_set(n->f.store, &n->i, &p, &errors), 0);
	fixture_commit(&n->f);
	expect_same(n, &v);
	assert_int_equal(v.count, 2);
	fixture_run_sql(&n->f, "UPDATE peer SET expires_at = 1000");
	fixture_write(&n->f);
	assert_int_equal(peers_expire(n->f.store), 1); /* its new time has come, too */
	fixture_commit(&n->f);
	peer_fini(&p);
}

static void an_instance_waits_for_its_keys(void **state)
{
	struct network *n = *state;
	struct view v = {0};
	struct instance i;
	struct peer p;
	fixture_write(&n->f);
	assert_int_equal(fixture_add_instance(&n->f, "beta", &i), 0);
	assert_int_equal(fixture_add_peer(&n->f, &i, "early", NULL, &p), 0);
	fixture_commit(&n->f);
	expect_same(n, &v);
	assert_int_equal(v.count, 1);
	fixture_write(&n->f);
	assert_int_equal(instance_allocate(n->f.store, &i, 51820, 51830), 0);
	fixture_commit(&n->f);
	pull(n, &v, false);
	assert_int_equal(v.count, 1);
	fixture_write(&n->f);
	assert_int_equal(instance_make_keys(n->f.store, &i), 0);
	fixture_commit(&n->f);
	expect_same(n, &v);
	assert_int_equal(v.count, 3); /* its early peer comes with it */
	peer_fini(&p);
	instance_fini(&i);
}

static void an_end_waits_for_the_hub(void **state)
{
	struct network *n = *state;
	struct view v = {0};
	struct peer p;
	struct hub h;
	add_peer(n, "a", &p);
	expect_same(n, &v);
	int64_t before = v.generation;
	fixture_write(&n->f);
	assert_int_equal(instance_del(n->f.store, &n->i), 0);
	fixture_commit(&n->f);
	expect_same(n, &v);
	assert_int_equal(v.count, 0);
	assert_true(v.generation > before);
	fixture_write(&n->f);
	assert_int_equal(hub_find(n->f.store, &n->hub.id, &h), 0);
	assert_int_equal(hub_remove_confirmed(n->f.store, &h, before), 0);
	assert_int_equal(fixture_number(&n->f, "SELECT count(*) FROM instance"), 1);
	assert_int_equal(hub_remove_confirmed(n->f.store, &h, v.generation), 1);
	fixture_commit(&n->f);
	assert_int_equal(fixture_number(&n->f, "SELECT count(*) FROM instance"), 0);
	expect_same(n, &v);
	assert_int_equal(v.count, 0);
	hub_fini(&h);
	peer_fini(&p);
}

static void a_hub_away_too_long_gets_it_all(void **state)
{
	struct network *n = *state;
	struct view away = {0}, near = {0};
	struct peer a, b;
	struct hub h;
	add_peer(n, "a", &a);
	pull(n, &away, false);
	fixture_write(&n->f);
	assert_int_equal(peer_del(n->f.store, &n->i, &a), 0);
	fixture_commit(&n->f);
	pull(n, &near, false);
	fixture_run_sql(&n->f, "UPDATE tombstone SET at = at - 8 * 86400");
	fixture_write(&n->f);
	assert_int_equal(store_prune(n->f.store), 0);
	fixture_commit(&n->f);
	add_peer(n, "b", &b);
	fixture_read(&n->f);
	assert_int_equal(hub_find(n->f.store, &n->hub.id, &h), 0);
	const struct uuid *epoch = store_epoch(n->f.store);
	const struct uuid other = {.bytes = {1}};
	assert_true(hub_needs_all(n->f.store, &h, epoch, away.generation));
	assert_false(hub_needs_all(n->f.store, &h, epoch, near.generation));
	assert_false(hub_needs_all(n->f.store, &h, epoch, h.generation));
	assert_true(hub_needs_all(n->f.store, &h, epoch, h.generation + 1));
	assert_true(hub_needs_all(n->f.store, &h, epoch, -1));
	assert_true(hub_needs_all(n->f.store, &h, &other, h.generation));
	hub_fini(&h);
	fixture_rollback(&n->f);
	expect_same(n, &away);
	expect_same(n, &near);
	peer_fini(&a);
	peer_fini(&b);
}

/* Whatever people do, in whatever order, at whatever moment the hub asks. */
static void any_order_converges(void **state)
{
	struct network *n = *state;
	struct view v = {0};
	struct peer peers[8];
	bool lives[8] = {false};
	unsigned int seed = 20261121;
	for (int round = 0; round < 300; round++) {
		size_t k = (size_t)rand_r(&seed) % 8;
		char name[16];
		(void)snprintf(name, sizeof(name), "p%zu", k);
		fixture_write(&n->f);
		if (!lives[k]) {
			assert_int_equal(fixture_add_peer(&n->f, &n->i, name, NULL, &peers[k]), 0);
			lives[k] = true;
		} else if (rand_r(&seed) % 3 == 0) {
			assert_int_equal(peer_del(n->f.store, &n->i, &peers[k]), 0);
			peer_fini(&peers[k]);
			lives[k] = false;
		} else {
			assert_int_equal(
				peer_set_suspended(n->f.store, &peers[k], !peers[k].is_suspended),
				0);
		}
		assert_int_equal(store_end(n->f.store, true), 0);
		if (rand_r(&seed) % 4 == 0)
			expect_same(n, &v);
	}
	expect_same(n, &v);
	for (size_t k = 0; k < 8; k++)
		if (lives[k])
			peer_fini(&peers[k]);
}

static void set_status(struct network *n, const struct hub *h, const struct uuid *boot,
	const struct uuid *id, const struct peer_status *s)
{
	struct peer_report *r;
	assert_int_equal(peer_report_begin(n->f.store, h, boot, &r), 0);
	assert_int_equal(peer_report_end(r, peer_report_take(r, id, s)), 0);
}

static void report(struct network *n, const struct uuid *boot, const struct peer *p, uint64_t bytes,
	int64_t seen)
{
	const struct peer_status s = {.endpoint = "203.0.113.5:4000",
		.rx_bytes = bytes,
		.tx_bytes = 2 * bytes,
		.last_seen_at = seen};
	fixture_write(&n->f);
	set_status(n, &n->hub, boot, &p->id, &s);
	fixture_commit(&n->f);
}

static uint64_t received(struct network *n, const struct peer *p)
{
	struct peer back;
	fixture_read(&n->f);
	assert_int_equal(peer_find(n->f.store, &n->i.id, &p->id, &back), 0);
	fixture_rollback(&n->f);
	assert_int_equal(back.status.tx_bytes, 2 * back.status.rx_bytes);
	peer_fini(&back);
	return back.status.rx_bytes;
}

static void counters_add_up_over_boots(void **state)
{
	struct network *n = *state;
	const struct uuid boots[2] = {{.bytes = {1}}, {.bytes = {2}}};
	struct peer p;
	add_peer(n, "a", &p);
	report(n, &boots[0], &p, 100, 1);
	assert_int_equal(received(n, &p), 100);
	report(n, &boots[0], &p, 100, 2); /* the same again counts once */
	report(n, &boots[0], &p, 150, 3);
	assert_int_equal(received(n, &p), 150);
	report(n, &boots[1], &p, 10, 4); /* the hub began anew */
	assert_int_equal(received(n, &p), 160);
	report(n, &boots[1], &p, 30, 5);
	assert_int_equal(received(n, &p), 180);
	report(n, &boots[1], &p, 5, 6); /* cut and back: the peer began anew */
	assert_int_equal(received(n, &p), 185);
	peer_fini(&p);
}

static void a_hub_speaks_for_its_own_alone(void **state)
{
	struct network *n = *state;
	struct hub other;
	struct peer p;
	struct peer_status s = {.rx_bytes = 7};
	add_peer(n, "a", &p);
	fixture_write(&n->f);
	fixture_hub(&n->f, "hub2", &other);
	set_status(n, &other, &other.id, &p.id, &s);
	set_status(n, &n->hub, &other.id, &n->i.id, &s);
	assert_int_equal(hub_remove_confirmed(n->f.store, &other, INT64_MAX), 0);
	fixture_commit(&n->f);
	assert_int_equal(fixture_number(&n->f, "SELECT count(*) FROM peer_status"), 0);
	hub_fini(&other);
	peer_fini(&p);
}

static void a_new_token_ends_the_old(void **state)
{
	struct network *n = *state;
	char first[HUB_TOKEN_TEXT], second[HUB_TOKEN_TEXT];
	struct uuid a, b;
	struct hub h;
	fixture_write(&n->f);
	assert_int_equal(hub_enrol(n->f.store, "hub9", "local", &a, first), 0);
	assert_int_equal(hub_find_token(n->f.store, first, &h), 0);
	hub_fini(&h);
	assert_int_equal(hub_enrol(n->f.store, "hub9", "local", &b, second), 0);
	assert_true(uuid_equal(&a, &b));
	assert_string_not_equal(first, second);
	assert_int_equal(hub_find_token(n->f.store, first, &h), -ENOENT);
	assert_int_equal(hub_find_token(n->f.store, "", &h), -ENOENT);
	assert_int_equal(hub_find_token(n->f.store, second, &h), 0);
	fixture_commit(&n->f);
	hub_fini(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(deltas_follow_what_people_do, setup, teardown),
		cmocka_unit_test_setup_teardown(time_cuts_a_peer_once, setup, teardown),
		cmocka_unit_test_setup_teardown(an_instance_waits_for_its_keys, setup, teardown),
		cmocka_unit_test_setup_teardown(an_end_waits_for_the_hub, setup, teardown),
		cmocka_unit_test_setup_teardown(a_hub_away_too_long_gets_it_all, setup, teardown),
		cmocka_unit_test_setup_teardown(any_order_converges, setup, teardown),
		cmocka_unit_test_setup_teardown(counters_add_up_over_boots, setup, teardown),
		cmocka_unit_test_setup_teardown(a_hub_speaks_for_its_own_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(a_new_token_ends_the_old, setup, teardown),
	};
	return cmocka_run_group_tests_name("store/desired", tests, NULL, NULL);
}
