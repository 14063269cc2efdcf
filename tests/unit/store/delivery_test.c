// SPDX-License-Identifier: Apache-2.0
/* Deliveries to webhooks: made once of each event, claimed, tried again, given up, bounded. */
#include "control/store/party.h"
#include "control/store/webhook.h"
#include "tests/unit/store/fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct hooks {
	struct fixture f;
	struct webhook w;
	char secret[WEBHOOK_SECRET_TEXT];
};

static int setup(void **state)
{
	struct hooks *h = calloc(1, sizeof(*h));
	struct model_errors errors = {0};
	assert_non_null(h);
	fixture_init(&h->f);
	(void)snprintf(h->w.name, sizeof(h->w.name), "hook");
	(void)snprintf(h->w.url, sizeof(h->w.url), "https://example.net/");
	h->w.types = json_pack("[s]", "site.*");
	h->w.labels = json_object();
	h->w.is_enabled = true;
	fixture_write(&h->f);
	assert_int_equal(webhook_add(h->f.store, &h->w, h->secret, &errors), 0);
	fixture_commit(&h->f);
	*state = h;
	return 0;
}

static int teardown(void **state)
{
	struct hooks *h = *state;
	webhook_fini(&h->w);
	fixture_fini(&h->f);
	free(h);
	return 0;
}

static void add_party(struct hooks *h, enum party_kind kind, int number)
{
	struct party p = {.labels = json_object()};
	struct model_errors errors = {0};
	(void)snprintf(p.name, sizeof(p.name), "p%d", number);
	assert_int_equal(party_add(h->f.store, kind, &p, &errors), 0);
	party_fini(&p);
}

static void add_sites(struct hooks *h, int first, int count)
{
	fixture_write(&h->f);
	for (int n = 0; n < count; n++)
		add_party(h, PARTY_SITE, first + n);
	fixture_commit(&h->f);
}

static char *make_text(const struct event *e)
{
	char *text;
	assert_true(asprintf(&text, "{\"id\":%lld}", (long long)e->seq) > 0);
	return text;
}

static int make_all(struct hooks *h)
{
	int count, all = 0;
	do {
		fixture_write(&h->f);
		count = deliveries_make(h->f.store, make_text);
		fixture_commit(&h->f);
		assert_true(count >= 0);
		all += count;
	} while (count > 0);
	return all;
}

static int64_t count(struct hooks *h, const char *where)
{
	char sql[128];
	(void)snprintf(sql, sizeof(sql), "SELECT count(*) FROM delivery WHERE %s", where);
	return fixture_number(&h->f, sql);
}

static int claim(struct hooks *h, struct parcel *ret)
{
	fixture_write(&h->f);
	int rc = delivery_claim(h->f.store, ret);
	assert_int_equal(store_end(h->f.store, rc == 0), 0);
	return rc;
}

static void end(struct hooks *h, struct parcel *p, const char *failure, int64_t retry_s)
{
	fixture_write(&h->f);
	assert_int_equal(delivery_end(h->f.store, p->seq, failure, retry_s), 0);
	fixture_commit(&h->f);
	parcel_fini(p);
}

static void each_event_is_made_into_one(void **state)
{
	struct hooks *h = *state;
	add_sites(h, 0, 250); /* more than at once */
	fixture_write(&h->f);
	add_party(h, PARTY_USER, 1); /* nobody asked for it */
	fixture_commit(&h->f);
	(void)make_all(h);
	assert_int_equal(count(h, "type = 'site.created'"), 250);
	assert_int_equal(count(h, "1"), 250);
	fixture_read(&h->f);
	assert_int_equal(deliveries_are_due(h->f.store), 1);
	fixture_rollback(&h->f);
	/* one that was rolled back is made again, and the others are not */
	add_sites(h, 1000, 1);
	fixture_write(&h->f);
	assert_true(deliveries_make(h->f.store, make_text) > 0);
	fixture_rollback(&h->f);
	(void)make_all(h);
	(void)make_all(h);
	assert_int_equal(count(h, "1"), 251);
}

static void at_most_so_many_wait(void **state)
{
	struct hooks *h = *state;
	add_sites(h, 0, DELIVERIES_WAIT_MAX + 300);
	(void)make_all(h);
	int64_t waiting = count(h, "1");
	assert_in_range(waiting, DELIVERIES_WAIT_MAX, DELIVERIES_WAIT_MAX + 99);
	fixture_run_sql(&h->f, "DELETE FROM delivery");
	(void)make_all(h);
	assert_int_equal(count(h, "1"), DELIVERIES_WAIT_MAX + 300 - waiting);
}

static void two_at_once_and_retries_in_their_time(void **state)
{
	struct hooks *h = *state;
	struct parcel a, b, c;
	add_sites(h, 0, 3);
	(void)make_all(h);
	assert_int_equal(claim(h, &a), 0);
	assert_string_equal(a.secret, h->secret);
	assert_string_equal(a.url, "https://example.net/");
	assert_int_equal(claim(h, &b), 0);
	assert_int_equal(claim(h, &c), -ENOENT);
	end(h, &a, NULL, 0);
	assert_int_equal(count(h, "1"), 2);
	end(h, &b, "answered with 500", 60);
	assert_int_equal(claim(h, &c), 0);
	assert_int_equal(claim(h, &b), -ENOENT); /* in a minute */
	/* the daemon dies: what was on its way is due again, what waits goes on waiting */
	parcel_fini(&c);
	fixture_close(&h->f);
	fixture_open(&h->f);
	fixture_write(&h->f);
	assert_int_equal(deliveries_recall(h->f.store), 0);
	fixture_commit(&h->f);
	assert_int_equal(claim(h, &c), 0);
	assert_int_equal(fixture_number(&h->f, "SELECT max(attempts) FROM delivery"), 2);
	end(h, &c, "answered with 500", 0);
	assert_int_equal(count(h, "is_dead"), 1);
	assert_int_equal(claim(h, &c), -ENOENT);
	fixture_run_sql(&h->f, "UPDATE delivery SET next_at = next_at - 61");
	assert_int_equal(claim(h, &b), 0);
	end(h, &b, NULL, 0);
	assert_int_equal(count(h, "1"), 1);
}

static void the_dead_are_bounded(void **state)
{
	struct hooks *h = *state;
	struct parcel p;
	add_sites(h, 0, 1);
	(void)make_all(h);
	fixture_run_sql(&h->f,
		"WITH RECURSIVE k(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM k WHERE n < 1200)"
		" INSERT INTO delivery (id, webhook_id, event_seq, type, body, is_dead, next_at,"
		" created_at) SELECT randomblob(16), webhook_id, event_seq, type, body, 1, next_at,"
		" created_at FROM delivery, k");
	assert_int_equal(claim(h, &p), 0);
	end(h, &p, "no", 0);
	assert_in_range(count(h, "is_dead"), DELIVERIES_DEAD_MAX, DELIVERIES_DEAD_MAX + 1);
	fixture_run_sql(&h->f, "UPDATE delivery SET next_at = next_at - 31 * 86400");
	fixture_write(&h->f);
	assert_int_equal(deliveries_prune(h->f.store), 0);
	fixture_commit(&h->f);
	assert_int_equal(count(h, "1"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_event_is_made_into_one, setup, teardown),
		cmocka_unit_test_setup_teardown(at_most_so_many_wait, setup, teardown),
		cmocka_unit_test_setup_teardown(
			two_at_once_and_retries_in_their_time, setup, teardown),
		cmocka_unit_test_setup_teardown(the_dead_are_bounded, setup, teardown),
	};
	return cmocka_run_group_tests_name("store/delivery", tests, NULL, NULL);
}
