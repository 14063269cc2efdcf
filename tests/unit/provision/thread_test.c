// SPDX-License-Identifier: Apache-2.0
/*
 * The thread: that it does the steps, cuts who has expired, says so; and that a kill between two
 * steps, again and again, leaves every instance with one port and one pair of keys in the end.
 */
#include "control/provision/provision.h"
#include "tests/unit/store/fixture.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static const struct control_config config = {
	.wireguard_ports = {51820, 52819},
	.openvpn_ports = {1194, 2193},
};

static atomic_int changes;

static void note_change(void *ctx)
{
	(void)ctx;
	atomic_fetch_add(&changes, 1);
}

static int setup(void **state)
{
	static struct fixture f;
	fixture_init(&f);
	atomic_store(&changes, 0);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	fixture_fini(*state);
	return 0;
}

static struct provision *start(struct fixture *f)
{
	struct provision *p;
	assert_int_equal(provision_new(&config, f->store, &p), 0);
	assert_int_equal(provision_start(p, note_change, NULL), 0);
	return p;
}

/* Up to ten seconds, a sanitizer on a busy machine included. */
static void wait_for_number(struct fixture *f, const char *sql, int64_t number)
{
	for (int n = 0; n < 1000; n++) {
		if (fixture_number(f, sql) == number)
			return;
		(void)usleep(10000);
	}
	fail_msg("%s is not %d", sql, (int)number);
}

static const char with_keys[] =
	"SELECT count(*) FROM instance WHERE hub_id IS NOT NULL AND wireguard_port IS NOT NULL"
	" AND public_key IS NOT NULL AND private_key_box IS NOT NULL"
	" AND json_extract(conditions, '$.KeysReady[0]')"
	" AND json_extract(conditions, '$.CertificatesReady[0]')";

static void add_instances(struct fixture *f, int first, int count)
{
	fixture_write(f);
	for (int n = first; n < first + count; n++) {
		struct instance i;
		char name[16];
		(void)snprintf(name, sizeof(name), "net%d", n);
		assert_int_equal(fixture_add_instance(f, name, &i), 0);
		instance_fini(&i);
	}
	fixture_commit(f);
}

static void add_hub(struct fixture *f)
{
	struct hub h;
	fixture_write(f);
	fixture_hub(f, "hub1", &h);
	fixture_commit(f);
	hub_fini(&h);
}

static void it_does_the_steps_when_woken(void **state)
{
	struct fixture *f = *state;
	add_hub(f);
	struct provision *p = start(f);
	add_instances(f, 0, 3);
	provision_wake(p);
	wait_for_number(f, with_keys, 3);
	for (int n = 0; atomic_load(&changes) == 0 && n < 1000; n++)
		(void)usleep(10000);
	assert_true(atomic_load(&changes) > 0);
	provision_free(p);
}

static void it_cuts_who_has_expired_and_forgets_keys(void **state)
{
	struct fixture *f = *state;
	struct instance i;
	struct peer peer;
	add_hub(f);
	fixture_write(f);
	fixture_ready_instance(f, "acme", &i);
	assert_int_equal(fixture_add_peer(f, &i, "guest", NULL, &peer), 0);
	fixture_commit(f);
	fixture_run_sql(f, "UPDATE peer SET expires_at = 1000, revealed_until = 1000");
	int64_t before = fixture_number(f, "SELECT generation FROM hub");
	struct provision *p = start(f);
	wait_for_number(f, "SELECT is_sent FROM peer", 0);
	wait_for_number(f, "SELECT private_key_box IS NULL FROM peer", 1);
	provision_free(p);
	assert_true(fixture_number(f, "SELECT generation FROM hub") > before);
	peer_fini(&peer);
	instance_fini(&i);
}

/* A row that cannot be worked on does not hold up the others, nor the clock. */
static void one_sick_instance_is_alone(void **state)
{
	struct fixture *f = *state;
	add_hub(f);
	add_instances(f, 0, 4);
	fixture_run_sql(f,
		"CREATE TRIGGER sick BEFORE UPDATE OF hub_id ON instance WHEN OLD.id ="
		" (SELECT min(id) FROM instance) BEGIN SELECT RAISE(ABORT, 'sick'); END");
	struct provision *p = start(f);
	wait_for_number(f, with_keys, 3);
	provision_free(p);
	assert_int_equal(fixture_number(f, with_keys), 3);
}

static void ends_at_once(void **state)
{
	struct fixture *f = *state;
	struct provision *p;
	assert_int_equal(provision_new(&config, f->store, &p), 0);
	provision_wake(p);
	provision_free(p); /* never started */
	provision_free(start(f));
	provision_free(NULL);
}

static void provision_until_killed(struct fixture *f)
{
	struct provision *p;
	fixture_open(f);
	if (provision_new(&config, f->store, &p) != 0 || provision_start(p, note_change, NULL) != 0)
		_exit(1);
	for (;;)
		(void)pause();
}

static void kill_while_it_works(struct fixture *f, useconds_t after_us)
{
	int status;
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		provision_until_killed(f);
	(void)usleep(after_us);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
}

static void kills_leave_nothing_half_done(void **state)
{
	enum {
		ROUNDS = 10,
		EACH = 8,
		ALL = ROUNDS * EACH
	};
	struct fixture *f = *state;
	unsigned int seed = 11;
	add_hub(f);
	for (int round = 0; round < ROUNDS; round++) {
		add_instances(f, round * EACH, EACH);
		fixture_close(f);
		kill_while_it_works(f, 5000 + (useconds_t)rand_r(&seed) % 60000);
		fixture_open(f);
		/* What a condition says, is so; and what is so, a condition says. */
		assert_int_equal(fixture_number(f,
					 "SELECT count(*) FROM instance WHERE (hub_id IS NULL) ="
					 " json_extract(conditions, '$.Allocated[0]')"),
			0);
		assert_int_equal(
			fixture_number(f,
				"SELECT count(*) FROM instance WHERE (public_key IS NULL) ="
				" json_extract(conditions, '$.KeysReady[0]')"),
			0);
		assert_int_equal(
			fixture_number(f,
				"SELECT count(*) FROM instance i LEFT JOIN authority a ON a.instance_id = i.id"
				" LEFT JOIN listener l ON l.instance_id = i.id AND transport = 1 WHERE"
				" (a.instance_id IS NULL OR l.id IS NULL) ="
				" json_extract(conditions, '$.CertificatesReady[0]')"),
			0);
	}
	struct provision *p = start(f);
	wait_for_number(f, with_keys, ALL);
	provision_free(p);
	assert_int_equal(
		fixture_number(f, "SELECT count(DISTINCT wireguard_port) FROM instance"), ALL);
	assert_int_equal(
		fixture_number(f, "SELECT max(wireguard_port) - 51819 FROM instance"), ALL);
	/* One generation for each one's ports, keys and certificates: nothing was done twice. */
	assert_int_equal(fixture_number(f, "SELECT generation FROM hub"), 3 * ALL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(it_does_the_steps_when_woken, setup, teardown),
		cmocka_unit_test_setup_teardown(
			it_cuts_who_has_expired_and_forgets_keys, setup, teardown),
		cmocka_unit_test_setup_teardown(one_sick_instance_is_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(ends_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(kills_leave_nothing_half_done, setup, teardown),
	};
	return cmocka_run_group_tests_name("provision/thread", tests, NULL, NULL);
}
