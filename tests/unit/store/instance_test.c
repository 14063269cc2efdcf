// SPDX-License-Identifier: Apache-2.0
/* Rows of instances: what is unique, what is quarantined, what each step takes. */
#include "control/store/audit.h"
#include "tests/unit/store/fixture.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static int setup(void **state)
{
	static struct fixture f;
	fixture_init(&f);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	fixture_fini(*state);
	return 0;
}

static void what_was_written_is_read(void **state)
{
	struct fixture *f = *state;
	const struct ip_prefix pool = fixture_prefix("10.192.0.0/10");
	struct model_errors errors = {0};
	struct instance i, back;
	instance_init(&i);
	(void)snprintf(i.name, sizeof(i.name), "Acme \"HQ\" \303\274");
	(void)snprintf(i.hostname, sizeof(i.hostname), "ACME");
	(void)snprintf(i.region, sizeof(i.region), "local");
	i.networks[0] = fixture_prefix("10.1.0.0/24");
	i.mtu = 1380;
	i.access = (struct instance_access){.client_to_client = true};
	i.dns.server_count = 2;
	i.dns.servers[0] = fixture_prefix("10.1.0.1/32").addr;
	i.dns.servers[1] = fixture_prefix("fd00::1/128").addr;
	i.dns.domain_count = 1;
	(void)snprintf(i.dns.domains[0], DNS_DOMAIN_TEXT, "corp.example.net");
	i.client_routes = CLIENT_ROUTES_LIST;
	i.route_list.list[0] = fixture_prefix("10.0.0.0/8");
	i.route_list.count = 1;
	json_object_set_new(i.labels, "team", json_string("ops"));
	fixture_write(f);
	assert_int_equal(instance_add(f->store, &i, &pool, &errors), 0);
	fixture_commit(f);
	fixture_read(f);
	assert_int_equal(instance_find(f->store, &i.id, &back), 0);
	fixture_rollback(f);
	assert_string_equal(back.name, i.name);
	assert_string_equal(back.hostname, "acme");
	assert_int_equal(back.number, 1);
	assert_int_equal(back.mtu, 1380);
	assert_memory_equal(&back.access, &i.access, sizeof(i.access));
	assert_memory_equal(&back.dns, &i.dns, sizeof(i.dns));
	assert_memory_equal(back.networks, i.networks, sizeof(i.networks));
	assert_int_equal(back.networks[1].len, 64);
	assert_int_equal(back.networks[1].addr.bytes[0], 0xfd);
	assert_int_equal(back.client_routes, CLIENT_ROUTES_LIST);
	assert_true(ip_prefix_equal(&back.route_list.list[0], &i.route_list.list[0]));
	assert_true(json_equal(back.labels, i.labels));
	assert_int_equal(back.state, INSTANCE_PROVISIONING);
	assert_string_equal(back.conditions[CONDITION_ALLOCATED].reason, "Waiting");
	assert_int_equal(back.version, 1);
	instance_fini(&i);
	instance_fini(&back);
}

static void names_are_unique(void **state)
{
	struct fixture *f = *state;
	const struct ip_prefix pool = fixture_prefix("10.192.0.0/10");
	struct model_errors errors = {0};
	struct instance i, twin;
	fixture_write(f);
	assert_int_equal(fixture_add_instance(f, "acme", &i), 0);
	fixture_commit(f);
	fixture_write(f);
	instance_init(&twin);
	(void)snprintf(twin.name, sizeof(twin.name), "acme");
	(void)snprintf(twin.hostname, sizeof(twin.hostname), "Acme");
	assert_int_equal(instance_add(f->store, &twin, &pool, &errors), -EINVAL);
	fixture_rollback(f);
	assert_int_equal(errors.count, 2);
	assert_string_equal(errors.list[0].pointer, "/name");
	assert_string_equal(errors.list[1].pointer, "/hostname");
	assert_true(errors.has_conflict && !errors.has_invalid);
	instance_fini(&twin);
	instance_fini(&i);
}

static void a_number_is_never_used_again(void **state)
{
	struct fixture *f = *state;
	struct instance a, b;
	fixture_write(f);
	assert_int_equal(fixture_add_instance(f, "acme", &a), 0);
	assert_int_equal(instance_del(f->store, &a), 0);
	assert_int_equal(fixture_add_instance(f, "beta", &b), 0);
	assert_int_equal(a.number, 1);
	assert_int_equal(b.number, 2);
	fixture_commit(f);
	instance_fini(&a);
	instance_fini(&b);
}

static void hostnames_are_quarantined_for_others(void **state)
{
	struct fixture *f = *state;
	struct instance i;
	int rc = 0;
	fixture_write(f);
	assert_int_equal(fixture_add_instance(f, "acme", &i), 0);
	assert_non_null(hostname_taken(f->store, "acme", &rc));
	assert_null(hostname_taken(f->store, "beta", &rc));
	assert_int_equal(instance_del(f->store, &i), 0);
	assert_null(hostname_taken(f->store, "acme", &rc)); /* its own workspace */
	assert_int_equal(rc, 0);
	fixture_commit(f);
	instance_fini(&i);
	fixture_run_sql(f, "UPDATE hostname_quarantine SET workspace_id = randomblob(16)");
	fixture_read(f);
	assert_non_null(hostname_taken(f->store, "acme", &rc));
	fixture_rollback(f);
	fixture_write(f);
	assert_int_equal(fixture_add_instance(f, "acme", &i), -EINVAL);
	fixture_rollback(f);
	instance_fini(&i);
	fixture_run_sql(f, "UPDATE hostname_quarantine SET until = until - 30 * 24 * 3600");
	fixture_write(f);
	assert_int_equal(fixture_add_instance(f, "acme", &i), 0);
	fixture_commit(f);
	instance_fini(&i);
}

static void chosen_networks_differ(void **state)
{
	struct fixture *f = *state;
	const struct ip_prefix pool = fixture_prefix("10.192.0.0/18"); /* four /20 */
	struct ip_prefix seen[4];
	fixture_write(f);
	for (int n = 0; n < 4; n++) {
		struct model_errors errors = {0};
		struct instance i;
		instance_init(&i);
		(void)snprintf(i.name, sizeof(i.name), "net%d", n);
		(void)snprintf(i.hostname, sizeof(i.hostname), "net%d", n);
		assert_int_equal(instance_add(f->store, &i, &pool, &errors), 0);
		assert_int_equal(ip_prefix_len(&i.networks[0]), 20);
		assert_true(ip_prefix_is_canonical(&i.networks[0]));
		assert_true(ip_prefix_contains(&pool, &i.networks[0].addr));
		seen[n] = i.networks[0];
		for (int k = 0; k < n; k++)
			assert_false(ip_prefix_equal(&seen[k], &seen[n]));
		instance_fini(&i);
	}
	fixture_rollback(f);
}

static void steps_take_hub_port_and_keys(void **state)
{
	struct fixture *f = *state;
	struct hub h;
	struct instance i[4];
	struct key k;
	fixture_write(f);
	assert_int_equal(fixture_add_instance(f, "none", &i[3]), 0);
	assert_int_equal(instance_allocate(f->store, &i[3], 51820, 51821), -EAGAIN);
	fixture_hub(f, "hub1", &h);
	for (int n = 0; n < 3; n++) {
		char name[16];
		(void)snprintf(name, sizeof(name), "net%d", n);
		assert_int_equal(fixture_add_instance(f, name, &i[n]), 0);
		assert_int_equal(
			instance_allocate(f->store, &i[n], 51820, 51821), n < 2 ? 0 : -ENOSPC);
	}
	assert_int_equal(i[0].wireguard_port, 51820);
	assert_int_equal(i[1].wireguard_port, 51821);
	assert_int_equal(instance_private_key(f->store, &i[0].id, &k), -ENOENT);
	assert_int_equal(instance_make_keys(f->store, &i[0]), 0);
	assert_int_equal(instance_private_key(f->store, &i[0].id, &k), 0);
	/* A port that has come free is used again. */
	assert_int_equal(instance_remove(f->store, &i[0]), 0);
	assert_int_equal(instance_allocate(f->store, &i[2], 51820, 51821), 0);
	assert_int_equal(i[2].wireguard_port, 51820);
	fixture_commit(f);
	for (int n = 0; n < 4; n++)
		instance_fini(&i[n]);
	hub_fini(&h);
}

static void the_emptiest_hub_is_chosen(void **state)
{
	struct fixture *f = *state;
	struct hub a, b;
	struct instance i[2];
	fixture_write(f);
	fixture_hub(f, "hub1", &a);
	fixture_hub(f, "hub2", &b);
	fixture_ready_instance(f, "net0", &i[0]);
	fixture_ready_instance(f, "net1", &i[1]);
	assert_false(uuid_equal(&i[0].hub_id, &i[1].hub_id));
	assert_int_equal(i[0].wireguard_port, i[1].wireguard_port); /* one each hub */
	fixture_commit(f);
	instance_fini(&i[0]);
	instance_fini(&i[1]);
	hub_fini(&a);
	hub_fini(&b);
}

static void networks_are_fixed_once_there_are_peers(void **state)
{
	struct fixture *f = *state;
	struct model_errors errors = {0};
	struct instance i;
	struct peer p;
	fixture_write(f);
	assert_int_equal(fixture_add_instance(f, "acme", &i), 0);
	i.networks[0] = fixture_prefix("10.9.0.0/16");
	assert_int_equal(instance_set(f->store, &i, &errors), 0);
	assert_int_equal(i.version, 2);
	assert_int_equal(fixture_add_peer(f, &i, "alice", NULL, &p), 0);
	char text[IP_ADDR_TEXT];
	struct peer back;
	assert_int_equal(peer_find(f->store, &i.id, &p.id, &back), 0);
	assert_string_equal(ip_addr_format(&back.addresses[0], text), "10.9.0.2");
	i.networks[0] = fixture_prefix("10.8.0.0/16");
	assert_int_equal(instance_set(f->store, &i, &errors), -EINVAL);
	assert_string_equal(errors.list[0].pointer, "/networks/ipv4");
	assert_true(errors.has_conflict);
	fixture_rollback(f);
	peer_fini(&back);
	peer_fini(&p);
	instance_fini(&i);
}

struct adder {
	pthread_t thread;
	struct fixture *f;
	int number;
	int added, conflicts, others;
};

enum {
	THREADS = 8,
	NAMES = 20,
};

/* Every thread wants every name. */
static void *add_all(void *arg)
{
	const struct ip_prefix pool = {.addr = {.bytes = {[10] = 255, 255, 10, 192}}, .len = 106};
	struct adder *a = arg;
	for (int n = 0; n < NAMES; n++) {
		struct model_errors errors = {0};
		struct instance i;
		instance_init(&i);
		(void)snprintf(i.name, sizeof(i.name), "net%d", n);
		(void)snprintf(i.hostname, sizeof(i.hostname), "net%d", n);
		int rc = store_begin(a->f->store, STORE_WRITE);
		if (rc == 0) {
			rc = instance_add(a->f->store, &i, &pool, &errors);
			int ended = store_end(a->f->store, rc == 0);
			rc = rc < 0 ? rc : ended;
		}
		a->added += rc == 0;
		a->conflicts += rc == -EINVAL && errors.has_conflict && !errors.has_invalid;
		a->others += rc != 0 && rc != -EINVAL;
		instance_fini(&i);
	}
	return NULL;
}

static void eight_threads_make_each_name_once(void **state)
{
	struct fixture *f = *state;
	struct adder adders[THREADS] = {0};
	int added = 0;
	for (int n = 0; n < THREADS; n++) {
		adders[n].f = f;
		assert_int_equal(pthread_create(&adders[n].thread, NULL, add_all, &adders[n]), 0);
	}
	for (int n = 0; n < THREADS; n++) {
		assert_int_equal(pthread_join(adders[n].thread, NULL), 0);
		assert_int_equal(adders[n].others, 0);
		assert_int_equal(adders[n].added + adders[n].conflicts, NAMES);
		added += adders[n].added;
	}
	assert_int_equal(added, NAMES);
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM instance"), NAMES);
	assert_int_equal(fixture_number(f, "SELECT count(DISTINCT network4) FROM instance"), NAMES);
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM audit"), NAMES);
}

static int take_row(void *ctx, const struct audit_row *row)
{
	*(struct audit_row *)ctx = *row;
	return 1;
}

static void every_write_is_in_the_audit_log(void **state)
{
	struct fixture *f = *state;
	struct audit_row row = {0};
	struct instance i;
	fixture_write(f);
	/* An actor without a request, as provisioning is. */
	const struct store_actor actor = {.type = "system", .name = "test"};
	store_set_actor(f->store, &actor);
	assert_int_equal(fixture_add_instance(f, "acme", &i), 0);
	fixture_commit(f);
	fixture_write(f);
	assert_int_equal(instance_retry(f->store, &i), 0);
	fixture_rollback(f); /* leaves no row */
	fixture_read(f);
	assert_int_equal(audit_list(f->store, INT64_MAX, take_row, &row), 0);
	fixture_rollback(f);
	assert_string_equal(row.action, "create");
	assert_string_equal(row.object_type, "instance");
	assert_string_equal(row.object_name, "acme");
	assert_string_equal(row.actor_type, "system");
	assert_string_equal(row.actor_name, "test");
	assert_true(uuid_equal(&row.object_id, &i.id));
	instance_fini(&i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_was_written_is_read, setup, teardown),
		cmocka_unit_test_setup_teardown(names_are_unique, setup, teardown),
		cmocka_unit_test_setup_teardown(a_number_is_never_used_again, setup, teardown),
		cmocka_unit_test_setup_teardown(
			hostnames_are_quarantined_for_others, setup, teardown),
		cmocka_unit_test_setup_teardown(chosen_networks_differ, setup, teardown),
		cmocka_unit_test_setup_teardown(steps_take_hub_port_and_keys, setup, teardown),
		cmocka_unit_test_setup_teardown(the_emptiest_hub_is_chosen, setup, teardown),
		cmocka_unit_test_setup_teardown(
			networks_are_fixed_once_there_are_peers, setup, teardown),
		cmocka_unit_test_setup_teardown(eight_threads_make_each_name_once, setup, teardown),
		cmocka_unit_test_setup_teardown(every_write_is_in_the_audit_log, setup, teardown),
	};
	return cmocka_run_group_tests_name("store/instance", tests, NULL, NULL);
}
