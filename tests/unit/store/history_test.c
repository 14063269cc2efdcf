// SPDX-License-Identifier: Apache-2.0
/* Bandwidth by hour and day, as hubs' reports make it. */
#include "control/store/bandwidth.h"
#include "control/store/report.h"
#include "tests/unit/store/fixture.h"

#include <errno.h>
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
	struct peer a, b;
};

static const struct uuid boots[2] = {{.bytes = {1}}, {.bytes = {2}}};

static int setup(void **state)
{
	struct network *n = calloc(1, sizeof(*n));
	assert_non_null(n);
	fixture_init(&n->f);
	fixture_write(&n->f);
	fixture_hub(&n->f, "hub1", &n->hub);
	fixture_ready_instance(&n->f, "acme", &n->i);
	assert_int_equal(fixture_add_peer(&n->f, &n->i, "a", NULL, &n->a), 0);
	assert_int_equal(fixture_add_peer(&n->f, &n->i, "b", NULL, &n->b), 0);
	fixture_commit(&n->f);
	*state = n;
	return 0;
}

static int teardown(void **state)
{
	struct network *n = *state;
	peer_fini(&n->a);
	peer_fini(&n->b);
	instance_fini(&n->i);
	hub_fini(&n->hub);
	fixture_fini(&n->f);
	free(n);
	return 0;
}

/* Packets are a tenth of the bytes, and what is sent is twice what is received. */
static struct peer_status status_of(uint64_t bytes)
{
	return (struct peer_status){.endpoint = "203.0.113.5:4000",
		.last_seen_at = time(NULL),
		.rx_bytes = bytes,
		.tx_bytes = 2 * bytes,
		.rx_packets = bytes / 10,
		.tx_packets = bytes / 5};
}

static void report(struct network *n, const struct uuid *boot, const struct peer *p, uint64_t bytes)
{
	struct peer_report *r;
	const struct peer_status s = status_of(bytes);
	fixture_write(&n->f);
	assert_int_equal(peer_report_begin(n->f.store, &n->hub, boot, &r), 0);
	assert_int_equal(peer_report_end(r, peer_report_take(r, &p->id, &s)), 0);
	fixture_commit(&n->f);
}

struct sum {
	uint64_t bytes;
	size_t rows;
};

static int add_row(void *ctx, int64_t at, const struct traffic *t)
{
	struct sum *sum = ctx;
	assert_int_equal(t->tx_bytes, 2 * t->rx_bytes);
	assert_int_equal(t->rx_packets, t->rx_bytes / 10);
	assert_int_equal(t->tx_packets, t->rx_bytes / 5);
	sum->bytes += t->rx_bytes;
	sum->rows++;
	return 0;
}

static struct sum sum_of(struct network *n, const struct uuid *id, enum bandwidth_span span)
{
	static const int64_t always[2] = {0, INT64_MAX};
	struct sum sum = {0};
	fixture_read(&n->f);
	assert_int_equal(bandwidth_list(n->f.store, id, span, always, add_row, &sum), 0);
	fixture_rollback(&n->f);
	return sum;
}

static void expect(struct network *n, const struct uuid *id, uint64_t bytes)
{
	assert_int_equal(sum_of(n, id, BANDWIDTH_HOUR).bytes, bytes);
	assert_int_equal(sum_of(n, id, BANDWIDTH_DAY).bytes, bytes);
}

static void traffic_adds_up_over_boots_and_resets(void **state)
{
	struct network *n = *state;
	report(n, &boots[0], &n->a, 1000);
	report(n, &boots[0], &n->a, 1000); /* the same again counts once */
	expect(n, &n->a.id, 1000);
	report(n, &boots[0], &n->b, 500);
	report(n, &boots[0], &n->a, 1500);
	report(n, &boots[1], &n->a, 100); /* another boot counts from zero */
	report(n, &boots[1], &n->a, 40); /* and so does a peer that was away */
	report(n, &boots[1], &n->a, 90);
	expect(n, &n->a.id, 1690);
	expect(n, &n->b.id, 500);
	expect(n, &n->i.id, 2190);
	fixture_close(&n->f);
	fixture_open(&n->f);
	report(n, &boots[1], &n->a, 100);
	expect(n, &n->a.id, 1700);
}

/* Several peers in one report: their instance is written once. */
static void a_report_is_one_batch(void **state)
{
	struct network *n = *state;
	struct peer_report *r;
	const struct peer_status a = status_of(70), b = status_of(30);
	const struct uuid stranger = {.bytes = {9}};
	fixture_write(&n->f);
	assert_int_equal(peer_report_begin(n->f.store, &n->hub, &boots[0], &r), 0);
	assert_int_equal(peer_report_take(r, &n->a.id, &a), 0);
	assert_int_equal(peer_report_take(r, &stranger, &a), 0);
	assert_int_equal(peer_report_take(r, &n->b.id, &b), 0);
	assert_int_equal(peer_report_end(r, 0), 0);
	fixture_commit(&n->f);
	expect(n, &n->i.id, 100);
	assert_int_equal(fixture_number(&n->f, "SELECT count(*) FROM bandwidth"), 6);
	/* one that fails writes nothing more */
	fixture_write(&n->f);
	assert_int_equal(peer_report_begin(n->f.store, &n->hub, &boots[0], &r), 0);
	assert_int_equal(peer_report_end(r, -EIO), -EIO);
	assert_int_equal(peer_report_end(NULL, -ENOMEM), -ENOMEM);
	fixture_rollback(&n->f);
}

static void nothing_new_is_not_written(void **state)
{
	struct network *n = *state;
	struct peer_report *r;
	const struct peer_status s = status_of(70);
	fixture_write(&n->f);
	assert_int_equal(peer_report_begin(n->f.store, &n->hub, &boots[0], &r), 0);
	assert_int_equal(peer_report_end(r, peer_report_take(r, &n->a.id, &s)), 0);
	fixture_commit(&n->f);
	fixture_run_sql(&n->f,
		"CREATE TRIGGER refused BEFORE INSERT ON peer_status BEGIN SELECT RAISE(ABORT, 'written'); END");
	fixture_write(&n->f);
	assert_int_equal(peer_report_begin(n->f.store, &n->hub, &boots[0], &r), 0);
	assert_int_equal(peer_report_end(r, peer_report_take(r, &n->a.id, &s)), 0);
	fixture_commit(&n->f);
}

static void what_is_old_goes(void **state)
{
	struct network *n = *state;
	report(n, &boots[0], &n->a, 10);
	fixture_run_sql(&n->f,
		"INSERT INTO bandwidth SELECT object_id, span, at - 8 * 86400, 1000, 2000, 100, 200 FROM"
		" bandwidth; INSERT INTO bandwidth SELECT object_id, span, at - 400 * 86400, 1000, 2000,"
		" 100, 200 FROM bandwidth WHERE span = 1");
	/* hours of 8 days ago are not shown any more, days are */
	assert_int_equal(sum_of(n, &n->a.id, BANDWIDTH_HOUR).rows, 1);
	assert_int_equal(sum_of(n, &n->a.id, BANDWIDTH_DAY).rows, 2);
	assert_int_equal(fixture_number(&n->f, "SELECT count(*) FROM bandwidth"), 12);
	for (int round = 0; round < 2; round++) {
		fixture_write(&n->f);
		assert_int_equal(bandwidth_sweep(n->f.store), 0);
		fixture_commit(&n->f);
		assert_int_equal(
			fixture_number(&n->f, "SELECT count(*) FROM bandwidth WHERE span = 0"), 2);
		assert_int_equal(
			fixture_number(&n->f, "SELECT count(*) FROM bandwidth WHERE span = 1"), 4);
	}
}

static void it_goes_with_its_object(void **state)
{
	struct network *n = *state;
	report(n, &boots[0], &n->a, 10);
	report(n, &boots[0], &n->b, 20);
	fixture_write(&n->f);
	assert_int_equal(peer_del(n->f.store, &n->i, &n->a), 0);
	fixture_commit(&n->f);
	expect(n, &n->a.id, 0);
	expect(n, &n->i.id, 30); /* what went through the instance stays so */
	fixture_write(&n->f);
	assert_int_equal(instance_remove(n->f.store, &n->i), 0);
	fixture_commit(&n->f);
	assert_int_equal(fixture_number(&n->f, "SELECT count(*) FROM bandwidth"), 0);
}

/* What README says a peer takes at most: 168 hours and 400 days in which it moved much. */
static void a_peer_takes_at_most(void **state)
{
	enum {
		PEERS = 200,
		BYTES_MOST = 48 << 10
	};
	struct network *n = *state;
	int64_t before = fixture_number(&n->f, "PRAGMA page_count");
	char sql[512];
	(void)snprintf(sql, sizeof(sql),
		"BEGIN; WITH RECURSIVE p(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM p WHERE n < %d),"
		" t(k) AS (SELECT 0 UNION ALL SELECT k + 1 FROM t WHERE k < 567)"
		" INSERT INTO bandwidth SELECT i.id, k >= 168, 1800000000 - 3600 * k, 1 << 36, 1 << 38,"
		" 1 << 26, 1 << 28 FROM (SELECT randomblob(16) AS id FROM p) i, t ORDER BY k; COMMIT",
		PEERS);
	fixture_run_sql(&n->f, sql);
	int64_t bytes = (fixture_number(&n->f, "PRAGMA page_count") - before)
		* fixture_number(&n->f, "PRAGMA page_size") / PEERS;
	print_message("a busy peer takes %lld bytes of history\n", (long long)bytes);
	assert_true(bytes < BYTES_MOST);
	assert_true(bytes > 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			traffic_adds_up_over_boots_and_resets, setup, teardown),
		cmocka_unit_test_setup_teardown(a_report_is_one_batch, setup, teardown),
		cmocka_unit_test_setup_teardown(nothing_new_is_not_written, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_old_goes, setup, teardown),
		cmocka_unit_test_setup_teardown(it_goes_with_its_object, setup, teardown),
		cmocka_unit_test_setup_teardown(a_peer_takes_at_most, setup, teardown),
	};
	return cmocka_run_group_tests_name("store/history", tests, NULL, NULL);
}
