// SPDX-License-Identifier: Apache-2.0
/* Sessions, cut out of what hubs report. */
#include "control/store/session.h"

#include "control/store/report.h"
#include "tests/unit/store/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

struct network {
	struct fixture f;
	struct hub hub;
	struct instance i;
	struct peer p;
	struct peer_status told;
	struct uuid boot;
	int64_t began; /* of the test */
};

static int setup(void **state)
{
	struct network *n = calloc(1, sizeof(*n));
	assert_non_null(n);
	fixture_init(&n->f);
	fixture_write(&n->f);
	fixture_hub(&n->f, "hub1", &n->hub);
	fixture_ready_instance(&n->f, "acme", &n->i);
	assert_int_equal(fixture_add_peer(&n->f, &n->i, "a", NULL, &n->p), 0);
	fixture_commit(&n->f);
	n->boot.bytes[0] = 1;
	n->began = time(NULL);
	*state = n;
	return 0;
}

static int teardown(void **state)
{
	struct network *n = *state;
	peer_fini(&n->p);
	instance_fini(&n->i);
	hub_fini(&n->hub);
	fixture_fini(&n->f);
	free(n);
	return 0;
}

/* Heard of `ago` seconds ago, from there, with so much received in all. */
static void report(struct network *n, int64_t ago, const char *endpoint, uint64_t bytes)
{
	struct peer_report *r;
	(void)snprintf(n->told.endpoint, sizeof(n->told.endpoint), "%s", endpoint);
	n->told.last_seen_at = n->began - ago;
	n->told.rx_bytes = bytes;
	n->told.tx_bytes = 2 * bytes;
	fixture_write(&n->f);
	assert_int_equal(peer_report_begin(n->f.store, &n->hub, &n->boot, &r), 0);
	assert_int_equal(peer_report_end(r, peer_report_take(r, &n->p.id, &n->told)), 0);
	fixture_commit(&n->f);
}

struct sessions {
	struct session list[8];
	size_t count;
};

static int add_session(void *ctx, const struct session *s)
{
	struct sessions *all = ctx;
	assert_true(all->count < 8);
	assert_int_equal(s->tx_bytes, 2 * s->rx_bytes);
	assert_true(s->until == 0 || s->until >= s->since);
	all->list[all->count++] = *s;
	return 0;
}

static struct sessions sessions_of(struct network *n)
{
	struct sessions all = {0}, of_instance = {0};
	fixture_read(&n->f);
	assert_int_equal(session_list(n->f.store, NULL, &n->p.id, INT64_MAX, add_session, &all), 0);
	assert_int_equal(
		session_list(n->f.store, &n->i.id, NULL, INT64_MAX, add_session, &of_instance), 0);
	fixture_rollback(&n->f);
	assert_int_equal(all.count, of_instance.count);
	return all;
}

static void expect(struct network *n, size_t count, const char *reason, uint64_t bytes)
{
	struct sessions all = sessions_of(n);
	assert_int_equal(all.count, count);
	if (count == 0)
		return;
	assert_string_equal(all.list[0].reason, reason);
	assert_int_equal(all.list[0].rx_bytes, bytes);
	assert_int_equal(all.list[0].until == 0, reason[0] == '\0');
}

static void one_goes_on_until_it_moves(void **state)
{
	struct network *n = *state;
	report(n, 500, "192.0.2.1:1000", 10); /* of long ago: nobody is there */
	expect(n, 0, "", 0);
	report(n, 20, "192.0.2.1:1000", 100);
	report(n, 15, "192.0.2.1:1000", 150);
	report(n, 10, "192.0.2.1:2000", 200); /* its NAT forgot the port */
	expect(n, 1, "", 190);
	assert_string_equal(sessions_of(n).list[0].endpoint, "192.0.2.1:2000");
	report(n, 5, "198.51.100.1:2000", 240);
	expect(n, 2, "", 40);
	struct session first = sessions_of(n).list[1];
	assert_string_equal(first.reason, "moved");
	assert_int_equal(first.rx_bytes, 190);
	assert_string_equal(first.endpoint, "192.0.2.1:2000");
	/* the same word again begins nothing */
	report(n, 5, "198.51.100.1:2000", 240);
	expect(n, 2, "", 40);
}

static void another_boot_and_another_protocol_are_other_sessions(void **state)
{
	struct network *n = *state;
	report(n, 20, "192.0.2.1:1000", 100);
	n->boot.bytes[0] = 2;
	report(n, 10, "192.0.2.1:1000", 7);
	expect(n, 2, "", 7);
	assert_string_equal(sessions_of(n).list[1].reason, "hub_restarted");
	(void)snprintf(n->told.protocol, sizeof(n->told.protocol), "openvpn");
	report(n, 5, "192.0.2.1:1194", 10);
	expect(n, 3, "", 3);
	assert_string_equal(sessions_of(n).list[1].reason, "other_protocol");
	assert_string_equal(sessions_of(n).list[0].protocol, "openvpn");
	n->told.protocol[0] = '\0'; /* its client said good-bye */
	report(n, 4, "192.0.2.1:1194", 15);
	expect(n, 3, "closed", 8);
	report(n, 4, "192.0.2.1:1194", 16);
	expect(n, 3, "closed", 8);
}

static void whoever_is_cut_is_gone(void **state)
{
	struct network *n = *state;
	report(n, 20, "192.0.2.1:1000", 100);
	fixture_write(&n->f);
	assert_int_equal(peer_set_suspended(n->f.store, &n->p, true), 0);
	fixture_commit(&n->f);
	expect(n, 1, "suspended", 100);
	report(n, 1, "192.0.2.1:1000", 110); /* the hub's last word of before */
	expect(n, 1, "suspended", 100);
	fixture_write(&n->f);
	assert_int_equal(peer_set_suspended(n->f.store, &n->p, false), 0);
	fixture_commit(&n->f);
	report(n, 0, "192.0.2.1:1000", 5); /* counts from zero, in the same boot */
	expect(n, 2, "", 5);
	fixture_write(&n->f);
	assert_int_equal(peer_del(n->f.store, &n->i, &n->p), 0);
	fixture_commit(&n->f);
	assert_int_equal(fixture_number(&n->f, "SELECT count(*) FROM session"), 0);
}

static int expire(struct network *n)
{
	fixture_write(&n->f);
	int hubs = hubs_expire(n->f.store), count = sessions_expire(n->f.store);
	fixture_commit(&n->f);
	assert_true(hubs >= 0);
	return count;
}

static void silence_is_the_peers_only_while_the_hub_speaks(void **state)
{
	struct network *n = *state;
	const struct hub_report r = {.boot_id = n->boot, .version = "1", .counters = json_object()};
	fixture_write(&n->f);
	assert_int_equal(hub_set_report(n->f.store, &n->hub, &r), 0);
	fixture_commit(&n->f);
	report(n, 170, "192.0.2.1:1000", 100);
	expect(n, 1, "", 100);
	fixture_run_sql(&n->f, "UPDATE hub SET back_at = back_at - 100");
	assert_int_equal(expire(n), 0);
	fixture_run_sql(&n->f,
		"UPDATE peer_status SET last_seen_at = last_seen_at - 20;"
		"UPDATE session SET since = since - 100");
	/* the hub is silent, so nobody knows */
	fixture_run_sql(&n->f, "UPDATE hub SET last_report_at = last_report_at - 40");
	assert_int_equal(expire(n), 0);
	/* it is back, and has not told of all yet */
	fixture_write(&n->f);
	assert_int_equal(hub_set_report(n->f.store, &n->hub, &r), 0);
	fixture_commit(&n->f);
	assert_int_equal(expire(n), 0);
	expect(n, 1, "", 100);
	fixture_run_sql(&n->f, "UPDATE hub SET back_at = back_at - 61");
	assert_int_equal(expire(n), 1);
	expect(n, 1, "silent", 100);
	struct session s = sessions_of(n).list[0];
	assert_in_range(time(NULL) - s.until, 189, 199); /* when it was heard last */
	json_decref((json_t *)r.counters);
}

static void their_number_and_age_are_bounded(void **state)
{
	struct network *n = *state;
	report(n, 20, "192.0.2.1:1000", 100);
	fixture_run_sql(&n->f,
		"UPDATE session SET until = since; WITH RECURSIVE k(n) AS (SELECT 1 UNION ALL"
		" SELECT n + 1 FROM k WHERE n < 300) INSERT INTO session (peer_id, instance_id, since,"
		" until, endpoint, protocol, rx_from, tx_from) SELECT peer_id, instance_id, since, until,"
		" endpoint, protocol, 0, 0 FROM session, k");
	report(n, 10, "192.0.2.1:1000", 100);
	assert_int_equal(
		fixture_number(&n->f, "SELECT count(*) FROM session"), SESSIONS_OF_PEER_MAX);
	fixture_run_sql(&n->f,
		"UPDATE session SET until = until - 91 * 86400 WHERE until != 0 AND seq % 2");
	fixture_write(&n->f);
	assert_int_equal(sessions_prune(n->f.store), 0);
	fixture_commit(&n->f);
	int64_t left = fixture_number(&n->f, "SELECT count(*) FROM session");
	assert_in_range(left, SESSIONS_OF_PEER_MAX / 2, SESSIONS_OF_PEER_MAX / 2 + 1);
	assert_int_equal(fixture_number(&n->f, "SELECT count(*) FROM session WHERE until = 0"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_goes_on_until_it_moves, setup, teardown),
		cmocka_unit_test_setup_teardown(
			another_boot_and_another_protocol_are_other_sessions, setup, teardown),
		cmocka_unit_test_setup_teardown(whoever_is_cut_is_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(
			silence_is_the_peers_only_while_the_hub_speaks, setup, teardown),
		cmocka_unit_test_setup_teardown(their_number_and_age_are_bounded, setup, teardown),
	};
	return cmocka_run_group_tests_name("store/session", tests, NULL, NULL);
}
