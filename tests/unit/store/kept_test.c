// SPDX-License-Identifier: Apache-2.0
/* Kept answers, keys of the API, people and places. */
#include "control/store/api_key.h"
#include "control/store/idempotency.h"
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

static const uint8_t id[IDEMPOTENCY_ID_LEN] = {1, 2, 3, [31] = 4};

static void an_answer_is_kept(void **state)
{
	struct fixture *f = *state;
	char body[] = "{\"token\":\"nave_sk_secret\"}";
	const struct kept_answer a = {.fingerprint = {7},
		.status = 201,
		.location = "/v1/api-keys/1",
		.etag = "\"1\"",
		.content_type = "application/json",
		.body = body,
		.body_len = strlen(body)};
	struct kept_answer back;
	fixture_write(f);
	assert_int_equal(idempotency_find(f->store, id, &back), -ENOENT);
	assert_int_equal(idempotency_add(f->store, id, &a), 0);
	assert_int_equal(idempotency_add(f->store, id, &a), -EEXIST);
	fixture_commit(f);
	fixture_read(f);
	assert_int_equal(idempotency_find(f->store, id, &back), 0);
	fixture_rollback(f);
	assert_memory_equal(back.fingerprint, a.fingerprint, IDEMPOTENCY_ID_LEN);
	assert_int_equal(back.status, 201);
	assert_string_equal(back.location, a.location);
	assert_string_equal(back.etag, a.etag);
	assert_string_equal(back.content_type, a.content_type);
	assert_int_equal(back.body_len, a.body_len);
	assert_string_equal(back.body, body);
	free(back.body);
	assert_int_equal(fixture_number(f,
				 "SELECT instr(body_box, CAST('secret' AS BLOB)) FROM idempotency"),
		0);
}

static void an_empty_answer_is_kept(void **state)
{
	struct fixture *f = *state;
	const struct kept_answer a = {.status = 204};
	struct kept_answer back;
	fixture_write(f);
	assert_int_equal(idempotency_add(f->store, id, &a), 0);
	assert_int_equal(idempotency_find(f->store, id, &back), 0);
	assert_int_equal(back.status, 204);
	assert_int_equal(back.body_len, 0);
	free(back.body);
	fixture_commit(f);
}

static void answers_go_with_what_they_answered(void **state)
{
	struct fixture *f = *state;
	const struct kept_answer a = {.status = 204};
	struct kept_answer back;
	struct instance i;
	fixture_write(f);
	assert_int_equal(fixture_add_instance(f, "acme", &i), 0);
	assert_int_equal(idempotency_add(f->store, id, &a), 0);
	fixture_rollback(f);
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM instance"), 0);
	fixture_write(f);
	assert_int_equal(idempotency_find(f->store, id, &back), -ENOENT);
	assert_int_equal(idempotency_add(f->store, id, &a), 0);
	fixture_commit(f);
	fixture_run_sql(f, "UPDATE idempotency SET at = at - 2 * 86400 + 60");
	fixture_write(f);
	assert_int_equal(store_prune(f->store), 0);
	fixture_commit(f);
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM idempotency"), 1);
	fixture_run_sql(f, "UPDATE idempotency SET at = at - 60");
	fixture_write(f);
	assert_int_equal(store_prune(f->store), 0);
	fixture_commit(f);
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM idempotency"), 0);
	instance_fini(&i);
}

static void keys_are_found_until_they_expire(void **state)
{
	struct fixture *f = *state;
	struct model_errors errors = {0};
	struct api_key k = {.name = "ci", .role = API_KEY_OPERATOR, .labels = json_object()}, back;
	char token[API_KEY_TEXT], forged[API_KEY_TEXT];
	fixture_write(f);
	k.expires_at = store_now(f->store) + 3600;
	assert_int_equal(api_key_add(f->store, &k, token, &errors), 0);
	assert_int_equal(strlen(token), API_KEY_TEXT - 1);
	assert_int_equal(strncmp(token, "nave_sk_", 8), 0);
	assert_int_equal(api_key_find_token(f->store, token, &back), 0);
	assert_int_equal(back.role, API_KEY_OPERATOR);
	assert_true(uuid_equal(&back.id, &k.id));
	api_key_fini(&back);
	memcpy(forged, token, sizeof(token));
	forged[20] = forged[20] == 'A' ? 'B' : 'A';
	assert_int_equal(api_key_find_token(f->store, forged, &back), -ENOENT);
	assert_int_equal(api_key_find_token(f->store, "", &back), -ENOENT);
	fixture_commit(f);
	assert_int_equal(fixture_number(f, "SELECT last_used_at > 0 FROM api_key"), 1);
	fixture_run_sql(f, "UPDATE api_key SET expires_at = 1000");
	fixture_read(f);
	assert_int_equal(api_key_find_token(f->store, token, &back), -ENOENT);
	fixture_rollback(f);
	api_key_fini(&k);
}

static const char *key_refusal(struct fixture *f, struct api_key *k)
{
	static struct model_errors errors;
	char token[API_KEY_TEXT];
	memset(&errors, 0, sizeof(errors));
	k->labels = json_object();
	int rc = api_key_add(f->store, k, token, &errors);
	assert_true(rc == 0 || rc == -EINVAL);
	api_key_fini(k);
	return errors.count > 0 ? errors.list[0].pointer : "";
}

static void keys_are_refused_at_the_field(void **state)
{
	struct fixture *f = *state;
	struct instance i;
	fixture_write(f);
	assert_int_equal(fixture_add_instance(f, "acme", &i), 0);
	struct api_key good = {.name = "ci", .role = API_KEY_VIEWER, .instance_id = i.id};
	assert_string_equal(key_refusal(f, &good), "");
	struct api_key twin = {.name = "ci"};
	assert_string_equal(key_refusal(f, &twin), "/name");
	struct api_key past = {.name = "b", .expires_at = 1000};
	assert_string_equal(key_refusal(f, &past), "/expires_at");
	struct api_key owner = {.name = "c", .role = API_KEY_OWNER, .instance_id = i.id};
	assert_string_equal(key_refusal(f, &owner), "/instance_id");
	struct api_key nowhere = {.name = "d", .instance_id = {.bytes = {1}}};
	assert_string_equal(key_refusal(f, &nowhere), "/instance_id");
	/* It goes with its instance. */
	assert_int_equal(instance_del(f->store, &i), 0);
	fixture_commit(f);
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM api_key"), 0);
	instance_fini(&i);
}

static const char *party_refusal(
	struct fixture *f, enum party_kind kind, const char *name, const char *email)
{
	static struct model_errors errors;
	struct party p = {.labels = json_object()};
	memset(&errors, 0, sizeof(errors));
	(void)snprintf(p.name, sizeof(p.name), "%s", name);
	(void)snprintf(p.email, sizeof(p.email), "%s", email);
	int rc = party_add(f->store, kind, &p, &errors);
	assert_true(rc == 0 || rc == -EINVAL);
	party_fini(&p);
	return errors.count > 0 ? errors.list[0].pointer : "";
}

static void parties_are_refused_at_the_field(void **state)
{
	struct fixture *f = *state;
	fixture_write(f);
	assert_string_equal(party_refusal(f, PARTY_USER, "Alice", "alice@example.net"), "");
	assert_string_equal(party_refusal(f, PARTY_USER, "Alice", ""), "/name");
	assert_string_equal(party_refusal(f, PARTY_SITE, "Alice", ""), ""); /* apart */
	assert_string_equal(party_refusal(f, PARTY_USER, "B", "alice"), "/email");
	assert_string_equal(party_refusal(f, PARTY_USER, "B", "@example.net"), "/email");
	assert_string_equal(party_refusal(f, PARTY_USER, "B", "a@b@c"), "/email");
	assert_string_equal(party_refusal(f, PARTY_USER, "B", "a@b\nBcc: x"), "/email");
	assert_string_equal(party_refusal(f, PARTY_USER, "", ""), "/name");
	fixture_commit(f);
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM user"), 1);
}

static int count_row(void *ctx, const struct party *p)
{
	int *count = ctx;
	(*count)++;
	return p->name[0] == 'C';
}

static int count_parties(struct fixture *f, const struct party_filter *filter)
{
	int count = 0;
	assert_int_equal(party_list(f->store, PARTY_USER, filter, count_row, &count), 0);
	return count;
}

static void lists_are_filtered(void **state)
{
	struct fixture *f = *state;
	struct model_errors errors = {0};
	static const char *const names[] = {"Alice", "Bob", "C' OR 1=1 --"};
	fixture_write(f);
	for (int n = 0; n < 3; n++) {
		struct party p = {.labels = json_pack("{s:s}", "team", n == 0 ? "ops" : "dev")};
		(void)snprintf(p.name, sizeof(p.name), "%s", names[n]);
		assert_int_equal(party_add(f->store, PARTY_USER, &p, &errors), 0);
		party_fini(&p);
	}
	assert_int_equal(count_parties(f, &(struct party_filter){.name = "Bob"}), 1);
	assert_int_equal(count_parties(f, &(struct party_filter){.name = "' OR 1=1 --"}), 0);
	assert_int_equal(
		count_parties(f, &(struct party_filter){.label_key = "team", .label_value = "ops"}),
		1);
	assert_int_equal(
		count_parties(f, &(struct party_filter){.label_key = "team", .label_value = "x"}),
		0);
	struct uuid last;
	memset(&last, 0xff, sizeof(last));
	assert_int_equal(count_parties(f, &(struct party_filter){.after = last}), 0);
	fixture_commit(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_answer_is_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(an_empty_answer_is_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(
			answers_go_with_what_they_answered, setup, teardown),
		cmocka_unit_test_setup_teardown(keys_are_found_until_they_expire, setup, teardown),
		cmocka_unit_test_setup_teardown(keys_are_refused_at_the_field, setup, teardown),
		cmocka_unit_test_setup_teardown(parties_are_refused_at_the_field, setup, teardown),
		cmocka_unit_test_setup_teardown(lists_are_filtered, setup, teardown),
	};
	return cmocka_run_group_tests_name("store/kept", tests, NULL, NULL);
}
