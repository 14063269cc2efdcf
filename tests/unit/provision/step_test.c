// SPDX-License-Identifier: Apache-2.0
/* The steps of an instance one by one, and what hubs say about it in between. */
#include "control/provision/step.h"

#include "control/provision/provision.h"
#include "tests/unit/store/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct control_config config = {
	.wireguard_ports = {51820, 51821},
	.openvpn_ports = {1194, 1195},
	.vpn_domain = "vpn.example.net",
};

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

static struct uuid add(struct fixture *f, const char *name)
{
	struct instance i;
	fixture_write(f);
	assert_int_equal(fixture_add_instance(f, name, &i), 0);
	fixture_commit(f);
	instance_fini(&i);
	return i.id;
}

static struct uuid enrol(struct fixture *f)
{
	struct hub h;
	fixture_write(f);
	fixture_hub(f, "hub1", &h);
	fixture_commit(f);
	hub_fini(&h);
	return h.id;
}

/* Whether it wrote. */
static bool step(struct fixture *f, const struct uuid *id)
{
	struct instance i;
	bool changed = false;
	fixture_write(f);
	assert_int_equal(instance_find(f->store, id, &i), 0);
	assert_int_equal(step_instance(f->store, &config, &i, &changed), 0);
	fixture_commit(f);
	instance_fini(&i);
	return changed;
}

/* All steps that are ours: hub, keys, certificates, name. */
static void make(struct fixture *f, const struct uuid *id)
{
	for (int n = 0; n < 4; n++)
		(void)step(f, id);
}

static void say(struct fixture *f, const struct uuid *hub, const struct uuid *id, bool is_ready)
{
	struct hub h;
	fixture_write(f);
	assert_int_equal(hub_find(f->store, hub, &h), 0);
	assert_int_equal(
		step_confirm(f->store, &config, &h, id, is_ready, is_ready ? "" : "no port"), 0);
	fixture_commit(f);
	hub_fini(&h);
}

static void report(struct fixture *f, const struct uuid *hub)
{
	struct hub h;
	json_t *counters = json_object();
	fixture_write(f);
	const struct hub_report r = {
		.version = "1", .epoch = *store_epoch(f->store), .counters = counters};
	assert_int_equal(hub_find(f->store, hub, &h), 0);
	assert_int_equal(hub_set_report(f->store, &h, &r), 0);
	fixture_commit(f);
	hub_fini(&h);
	json_decref(counters);
}

static void expect(struct fixture *f, const struct uuid *id, enum instance_state state,
	enum instance_condition condition, const char *reason)
{
	struct instance i;
	fixture_read(f);
	assert_int_equal(instance_find(f->store, id, &i), 0);
	fixture_rollback(f);
	assert_string_equal(instance_state_text(i.state), instance_state_text(state));
	assert_string_equal(i.conditions[condition].reason, reason);
	assert_int_equal(i.conditions[condition].is_true, strcmp(reason, "Done") == 0);
	assert_true(i.conditions[condition].message[0] != '\0');
	instance_fini(&i);
}

static void steps_follow_each_other(void **state)
{
	struct fixture *f = *state;
	const struct uuid id = add(f, "acme");
	expect(f, &id, INSTANCE_PROVISIONING, CONDITION_ALLOCATED, "Waiting");
	assert_true(step(f, &id));
	expect(f, &id, INSTANCE_PROVISIONING, CONDITION_ALLOCATED, "NoHub");
	assert_false(step(f, &id)); /* says it once */
	const struct uuid hub = enrol(f);
	assert_true(step(f, &id));
	expect(f, &id, INSTANCE_PROVISIONING, CONDITION_ALLOCATED, "Done");
	assert_true(step(f, &id));
	expect(f, &id, INSTANCE_PROVISIONING, CONDITION_KEYS_READY, "Done");
	say(f, &hub, &id, true); /* of what it had before: not yet */
	expect(f, &id, INSTANCE_PROVISIONING, CONDITION_CERTIFICATES_READY, "Waiting");
	assert_true(step(f, &id));
	expect(f, &id, INSTANCE_PROVISIONING, CONDITION_CERTIFICATES_READY, "Done");
	assert_true(step(f, &id));
	expect(f, &id, INSTANCE_PROVISIONING, CONDITION_DNS_PUBLISHED, "NoAddress");
	assert_false(step(f, &id));
	expect(f, &id, INSTANCE_PROVISIONING, CONDITION_DATAPLANE_READY, "Waiting");
	report(f, &hub);
	say(f, &hub, &id, true);
	expect(f, &id, INSTANCE_READY, CONDITION_DATAPLANE_READY, "Done");
	assert_false(step(f, &id));
	int64_t version = fixture_number(f, "SELECT version FROM instance");
	say(f, &hub, &id, true);
	assert_int_equal(fixture_number(f, "SELECT version FROM instance"), version);
}

static void a_hub_that_fails_and_recovers(void **state)
{
	struct fixture *f = *state;
	const struct uuid hub = enrol(f), id = add(f, "acme");
	make(f, &id);
	report(f, &hub);
	say(f, &hub, &id, false);
	expect(f, &id, INSTANCE_FAILED, CONDITION_DATAPLANE_READY, "HubFailed");
	say(f, &hub, &id, true);
	expect(f, &id, INSTANCE_READY, CONDITION_DATAPLANE_READY, "Done");
	say(f, &hub, &id, false);
	expect(f, &id, INSTANCE_DEGRADED, CONDITION_DATAPLANE_READY, "HubFailed");
	say(f, &hub, &id, true);
	fixture_run_sql(f, "UPDATE hub SET last_report_at = last_report_at - 60");
	assert_true(step(f, &id));
	expect(f, &id, INSTANCE_DEGRADED, CONDITION_DATAPLANE_READY, "HubSilent");
	assert_false(step(f, &id));
	report(f, &hub);
	say(f, &hub, &id, true);
	expect(f, &id, INSTANCE_READY, CONDITION_DATAPLANE_READY, "Done");
}

/* Moves the conditions' times into the past, as waiting would. */
static void let_time_pass(struct fixture *f)
{
	fixture_run_sql(f,
		"UPDATE instance SET conditions = json_replace(conditions,"
		" '$.KeysReady[3]', 1000, '$.DataplaneReady[3]', 1000)");
}

static void silence_fails_and_retry_gets_its_own_time(void **state)
{
	struct fixture *f = *state;
	const struct uuid hub = enrol(f), id = add(f, "acme");
	struct instance i;
	make(f, &id);
	let_time_pass(f);
	assert_true(step(f, &id));
	expect(f, &id, INSTANCE_FAILED, CONDITION_DATAPLANE_READY, "HubSilent");
	fixture_write(f);
	assert_int_equal(instance_find(f->store, &id, &i), 0);
	assert_int_equal(instance_retry(f->store, &i), 0);
	fixture_commit(f);
	instance_fini(&i);
	assert_false(step(f, &id));
	expect(f, &id, INSTANCE_PROVISIONING, CONDITION_DATAPLANE_READY, "Waiting");
	report(f, &hub);
	let_time_pass(f);
	assert_true(step(f, &id));
	expect(f, &id, INSTANCE_FAILED, CONDITION_DATAPLANE_READY, "NotConfirmed");
	say(f, &hub, &id, true); /* late is better than never */
	expect(f, &id, INSTANCE_READY, CONDITION_DATAPLANE_READY, "Done");
}

static int64_t certificates(struct fixture *f)
{
	return fixture_number(f, "SELECT count(DISTINCT server_certificate) FROM authority");
}

/* Of an instance that is ready: neither its state nor its authority is touched. */
static void a_certificate_is_renewed_in_time(void **state)
{
	struct fixture *f = *state;
	const struct uuid hub = enrol(f), id = add(f, "acme");
	make(f, &id);
	report(f, &hub);
	say(f, &hub, &id, true);
	/* at two thirds of a year */
	assert_in_range(fixture_number(f, "SELECT renews_at - unixepoch() FROM authority"),
		243 * 86400 - 60, 244 * 86400);
	fixture_run_sql(f,
		"CREATE TABLE old AS SELECT * FROM authority;"
		"UPDATE authority SET renews_at = unixepoch() + 60");
	assert_false(step(f, &id));
	fixture_run_sql(f, "UPDATE authority SET renews_at = unixepoch() - 1");
	int64_t generation = fixture_number(f, "SELECT generation FROM instance");
	assert_true(step(f, &id));
	assert_false(step(f, &id));
	expect(f, &id, INSTANCE_READY, CONDITION_CERTIFICATES_READY, "Done");
	assert_int_equal(certificates(f), 1);
	assert_int_equal(fixture_number(f,
				 "SELECT count(*) FROM authority a JOIN old o ON a.certificate ="
				 " o.certificate AND a.server_certificate != o.server_certificate"),
		1);
	assert_true(fixture_number(f, "SELECT generation FROM instance") > generation);
	/* a hub that has moved is in its certificate, or RouterOS would not trust it */
	fixture_run_sql(f, "UPDATE hub SET addresses = '[\"192.0.2.7\",\"2001:db8::7\"]'");
	assert_true(step(f, &id)); /* that, and the records for its name */
	assert_true(step(f, &id));
	assert_false(step(f, &id));
	fixture_run_sql(f, "UPDATE hub SET addresses = '[\"2001:db8::7\",\"192.0.2.7\"]'");
	assert_false(step(f, &id));
}

/* Two ports for UDP, and WireGuard has one of them. */
static void openvpn_without_a_port_holds_nothing_up(void **state)
{
	struct fixture *f = *state;
	const struct control_config narrow = {
		.wireguard_ports = {51820, 51830}, .openvpn_ports = {51820, 51821}};
	const struct uuid hub = enrol(f), a = add(f, "net0"), b = add(f, "net1");
	const struct uuid both[] = {a, b};
	for (int n = 0; n < 2 * 4; n++) {
		struct instance i;
		bool changed;
		fixture_write(f);
		assert_int_equal(instance_find(f->store, &both[n % 2], &i), 0);
		assert_int_equal(step_instance(f->store, &narrow, &i, &changed), 0);
		fixture_commit(f);
		instance_fini(&i);
	}
	expect(f, &a, INSTANCE_PROVISIONING, CONDITION_CERTIFICATES_READY, "NoPort");
	expect(f, &b, INSTANCE_PROVISIONING, CONDITION_CERTIFICATES_READY, "NoPort");
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM listener"), 0);
	report(f, &hub);
	say(f, &hub, &a, true);
	expect(f, &a, INSTANCE_READY, CONDITION_DATAPLANE_READY, "Done");
}

static void no_port_fails_until_retried(void **state)
{
	struct fixture *f = *state;
	struct instance i;
	(void)enrol(f);
	const struct uuid a = add(f, "net0"), b = add(f, "net1"), c = add(f, "net2");
	assert_true(step(f, &a) && step(f, &b) && step(f, &c));
	expect(f, &c, INSTANCE_FAILED, CONDITION_ALLOCATED, "NoPort");
	assert_false(step(f, &c));
	fixture_write(f);
	assert_int_equal(instance_find(f->store, &a, &i), 0);
	assert_int_equal(instance_remove(f->store, &i), 0);
	instance_fini(&i);
	assert_int_equal(instance_find(f->store, &c, &i), 0);
	assert_int_equal(instance_retry(f->store, &i), 0);
	fixture_commit(f);
	instance_fini(&i);
	assert_true(step(f, &c));
	expect(f, &c, INSTANCE_PROVISIONING, CONDITION_ALLOCATED, "Done");
}

static void other_hubs_have_no_say(void **state)
{
	struct fixture *f = *state;
	struct hub other;
	const struct uuid hub = enrol(f), id = add(f, "acme"), nobody = {.bytes = {1}};
	(void)step(f, &id);
	say(f, &hub, &id, true); /* it has no keys yet: cannot be */
	expect(f, &id, INSTANCE_PROVISIONING, CONDITION_DATAPLANE_READY, "Waiting");
	(void)step(f, &id);
	fixture_write(f);
	fixture_hub(f, "hub2", &other);
	fixture_commit(f);
	say(f, &other.id, &id, true);
	expect(f, &id, INSTANCE_PROVISIONING, CONDITION_DATAPLANE_READY, "Waiting");
	say(f, &hub, &nobody, true);
	hub_fini(&other);
}

static void what_goes_away_stays_away(void **state)
{
	struct fixture *f = *state;
	struct instance i;
	const struct uuid hub = enrol(f), id = add(f, "acme");
	make(f, &id);
	fixture_write(f);
	assert_int_equal(instance_find(f->store, &id, &i), 0);
	assert_int_equal(instance_del(f->store, &i), 0);
	fixture_commit(f);
	instance_fini(&i);
	say(f, &hub, &id, true); /* a report that was on its way */
	assert_false(step(f, &id));
	expect(f, &id, INSTANCE_DELETING, CONDITION_DATAPLANE_READY, "Deleting");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(steps_follow_each_other, setup, teardown),
		cmocka_unit_test_setup_teardown(a_hub_that_fails_and_recovers, setup, teardown),
		cmocka_unit_test_setup_teardown(
			silence_fails_and_retry_gets_its_own_time, setup, teardown),
		cmocka_unit_test_setup_teardown(a_certificate_is_renewed_in_time, setup, teardown),
		cmocka_unit_test_setup_teardown(
			openvpn_without_a_port_holds_nothing_up, setup, teardown),
		cmocka_unit_test_setup_teardown(no_port_fails_until_retried, setup, teardown),
		cmocka_unit_test_setup_teardown(other_hubs_have_no_say, setup, teardown),
		cmocka_unit_test_setup_teardown(what_goes_away_stays_away, setup, teardown),
	};
	return cmocka_run_group_tests_name("provision/step", tests, NULL, NULL);
}
