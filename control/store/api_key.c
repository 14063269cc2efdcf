// SPDX-License-Identifier: Apache-2.0
#include "control/store/api_key.h"

#include "control/store/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS "id, name, role, instance_id, expires_at, last_used_at, created_at, version, labels"

void api_key_fini(struct api_key *k)
{
	json_decref(k->labels);
	k->labels = NULL;
}

const char *api_key_role_text(enum api_key_role role)
{
	switch (role) {
	case API_KEY_VIEWER:
		return "viewer";
	case API_KEY_OPERATOR:
		return "operator";
	case API_KEY_OWNER:
		return "owner";
	}
	return "viewer";
}

static void read_row(sqlite3_stmt *stmt, struct api_key *ret)
{
	memset(ret, 0, sizeof(*ret));
	sql_uuid(stmt, 0, &ret->id);
	sql_text(stmt, 1, ret->name, sizeof(ret->name));
	int role = sqlite3_column_int(stmt, 2);
	ret->role = role == API_KEY_OWNER  ? API_KEY_OWNER
		: role == API_KEY_OPERATOR ? API_KEY_OPERATOR
					   : API_KEY_VIEWER;
	sql_uuid(stmt, 3, &ret->instance_id);
	ret->expires_at = sqlite3_column_int64(stmt, 4);
	ret->last_used_at = sqlite3_column_int64(stmt, 5);
	ret->created_at = sqlite3_column_int64(stmt, 6);
	ret->version = (uint64_t)sqlite3_column_int64(stmt, 7);
	ret->labels = sql_json(stmt, 8, "{}");
}

static int find_row(struct store *store, sqlite3_stmt *stmt, struct api_key *ret)
{
	int rc = sql_first(store, stmt);
	if (rc == 0)
		read_row(stmt, ret);
	sql_done(stmt);
	return rc;
}

int api_key_find_token(struct store *store, const char *token, struct api_key *ret)
{
	uint8_t hash[TOKEN_HASH_LEN];
	sqlite3_stmt *stmt;
	token_hash(store, token, hash);
	/* Looked up by its keyed hash: time tells nothing about the token. */
	int rc = sql_prepare(store, &stmt,
		"SELECT " COLUMNS
		" FROM api_key WHERE hash = ? AND (expires_at = 0 OR expires_at > ?)",
		"bi", hash, sizeof(hash), store->now);
	if (rc == 0)
		rc = find_row(store, stmt, ret);
	if (rc == 0 && store->mode == STORE_WRITE && ret->last_used_at + 60 <= store->now)
		rc = sql_run(store, "UPDATE api_key SET last_used_at = ? WHERE id = ?", "iu",
			store->now, &ret->id);
	return rc;
}

int api_key_find(struct store *store, const struct uuid *id, struct api_key *ret)
{
	sqlite3_stmt *stmt;
	int rc = sql_prepare(store, &stmt, "SELECT " COLUMNS " FROM api_key WHERE id = ?", "u", id);
	return rc == 0 ? find_row(store, stmt, ret) : rc;
}

int api_key_list(struct store *store, const struct api_key_filter *f,
	int (*row)(void *ctx, const struct api_key *k), void *ctx)
{
	sqlite3_stmt *stmt;
	int rc = sql_prepare(store, &stmt,
		"SELECT " COLUMNS " FROM api_key WHERE (?1 IS NULL OR id > ?1)"
		" AND (?2 IS NULL OR name = ?2) AND (?3 IS NULL OR EXISTS"
		" (SELECT 1 FROM json_each(labels) e WHERE e.key = ?3 AND e.value = ?4)) ORDER BY id",
		"uttt", &f->after, f->name, f->label_key, f->label_value);
	if (rc < 0)
		return rc;
	while ((rc = sql_step(store, stmt)) > 0) {
		struct api_key k;
		read_row(stmt, &k);
		rc = row(ctx, &k);
		api_key_fini(&k);
		if (rc != 0)
			break;
	}
	sql_done(stmt);
	return rc < 0 ? rc : 0;
}

static int check_key(struct store *store, const struct api_key *k, struct model_errors *errors)
{
	int64_t found = 0;
	name_check(k->name, "/name", errors);
	labels_check(k->labels, errors);
	if (k->expires_at != 0 && k->expires_at <= store->now)
		model_error_add(errors, "/expires_at", "is in the past");
	int rc = sql_number(
		store, &found, "SELECT count(*) FROM api_key WHERE name = ?", "t", k->name);
	if (rc == 0 && found > 0)
		model_conflict_add(errors, "/name", "another key has this name");
	if (rc == 0 && !uuid_is_zero(&k->instance_id)) {
		rc = sql_number(store, &found, "SELECT count(*) FROM instance WHERE id = ?", "u",
			&k->instance_id);
		if (rc == 0 && found == 0)
			model_error_add(errors, "/instance_id", "there is no such instance");
		if (k->role == API_KEY_OWNER)
			model_error_add(
				errors, "/instance_id", "an owner's key has the whole workspace");
	}
	return rc < 0 ? rc : errors->count > 0 ? -EINVAL : 0;
}

int api_key_add(struct store *store, struct api_key *k, char ret_token[API_KEY_TEXT],
	struct model_errors *errors)
{
	uint8_t hash[TOKEN_HASH_LEN];
	int rc = check_key(store, k, errors);
	if (rc == 0)
		rc = uuid_generate(&k->id);
	if (rc == 0)
		rc = token_make("nave_sk_", ret_token, API_KEY_TEXT);
	if (rc < 0)
		return rc;
	char *labels = json_dumps(k->labels, JSON_COMPACT);
	if (labels == NULL)
		return -ENOMEM;
	token_hash(store, ret_token, hash);
	k->created_at = store->now;
	k->version = 1;
	rc = sql_run(store,
		"INSERT INTO api_key (id, workspace_id, name, role, instance_id, hash, expires_at,"
		" labels, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
		"uutiubiti", &k->id, &store->workspace, k->name, (int64_t)k->role, &k->instance_id,
		hash, sizeof(hash), k->expires_at, labels, store->now);
	free(labels);
	return rc == 0 ? audit_add(store, "create", "api_key", &k->id, k->name) : rc;
}

int api_key_del(struct store *store, const struct api_key *k)
{
	int rc = sql_run(store, "DELETE FROM api_key WHERE id = ?", "u", &k->id);
	return rc == 0 ? audit_add(store, "delete", "api_key", &k->id, k->name) : rc;
}
