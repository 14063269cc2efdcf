// SPDX-License-Identifier: Apache-2.0
/* Rows of peers: numbers, keys, overlap, whom they belong to, and what runs out with time. */
#include "control/store/credential.h"
#include "control/store/openvpn.h"
#include "control/store/party.h"
#include "tests/unit/store/fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

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

static void what_was_written_is_read(void **state)
{
	struct network *n = *state;
	struct model_errors errors = {0};
	struct key private_key = {.bytes = {9}}, k;
	struct peer p, back;
	peer_init(&p);
	p.type = PEER_SITE;
	p.key_is_ours = true;
	p.public_key.bytes[0] = 5;
	(void)snprintf(p.name, sizeof(p.name), "Branch 1");
	p.subnets.list[0] = fixture_prefix("192.168.20.0/24");
	p.subnets.list[1] = fixture_prefix("fd77::/64");
	p.subnets.list[2] = fixture_prefix("192.168.10.0/24");
	p.subnets.count = 3;
	p.has_allowed = true;
	p.allowed.list[0] = fixture_prefix("192.168.99.0/24");
	p.allowed.count = 1;
	p.keepalive = 10;
	p.expires_at = 4102444800;
	json_object_set_new(p.labels, "floor", json_string("2"));
	fixture_write(&n->f);
	assert_int_equal(peer_add(n->f.store, &n->i, &p, &private_key, &errors), 0);
	fixture_commit(&n->f);
	fixture_read(&n->f);
	assert_int_equal(peer_find(n->f.store, &n->i.id, &p.id, &back), 0);
	assert_int_equal(peer_private_key(n->f.store, &p.id, &k), 0);
	fixture_rollback(&n->f);
	assert_memory_equal(&k, &private_key, sizeof(k));
	assert_string_equal(back.name, "Branch 1");
	assert_true(key_equal(&back.public_key, &p.public_key));
	assert_int_equal(back.subnets.count, 3); /* in their order */
	for (size_t s = 0; s < 3; s++)
		assert_true(ip_prefix_equal(&back.subnets.list[s], &p.subnets.list[s]));
	assert_true(back.has_allowed && back.has_private_key);
	assert_true(ip_prefix_equal(&back.allowed.list[0], &p.allowed.list[0]));
	assert_int_equal(back.keepalive, 10);
	assert_int_equal(back.expires_at, 4102444800);
	assert_true(json_equal(back.labels, p.labels));
	assert_int_equal(back.host, 2);
	const struct ip_addr v4 = ip_prefix_host(&n->i.networks[0], 2);
	const struct ip_addr v6 = ip_prefix_host(&n->i.networks[1], 2);
	assert_true(ip_addr_equal(&back.addresses[0], &v4));
	assert_true(ip_addr_equal(&back.addresses[1], &v6));
	peer_fini(&p);
	peer_fini(&back);
}

static int try_peer(struct network *n, const char *name, const char *subnet)
{
	struct peer p;
	fixture_write(&n->f);
	int rc = fixture_add_peer(&n->f, &n->i, name, subnet, &p);
	assert_int_equal(store_end(n->f.store, rc == 0), 0);
	peer_fini(&p);
	return rc;
}

static void overlap_is_refused_with_its_owner(void **state)
{
	struct network *n = *state;
	static const char *const taken[] = {"192.168.0.0/16", "192.168.10.0/24",
		"192.168.10.128/25", "192.168.10.7/32", "fd77::/32", "fd77::1/128"};
	assert_int_equal(try_peer(n, "hq", "192.168.10.0/24"), 0);
	assert_int_equal(try_peer(n, "hq6", "fd77::/64"), 0);
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		assert_int_equal(try_peer(n, "other", taken[i]), -EINVAL);
	assert_int_equal(try_peer(n, "below", "192.168.9.0/24"), 0);
	assert_int_equal(try_peer(n, "above", "192.168.11.0/24"), 0);
	struct model_errors errors = {0};
	struct peer p;
	peer_init(&p);
	p.type = PEER_SITE;
	p.key_is_ours = true;
	p.public_key.bytes[0] = 5;
	(void)snprintf(p.name, sizeof(p.name), "other");
	p.subnets.list[0] = fixture_prefix("192.168.8.0/22");
	p.subnets.count = 1;
	fixture_write(&n->f);
	assert_int_equal(peer_add(n->f.store, &n->i, &p, NULL, &errors), -EINVAL);
	fixture_rollback(&n->f);
	assert_true(errors.has_conflict && !errors.has_invalid);
	assert_string_equal(errors.list[0].pointer, "/subnets/0");
	assert_non_null(strstr(errors.list[0].detail, "of peer \""));
	peer_fini(&p);
}

static int try_broad(struct network *n, const char *name, const char *subnet)
{
	struct model_errors errors = {0};
	struct peer p;
	peer_init(&p);
	p.type = PEER_SITE;
	p.key_is_ours = true;
	p.allow_broad_routes = true;
	assert_int_equal(key_generate(&p.public_key), 0);
	(void)snprintf(p.name, sizeof(p.name), "%s", name);
	p.subnets.list[0] = fixture_prefix(subnet);
	p.subnets.count = 1;
	fixture_write(&n->f);
	int rc = peer_add(n->f.store, &n->i, &p, NULL, &errors);
	assert_int_equal(store_end(n->f.store, rc == 0), 0);
	peer_fini(&p);
	return rc;
}

static void one_default_route_stands_beside_subnets(void **state)
{
	struct network *n = *state;
	assert_int_equal(try_peer(n, "hq", "192.168.10.0/24"), 0);
	assert_int_equal(try_broad(n, "exit", "0.0.0.0/0"), 0);
	assert_int_equal(try_broad(n, "exit6", "::/0"), 0);
	assert_int_equal(try_broad(n, "exit again", "0.0.0.0/0"), -EINVAL);
	assert_int_equal(try_broad(n, "half", "128.0.0.0/1"), -EINVAL);
	assert_int_equal(try_broad(n, "sixth", "2000::/3"), 0);
	assert_int_equal(try_peer(n, "branch", "192.168.11.0/24"), 0);
}

static void the_schema_itself_refuses_overlap(void **state)
{
	struct network *n = *state;
	assert_int_equal(try_peer(n, "hq", "192.168.10.0/24"), 0);
	assert_int_equal(try_peer(n, "branch", "192.168.11.0/24"), 0);
	/* As a writer would that had forgotten to look. */
	static const char sql[] =
		"INSERT OR IGNORE INTO subnet SELECT peer_id, instance_id, place + 1,"
		" '192.168.11.0/25', lo, hi FROM subnet WHERE prefix = '192.168.11.0/24'";
	assert_int_not_equal(fixture_try_sql(&n->f, sql), 0);
	assert_int_equal(fixture_number(&n->f, "SELECT count(*) FROM subnet"), 2);
}

static void names_and_keys_are_unique_in_an_instance(void **state)
{
	struct network *n = *state;
	struct instance other;
	struct peer p, twin;
	struct model_errors errors = {0};
	fixture_write(&n->f);
	fixture_ready_instance(&n->f, "beta", &other);
	assert_int_equal(fixture_add_peer(&n->f, &n->i, "alice", NULL, &p), 0);
	peer_init(&twin);
	twin.type = PEER_CLIENT;
	twin.public_key = p.public_key;
	(void)snprintf(twin.name, sizeof(twin.name), "alice");
	assert_int_equal(peer_add(n->f.store, &n->i, &twin, NULL, &errors), -EINVAL);
	assert_int_equal(errors.count, 2);
	assert_string_equal(errors.list[0].pointer, "/name");
	assert_string_equal(errors.list[1].pointer, "/public_key");
	memset(&errors, 0, sizeof(errors));
	assert_int_equal(peer_add(n->f.store, &other, &twin, NULL, &errors), 0);
	fixture_commit(&n->f);
	peer_fini(&p);
	peer_fini(&twin);
	instance_fini(&other);
}

static void numbers_rest_for_a_day(void **state)
{
	struct network *n = *state;
	struct peer a, b, c;
	fixture_write(&n->f);
	assert_int_equal(fixture_add_peer(&n->f, &n->i, "a", NULL, &a), 0);
	assert_int_equal(fixture_add_peer(&n->f, &n->i, "b", NULL, &b), 0);
	assert_int_equal(a.host, 2);
	assert_int_equal(b.host, 3);
	assert_int_equal(peer_del(n->f.store, &n->i, &a), 0);
	assert_int_equal(fixture_add_peer(&n->f, &n->i, "c", NULL, &c), 0);
	assert_int_equal(c.host, 4);
	fixture_commit(&n->f);
	peer_fini(&a);
	peer_fini(&b);
	peer_fini(&c);
	fixture_run_sql(&n->f, "UPDATE address_quarantine SET until = until - 86400");
	fixture_write(&n->f);
	assert_int_equal(fixture_add_peer(&n->f, &n->i, "d", NULL, &a), 0);
	assert_int_equal(a.host, 2);
	assert_int_equal(store_prune(n->f.store), 0);
	fixture_commit(&n->f);
	assert_int_equal(fixture_number(&n->f, "SELECT count(*) FROM address_quarantine"), 0);
	peer_fini(&a);
}

static void a_full_network_says_so(void **state)
{
	struct network *n = *state;
	struct model_errors errors = {0};
	n->i.networks[0] = fixture_prefix("10.9.9.0/28"); /* 13 peers beside the hub */
	fixture_write(&n->f);
	assert_int_equal(instance_set(n->f.store, &n->i, &errors), 0);
	fixture_commit(&n->f);
	for (int k = 0; k < 14; k++) {
		char name[16];
		(void)snprintf(name, sizeof(name), "p%d", k);
		assert_int_equal(try_peer(n, name, NULL), k < 13 ? 0 : -EINVAL);
	}
	assert_int_equal(fixture_number(&n->f, "SELECT max(host) FROM peer"), 14);
}

static int find_state(struct network *n, const struct uuid *id)
{
	struct peer p;
	fixture_read(&n->f);
	assert_int_equal(peer_find(n->f.store, &n->i.id, id, &p), 0);
	int state = peer_state_at(&p, store_now(n->f.store));
	fixture_rollback(&n->f);
	peer_fini(&p);
	return state;
}

static void a_user_takes_peers_along(void **state)
{
	struct network *n = *state;
	struct model_errors errors = {0};
	struct party user = {.name = "Alice", .labels = json_object()};
	struct peer p;
	fixture_write(&n->f);
	assert_int_equal(party_add(n->f.store, PARTY_USER, &user, &errors), 0);
	assert_int_equal(fixture_add_peer(&n->f, &n->i, "laptop", NULL, &p), 0);
	p.user_id = user.id;
	assert_int_equal(peer_set(n->f.store, &n->i, &p, &errors), 0);
	fixture_commit(&n->f);
	assert_int_equal(find_state(n, &p.id), PEER_ACTIVE);
	fixture_write(&n->f);
	assert_int_equal(user_set_suspended(n->f.store, &user, true), 0);
	fixture_commit(&n->f);
	assert_int_equal(find_state(n, &p.id), PEER_SUSPENDED);
	fixture_write(&n->f);
	assert_int_equal(user_set_suspended(n->f.store, &user, false), 0);
	fixture_commit(&n->f);
	assert_int_equal(find_state(n, &p.id), PEER_ACTIVE);
	fixture_write(&n->f);
	assert_int_equal(party_del(n->f.store, PARTY_USER, &user), 0);
	fixture_commit(&n->f);
	assert_int_equal(fixture_number(&n->f, "SELECT count(*) FROM peer"), 0);
	assert_int_equal(
		fixture_number(&n->f, "SELECT count(*) FROM tombstone WHERE kind = 'peer'"), 1);
	peer_fini(&p);
	party_fini(&user);
}

static void a_site_leaves_its_peers(void **state)
{
	struct network *n = *state;
	struct model_errors errors = {0};
	struct party site = {.name = "Berlin", .labels = json_object()};
	struct peer p;
	fixture_write(&n->f);
	assert_int_equal(party_add(n->f.store, PARTY_SITE, &site, &errors), 0);
	assert_int_equal(fixture_add_peer(&n->f, &n->i, "router", "192.168.1.0/24", &p), 0);
	p.site_id = site.id;
	assert_int_equal(peer_set(n->f.store, &n->i, &p, &errors), 0);
	assert_int_equal(party_del(n->f.store, PARTY_SITE, &site), 0);
	fixture_commit(&n->f);
	assert_int_equal(
		fixture_number(&n->f, "SELECT count(*) FROM peer WHERE site_id IS NULL"), 1);
	peer_fini(&p);
	party_fini(&site);
}

static void nobody_belongs_to_nobody(void **state)
{
	struct network *n = *state;
	struct model_errors errors = {0};
	struct peer p;
	fixture_write(&n->f);
	assert_int_equal(fixture_add_peer(&n->f, &n->i, "laptop", NULL, &p), 0);
	assert_int_equal(uuid_generate(&p.user_id), 0);
	assert_int_equal(peer_set(n->f.store, &n->i, &p, &errors), -EINVAL);
	assert_string_equal(errors.list[0].pointer, "/user_id");
	fixture_rollback(&n->f);
	peer_fini(&p);
}

static void a_key_of_its_own_forgets_ours(void **state)
{
	struct network *n = *state;
	struct model_errors errors = {0};
	struct peer p, other;
	struct key k;
	fixture_write(&n->f);
	assert_int_equal(fixture_add_peer(&n->f, &n->i, "laptop", NULL, &p), 0);
	assert_int_equal(fixture_add_peer(&n->f, &n->i, "other", NULL, &other), 0);
	assert_int_equal(peer_del(n->f.store, &n->i, &other), 0);
	p.public_key = other.public_key;
	p.key_is_ours = false;
	assert_int_equal(peer_set(n->f.store, &n->i, &p, &errors), 0);
	assert_int_equal(peer_private_key(n->f.store, &p.id, &k), -ENOENT);
	assert_int_equal(peer_preshared_key(n->f.store, &p.id, &k), 0);
	fixture_commit(&n->f);
	peer_fini(&p);
	peer_fini(&other);
}

static void a_revealed_key_is_forgotten(void **state)
{
	struct network *n = *state;
	struct peer p;
	struct key k;
	fixture_write(&n->f);
	assert_int_equal(fixture_add_peer(&n->f, &n->i, "laptop", NULL, &p), 0);
	assert_int_equal(peers_forget_keys(n->f.store), 0);
	assert_int_equal(peer_private_key(n->f.store, &p.id, &k), 0); /* not revealed yet */
	assert_int_equal(peer_reveal(n->f.store, &p, store_now(n->f.store) + REVEAL_S), 0);
	assert_int_equal(peers_forget_keys(n->f.store), 0);
	assert_int_equal(peer_private_key(n->f.store, &p.id, &k), 0); /* open */
	assert_int_equal(peer_reveal(n->f.store, &p, store_now(n->f.store)), 0);
	assert_int_equal(peers_forget_keys(n->f.store), 1);
	assert_int_equal(peer_private_key(n->f.store, &p.id, &k), -ENOENT);
	fixture_commit(&n->f);
	peer_fini(&p);
}

/* Revealed while its instance had no certificates yet: what comes with them can be revealed as well. */
static void secrets_begin_anew_with_the_certificate(void **state)
{
	struct network *n = *state;
	const struct certificate_names names = {.host = "acme.vpn.example.net"};
	struct model_errors errors = {0};
	struct credential_secrets secrets;
	struct peer p;
	struct key k;
	fixture_write(&n->f);
	assert_int_equal(fixture_add_peer(&n->f, &n->i, "laptop", NULL, &p), 0);
	p.protocol = PROTOCOL_ANY;
	assert_int_equal(peer_set(n->f.store, &n->i, &p, &errors), 0);
	assert_int_equal(credential_find_secrets(n->f.store, &p.id, &secrets), -ENOENT);
	assert_int_equal(peer_reveal(n->f.store, &p, store_now(n->f.store)), 0);
	assert_int_equal(openvpn_allocate(n->f.store, &n->i, 1194, 1194), 0);
	assert_int_equal(openvpn_make_certificates(n->f.store, &n->i, &names), 0);
	assert_int_equal(peers_forget_keys(n->f.store), 0);
	assert_int_equal(credential_find_secrets(n->f.store, &p.id, &secrets), 0);
	assert_int_equal(peer_private_key(n->f.store, &p.id, &k), -ENOENT);
	assert_int_equal(peer_reveal(n->f.store, &p, store_now(n->f.store)), 0);
	assert_int_equal(peers_forget_keys(n->f.store), 1);
	assert_int_equal(credential_find_secrets(n->f.store, &p.id, &secrets), -ENOENT);
	fixture_commit(&n->f);
	peer_fini(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_was_written_is_read, setup, teardown),
		cmocka_unit_test_setup_teardown(overlap_is_refused_with_its_owner, setup, teardown),
		cmocka_unit_test_setup_teardown(
			one_default_route_stands_beside_subnets, setup, teardown),
		cmocka_unit_test_setup_teardown(the_schema_itself_refuses_overlap, setup, teardown),
		cmocka_unit_test_setup_teardown(
			names_and_keys_are_unique_in_an_instance, setup, teardown),
		cmocka_unit_test_setup_teardown(numbers_rest_for_a_day, setup, teardown),
		cmocka_unit_test_setup_teardown(a_full_network_says_so, setup, teardown),
		cmocka_unit_test_setup_teardown(a_user_takes_peers_along, setup, teardown),
		cmocka_unit_test_setup_teardown(a_site_leaves_its_peers, setup, teardown),
		cmocka_unit_test_setup_teardown(nobody_belongs_to_nobody, setup, teardown),
		cmocka_unit_test_setup_teardown(a_key_of_its_own_forgets_ours, setup, teardown),
		cmocka_unit_test_setup_teardown(a_revealed_key_is_forgotten, setup, teardown),
		cmocka_unit_test_setup_teardown(
			secrets_begin_anew_with_the_certificate, setup, teardown),
	};
	return cmocka_run_group_tests_name("store/peer", tests, NULL, NULL);
}
