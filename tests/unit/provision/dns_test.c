// SPDX-License-Identifier: Apache-2.0
/* Names: what is noted for the DNS server, in which order, when it is tried again, and what the condition says. */
#include "control/provision/dns.h"

#include "control/provision/step.h"
#include "tests/unit/store/fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct control_config config = {
	.wireguard_ports = {51820, 51830},
	.openvpn_ports = {1194, 1205},
	.vpn_domain = "vpn.example.net",
	.dns = {.server = {.port = 53}, .ttl = 60, .zone = "vpn.example.net"},
};

static int setup(void **state)
{
	static struct fixture f;
	struct hub h;
	fixture_init(&f);
	fixture_write(&f);
	fixture_hub(&f, "hub1", &h);
	fixture_commit(&f);
	hub_fini(&h);
	fixture_run_sql(&f, "UPDATE hub SET addresses = '[\"203.0.113.1\"]'");
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	fixture_fini(*state);
	return 0;
}

static struct uuid add(struct fixture *f, const char *name)
{
	struct instance i;
	fixture_write(f);
	fixture_ready_instance(f, name, &i);
	fixture_commit(f);
	instance_fini(&i);
	return i.id;
}

static void step_with(struct fixture *f, const struct control_config *c, const struct uuid *id)
{
	struct instance i;
	fixture_write(f);
	assert_int_equal(instance_find(f->store, id, &i), 0);
	assert_true(step_dns(f->store, c, &i) >= 0);
	fixture_commit(f);
	instance_fini(&i);
}

static void forget(struct fixture *f, const struct uuid *id)
{
	struct instance i;
	fixture_write(f);
	assert_int_equal(instance_find(f->store, id, &i), 0);
	assert_int_equal(instance_del(f->store, &i), 0);
	assert_int_equal(instance_remove(f->store, &i), 0);
	fixture_commit(f);
	instance_fini(&i);
}

static void expect(
	struct fixture *f, const struct uuid *id, const char *reason, const char *message)
{
	struct instance i;
	fixture_read(f);
	assert_int_equal(instance_find(f->store, id, &i), 0);
	fixture_rollback(f);
	assert_string_equal(i.conditions[CONDITION_DNS_PUBLISHED].reason, reason);
	assert_string_equal(i.conditions[CONDITION_DNS_PUBLISHED].message, message);
	instance_fini(&i);
}

/* As the publisher does: what is due, or "-". */
static const char *take(struct fixture *f, struct dns_name *ret)
{
	fixture_write(f);
	assert_true(dns_names_drop(f->store, config.vpn_domain) >= 0);
	int rc = dns_name_due(f->store, ret);
	if (rc == 0)
		assert_int_equal(dns_name_begin(f->store, ret), 0);
	fixture_commit(f);
	assert_true(rc == 0 || rc == -ENOENT);
	return rc == 0 ? ret->wanted : "-";
}

static void confirm(struct fixture *f, const struct dns_name *n)
{
	fixture_write(f);
	assert_int_equal(dns_name_confirm(f->store, n), 0);
	fixture_commit(f);
}

static void fail_with(struct fixture *f, const struct dns_name *n, const char *reason, bool others)
{
	fixture_write(f);
	assert_int_equal(dns_name_fail(f->store, n, reason, "It is away.", others), 0);
	fixture_commit(f);
}

static void a_name_comes_and_goes(void **state)
{
	struct fixture *f = *state;
	const struct uuid id = add(f, "acme");
	struct dns_name n;
	step_with(f, &config, &id);
	expect(f, &id, "Publishing",
		"Waiting for the DNS server to take acme.vpn.example.net. 60 IN A 203.0.113.1");
	assert_string_equal(take(f, &n), "60 203.0.113.1");
	assert_string_equal(n.name, "acme.vpn.example.net");
	confirm(f, &n);
	step_with(f, &config, &id);
	expect(f, &id, "Done", "acme.vpn.example.net. 60 IN A 203.0.113.1");
	assert_string_equal(take(f, &n), "-");
	fixture_run_sql(f,
		"UPDATE hub SET addresses = '[\"2001:db8::1\",\"203.0.113.2\",\"2001:db8::1\"]'");
	step_with(f, &config, &id);
	assert_string_equal(take(f, &n), "60 203.0.113.2 2001:db8::1");
	confirm(f, &n);
	fixture_run_sql(f, "UPDATE hub SET addresses = '[\"203.0.113.2\",\"2001:db8::1\"]'");
	step_with(f, &config, &id);
	assert_string_equal(take(f, &n), "-");
	forget(f, &id);
	assert_string_equal(take(f, &n), "");
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM dns_name"), 1);
	confirm(f, &n);
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM dns_name"), 0);
}

/* Whatever was on its way when the next instance took the name: its records are said last. */
static void the_next_of_a_name_is_said_last(void **state)
{
	struct fixture *f = *state;
	struct dns_name n;
	const struct uuid first = add(f, "acme");
	step_with(f, &config, &first);
	(void)take(f, &n);
	confirm(f, &n);
	forget(f, &first);
	assert_string_equal(take(f, &n), ""); /* the removal is out */
	const struct uuid second = add(f, "acme");
	step_with(f, &config, &second);
	expect(f, &second, "Publishing",
		"Waiting for the DNS server to take acme.vpn.example.net. 60 IN A 203.0.113.1");
	confirm(f, &n); /* and confirmed only now */
	assert_string_equal(take(f, &n), "60 203.0.113.1");
	confirm(f, &n);
	assert_string_equal(take(f, &n), "-");
	step_with(f, &config, &second);
	expect(f, &second, "Done", "acme.vpn.example.net. 60 IN A 203.0.113.1");
	/* the same with a removal that nobody answered: it may reach the server late */
	forget(f, &second);
	assert_string_equal(take(f, &n), "");
	fail_with(f, &n, "NoAnswer", true);
	const struct uuid third = add(f, "acme");
	step_with(f, &config, &third);
	assert_string_equal(take(f, &n), "60 203.0.113.1");
	confirm(f, &n);
	assert_in_range(fixture_number(f, "SELECT due_at - unixepoch() FROM dns_name"), 28, 30);
}

static int64_t wait_of(struct fixture *f)
{
	return fixture_number(f, "SELECT due_at - unixepoch() FROM dns_name");
}

static void failures_are_told_and_tried_again(void **state)
{
	static const int64_t waits[] = {1, 2, 4, 8, 16, 32, 60, 60, 60};
	struct fixture *f = *state;
	struct dns_name n;
	const struct uuid id = add(f, "acme");
	step_with(f, &config, &id);
	for (size_t k = 0; k < sizeof(waits) / sizeof(waits[0]); k++) {
		assert_string_equal(take(f, &n), "60 203.0.113.1");
		fail_with(f, &n, "Unreachable", true);
		assert_in_range(wait_of(f) + 1, waits[k], waits[k] + 1); /* a second may end here */
		fixture_run_sql(f, "UPDATE dns_name SET due_at = 0");
	}
	step_with(f, &config, &id);
	expect(f, &id, "Unreachable", "It is away.");
	/* another address is another question: asked at once */
	fixture_run_sql(f,
		"UPDATE dns_name SET due_at = unixepoch() + 60;"
		"UPDATE hub SET addresses = '[\"203.0.113.2\"]'");
	assert_string_equal(take(f, &n), "-");
	step_with(f, &config, &id);
	assert_string_equal(take(f, &n), "60 203.0.113.2");
	/* and a clock that was wrong does not put it off for years */
	fixture_run_sql(f, "UPDATE dns_name SET due_at = unixepoch() + 1000000");
	assert_string_equal(take(f, &n), "60 203.0.113.2");
}

static void what_is_of_one_name_holds_no_other_up(void **state)
{
	struct fixture *f = *state;
	struct dns_name n;
	const struct uuid a = add(f, "aaa"), b = add(f, "bbb"), c = add(f, "ccc");
	step_with(f, &config, &a);
	step_with(f, &config, &b);
	step_with(f, &config, &c);
	fixture_run_sql(f, "UPDATE dns_name SET due_at = due_at - 2 WHERE hostname = 'aaa'");
	(void)take(f, &n);
	assert_string_equal(n.hostname, "aaa");
	fail_with(f, &n, "NotZone", false);
	(void)take(f, &n);
	assert_string_not_equal(n.hostname, "aaa");
	fail_with(f, &n, "Unreachable", true);
	assert_string_equal(take(f, &n), "-"); /* the third would fare the same */
	assert_int_equal(
		fixture_number(f, "SELECT count(*) FROM dns_name WHERE reason = 'Unreachable'"), 2);
	/* when one gets through, those that wait need not any longer */
	fixture_run_sql(f, "UPDATE dns_name SET due_at = unixepoch() WHERE hostname = 'bbb'");
	(void)take(f, &n);
	confirm(f, &n);
	assert_string_not_equal(take(f, &n), "-");
}

/* Killed after the server was asked: not known what it has, so it is asked again. */
static void a_killed_attempt_is_one(void **state)
{
	struct fixture *f = *state;
	struct dns_name n;
	const struct uuid id = add(f, "acme");
	step_with(f, &config, &id);
	(void)take(f, &n);
	confirm(f, &n);
	forget(f, &id);
	assert_string_equal(take(f, &n), "");
	fixture_close(f);
	fixture_open(f);
	fixture_write(f);
	assert_int_equal(dns_names_begin(f->store), 0);
	fixture_commit(f);
	const struct uuid next = add(f, "acme");
	step_with(f, &config, &next);
	expect(f, &next, "Publishing",
		"Waiting for the DNS server to take acme.vpn.example.net. 60 IN A 203.0.113.1");
	assert_string_equal(take(f, &n), "60 203.0.113.1");
	confirm(f, &n);
	assert_in_range(wait_of(f), 28, 30);
}

static void another_domain_leaves_the_old_names(void **state)
{
	struct fixture *f = *state;
	struct dns_name n;
	struct control_config moved = config;
	const struct uuid id = add(f, "acme");
	int64_t waiting, leaving;
	step_with(f, &config, &id);
	(void)take(f, &n);
	confirm(f, &n);
	(void)snprintf(moved.vpn_domain, sizeof(moved.vpn_domain), "other.example.net");
	step_with(f, &moved, &id);
	fixture_write(f);
	assert_int_equal(dns_names_drop(f->store, moved.vpn_domain), 1);
	assert_int_equal(dns_names_count(f->store, &waiting, &leaving), 0);
	fixture_commit(f);
	assert_int_equal(waiting, 1);
	assert_int_equal(leaving, 1);
}

static void without_a_server_people_do_it(void **state)
{
	struct fixture *f = *state;
	struct control_config none = config;
	const struct uuid id = add(f, "acme");
	none.dns.server.port = 0;
	fixture_run_sql(f, "UPDATE hub SET addresses = '[]'");
	step_with(f, &none, &id);
	expect(f, &id, "NoAddress",
		"The hub has told no address yet: start its nave-node, or set hub_addresses.");
	none.hub_address_count = 2;
	assert_int_equal(ip_addr_parse("2001:db8::1", &none.hub_addresses[0]), 0);
	assert_int_equal(ip_addr_parse("203.0.113.1", &none.hub_addresses[1]), 0);
	step_with(f, &none, &id);
	expect(f, &id, "NotConfigured",
		"Add to your DNS: acme.vpn.example.net. 60 IN A 203.0.113.1; acme.vpn.example.net. 60"
		" IN AAAA 2001:db8::1");
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM dns_name"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_name_comes_and_goes, setup, teardown),
		cmocka_unit_test_setup_teardown(the_next_of_a_name_is_said_last, setup, teardown),
		cmocka_unit_test_setup_teardown(failures_are_told_and_tried_again, setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_is_of_one_name_holds_no_other_up, setup, teardown),
		cmocka_unit_test_setup_teardown(a_killed_attempt_is_one, setup, teardown),
		cmocka_unit_test_setup_teardown(
			another_domain_leaves_the_old_names, setup, teardown),
		cmocka_unit_test_setup_teardown(without_a_server_people_do_it, setup, teardown),
	};
	return cmocka_run_group_tests_name("provision/dns", tests, NULL, NULL);
}
