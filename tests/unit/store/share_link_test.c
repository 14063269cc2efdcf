// SPDX-License-Identifier: Apache-2.0
/* Share links: found by their token alone, revealed once, by one browser, for ten minutes. */
#include "control/store/share_link.h"

#include "tests/unit/store/fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct world {
	struct fixture f;
	struct instance i;
	struct peer p;
	struct share_link l;
	char token[SHARE_LINK_TOKEN_TEXT];
};

static int add_link(struct world *w, int64_t life, struct model_errors *errors)
{
	w->l = (struct share_link){.expires_at = store_now(w->f.store) + life};
	return share_link_add(w->f.store, &w->p, &w->l, "/expires_in", w->token, errors);
}

static int setup(void **state)
{
	static struct world w;
	struct model_errors errors = {0};
	struct hub hub;
	fixture_init(&w.f);
	fixture_write(&w.f);
	fixture_hub(&w.f, "hub1", &hub);
	hub_fini(&hub);
	fixture_ready_instance(&w.f, "acme", &w.i);
	assert_int_equal(fixture_add_peer(&w.f, &w.i, "laptop", NULL, &w.p), 0);
	assert_int_equal(add_link(&w, SHARE_LINK_LIFE_S, &errors), 0);
	fixture_commit(&w.f);
	*state = &w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	peer_fini(&w->p);
	instance_fini(&w->i);
	fixture_fini(&w->f);
	return 0;
}

static int find(struct world *w, const char *visitor)
{
	struct share_link back;
	fixture_read(&w->f);
	int rc = share_link_find_token(w->f.store, w->token, visitor, &back);
	fixture_rollback(&w->f);
	if (rc == 0)
		assert_true(uuid_equal(&back.id, &w->l.id));
	return rc;
}

static int64_t audited(struct world *w, const char *action)
{
	char sql[160];
	(void)snprintf(sql, sizeof(sql),
		"SELECT count(*) FROM audit WHERE object_type = 'share_link' AND action = '%s'"
		" AND object_name = 'laptop'",
		action);
	return fixture_number(&w->f, sql);
}

static void only_its_token_finds_it(void **state)
{
	struct world *w = *state;
	char token[SHARE_LINK_TOKEN_TEXT];
	assert_int_equal(strlen(w->token), SHARE_LINK_TOKEN_TEXT - 1);
	assert_int_equal(find(w, ""), 0);
	assert_int_equal(find(w, "somebody"), 0);
	memcpy(token, w->token, sizeof(token));
	for (size_t i = 0; i < sizeof(token) - 1; i++) {
		w->token[i] = w->token[i] == 'A' ? 'B' : 'A';
		assert_int_equal(find(w, ""), -ENOENT);
		w->token[i] = token[i];
	}
	w->token[10] = '\0';
	assert_int_equal(find(w, ""), -ENOENT);
	w->token[0] = '\0';
	assert_int_equal(find(w, ""), -ENOENT);
	assert_int_equal(fixture_number(&w->f, "SELECT length(hash) FROM share_link"), 32);
	assert_int_equal(audited(w, "create"), 1);
}

static void it_is_revealed_once(void **state)
{
	struct world *w = *state;
	char visitor[SHARE_LINK_TOKEN_TEXT], again[SHARE_LINK_TOKEN_TEXT];
	fixture_write(&w->f);
	assert_int_equal(share_link_open(w->f.store, &w->p, &w->l), 0);
	assert_int_equal(share_link_open(w->f.store, &w->p, &w->l), 0);
	assert_int_equal(share_link_reveal(w->f.store, &w->p, &w->l, visitor), 0);
	assert_int_equal(share_link_reveal(w->f.store, &w->p, &w->l, again), -ENOENT);
	fixture_commit(&w->f);
	assert_int_equal(w->l.version, 3);
	assert_int_equal(find(w, visitor), 0);
	assert_int_equal(find(w, ""), -ENOENT);
	assert_int_equal(find(w, w->token), -ENOENT);
	assert_int_equal(audited(w, "open"), 1);
	assert_int_equal(audited(w, "reveal"), 1);
	fixture_run_sql(&w->f, "UPDATE share_link SET revealed_at = revealed_at - 590");
	assert_int_equal(find(w, visitor), 0);
	/* its end does not cut the ten minutes short */
	fixture_run_sql(&w->f, "UPDATE share_link SET expires_at = 1000");
	assert_int_equal(find(w, visitor), 0);
	fixture_run_sql(&w->f, "UPDATE share_link SET revealed_at = revealed_at - 10");
	assert_int_equal(find(w, visitor), -ENOENT);
}

static void it_ends(void **state)
{
	struct world *w = *state;
	fixture_run_sql(&w->f, "UPDATE share_link SET expires_at = unixepoch()");
	assert_int_equal(find(w, ""), -ENOENT);
	fixture_run_sql(&w->f, "UPDATE share_link SET expires_at = unixepoch() + 60");
	assert_int_equal(find(w, ""), 0);
	fixture_write(&w->f);
	assert_int_equal(share_link_del(w->f.store, &w->p, &w->l), 0);
	fixture_commit(&w->f);
	assert_int_equal(find(w, ""), -ENOENT);
	assert_int_equal(audited(w, "revoke"), 1);
}

static void it_goes_with_its_peer(void **state)
{
	struct world *w = *state;
	fixture_write(&w->f);
	assert_int_equal(peer_del(w->f.store, &w->i, &w->p), 0);
	fixture_commit(&w->f);
	assert_int_equal(find(w, ""), -ENOENT);
	assert_int_equal(fixture_number(&w->f, "SELECT count(*) FROM share_link"), 0);
}

static void its_life_is_bounded(void **state)
{
	struct world *w = *state;
	static const struct {
		int64_t life;
		int rc;
	} rows[] = {{SHARE_LINK_LIFE_MIN_S - 1, -EINVAL}, {SHARE_LINK_LIFE_MIN_S, 0},
		{SHARE_LINK_LIFE_MAX_S, 0}, {SHARE_LINK_LIFE_MAX_S + 1, -EINVAL}, {0, -EINVAL},
		{-1, -EINVAL}};
	fixture_write(&w->f);
	for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
		struct model_errors errors = {0};
		assert_int_equal(add_link(w, rows[n].life, &errors), rows[n].rc);
		if (rows[n].rc != 0)
			assert_string_equal(errors.list[0].pointer, "/expires_in");
		assert_false(errors.has_conflict);
	}
	fixture_commit(&w->f);
}

static void a_peer_has_a_few(void **state)
{
	struct world *w = *state;
	struct model_errors errors = {0};
	fixture_write(&w->f);
	for (int n = 1; n < SHARE_LINKS_OF_PEER_MAX; n++)
		assert_int_equal(add_link(w, 60, &errors), 0);
	assert_int_equal(add_link(w, 60, &errors), -EINVAL);
	assert_true(errors.has_conflict);
	fixture_commit(&w->f);
	/* a week after their end they are forgotten */
	fixture_run_sql(&w->f,
		"UPDATE share_link SET expires_at = unixepoch() - 7 * 86400 WHERE expires_at <"
		" unixepoch() + 3600");
	fixture_write(&w->f);
	assert_int_equal(store_prune(w->f.store), 0);
	fixture_commit(&w->f);
	assert_int_equal(fixture_number(&w->f, "SELECT count(*) FROM share_link"), 1);
}

static int forget(struct world *w)
{
	fixture_write(&w->f);
	int rc = share_links_forget_secrets(w->f.store);
	fixture_commit(&w->f);
	return rc;
}

static void secrets_go_with_the_last_link(void **state)
{
	struct world *w = *state;
	static const char kept[] = "SELECT private_key_box IS NOT NULL FROM peer";
	struct model_errors errors = {0};
	fixture_write(&w->f);
	assert_int_equal(add_link(w, 3600, &errors), 0);
	fixture_commit(&w->f);
	assert_int_equal(forget(w), 0);
	fixture_run_sql(&w->f,
		"UPDATE share_link SET expires_at = 1000 WHERE expires_at > unixepoch() + 7200");
	assert_int_equal(forget(w), 1);
	assert_int_equal(forget(w), 0);
	assert_int_equal(fixture_number(&w->f, kept), 1); /* the other one can still be used */
	fixture_run_sql(&w->f, "UPDATE share_link SET expires_at = 1000");
	assert_int_equal(forget(w), 1);
	assert_int_equal(fixture_number(&w->f, kept), 0);
	assert_int_equal(forget(w), 0);
}

static void an_open_reveal_is_not_cut(void **state)
{
	struct world *w = *state;
	char visitor[SHARE_LINK_TOKEN_TEXT];
	fixture_write(&w->f);
	assert_int_equal(share_link_reveal(w->f.store, &w->p, &w->l, visitor), 0);
	assert_int_equal(peer_reveal(w->f.store, &w->p, store_now(w->f.store) + REVEAL_S), 0);
	fixture_commit(&w->f);
	fixture_run_sql(&w->f, "UPDATE share_link SET expires_at = 1000");
	(void)forget(w);
	assert_int_equal(fixture_number(&w->f, "SELECT private_key_box IS NOT NULL FROM peer"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(only_its_token_finds_it, setup, teardown),
		cmocka_unit_test_setup_teardown(it_is_revealed_once, setup, teardown),
		cmocka_unit_test_setup_teardown(it_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(it_goes_with_its_peer, setup, teardown),
		cmocka_unit_test_setup_teardown(its_life_is_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(a_peer_has_a_few, setup, teardown),
		cmocka_unit_test_setup_teardown(secrets_go_with_the_last_link, setup, teardown),
		cmocka_unit_test_setup_teardown(an_open_reveal_is_not_cut, setup, teardown),
	};
	return cmocka_run_group_tests_name("store/share_link", tests, NULL, NULL);
}
