// SPDX-License-Identifier: Apache-2.0
/* The log of events: in the transaction of what it tells, in order, bounded by age and number. */
#include "control/store/event.h"

#include "control/store/party.h"
#include "tests/unit/store/fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	assert_non_null(f);
	fixture_init(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	fixture_fini(*state);
	free(*state);
	return 0;
}

static void add_site(struct fixture *f, const char *name)
{
	struct party p = {.labels = json_object()};
	struct model_errors errors = {0};
	(void)snprintf(p.name, sizeof(p.name), "%s", name);
	assert_int_equal(party_add(f->store, PARTY_SITE, &p, &errors), 0);
	party_fini(&p);
}

static int64_t find_range(struct fixture *f, int64_t ret[2])
{
	fixture_read(f);
	assert_int_equal(event_range(f->store, ret), 0);
	fixture_rollback(f);
	return ret[1] - ret[0];
}

static void count_call(void *ctx)
{
	(*(int *)ctx)++;
}

static void they_stand_and_fall_with_what_they_tell(void **state)
{
	struct fixture *f = *state;
	int64_t before[2], now[2];
	int calls = 0;
	store_set_listener(f->store, count_call, &calls);
	(void)find_range(f, before);
	fixture_write(f);
	add_site(f, "one");
	fixture_rollback(f);
	assert_int_equal(find_range(f, now), before[1] - before[0]);
	assert_int_equal(calls, 0);
	fixture_write(f);
	add_site(f, "one");
	add_site(f, "two");
	assert_int_equal(calls, 0);
	fixture_commit(f);
	assert_int_equal(calls, 1);
	(void)find_range(f, now);
	assert_int_equal(now[1], before[1] + 2);
	fixture_write(f); /* nothing to tell */
	fixture_commit(f);
	assert_int_equal(calls, 1);
	store_set_listener(f->store, NULL, NULL);
}

static int note_first(void *ctx, const struct event *e)
{
	*(int64_t *)ctx = e->seq;
	return 1;
}

static int64_t first_after(struct fixture *f, int64_t after)
{
	const struct event_filter filter = {.after = after, .with_owners = true};
	int64_t seq = 0;
	fixture_read(f);
	assert_int_equal(event_list(f->store, &filter, note_first, &seq), 0);
	fixture_rollback(f);
	return seq;
}

static void prune(struct fixture *f)
{
	fixture_write(f);
	assert_int_equal(events_prune(f->store), 0);
	fixture_commit(f);
}

static void the_old_and_the_many_go(void **state)
{
	struct fixture *f = *state;
	struct event e;
	int64_t range[2], last;
	fixture_write(f);
	add_site(f, "old");
	fixture_commit(f);
	fixture_run_sql(f, "UPDATE event SET at = at - 31 * 86400");
	last = (find_range(f, range), range[1]);
	fixture_write(f);
	add_site(f, "young");
	fixture_commit(f);
	prune(f);
	(void)find_range(f, range);
	assert_int_equal(range[0], last);
	assert_int_equal(first_after(f, 0), last + 1);
	fixture_run_sql(f,
		"WITH RECURSIVE k(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM k WHERE n < 200005)"
		" INSERT INTO event (at, workspace_id, type, object_type, object_name, data)"
		" SELECT at, workspace_id, type, object_type, object_name, data FROM event, k");
	prune(f);
	assert_int_equal(find_range(f, range), EVENTS_MAX);
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM event"), EVENTS_MAX);
	/* all of them are gone: ids go on all the same */
	fixture_run_sql(f, "UPDATE event SET at = at - 31 * 86400");
	prune(f);
	last = range[1];
	assert_int_equal(find_range(f, range), 0);
	assert_int_equal(range[1], last);
	fixture_write(f);
	add_site(f, "next");
	fixture_commit(f);
	assert_int_equal(first_after(f, 0), last + 1);
	fixture_read(f);
	assert_int_equal(event_find(f->store, last + 1, &e), 0);
	assert_string_equal(e.type, "site.created");
	assert_string_equal(e.object_name, "next");
	event_fini(&e);
	assert_int_equal(event_find(f->store, last, &e), -ENOENT);
	fixture_rollback(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			they_stand_and_fall_with_what_they_tell, setup, teardown),
		cmocka_unit_test_setup_teardown(the_old_and_the_many_go, setup, teardown),
	};
	return cmocka_run_group_tests_name("store/event", tests, NULL, NULL);
}
