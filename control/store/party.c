// SPDX-License-Identifier: Apache-2.0
#include "control/store/party.h"

#include "control/store/internal.h"
#include "control/store/peer.h"
#include "control/store/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *table_of(enum party_kind kind)
{
	return kind == PARTY_USER ? "user" : "site";
}

void party_fini(struct party *p)
{
	json_decref(p->labels);
	p->labels = NULL;
}

/* Columns of both tables in one order; a site is never suspended. */
static void select_sql(enum party_kind kind, const char *where, char ret[512])
{
	(void)snprintf(ret, 512,
		"SELECT id, name, %s, labels, created_at, version FROM %s WHERE %s",
		kind == PARTY_USER ? "email, is_suspended" : "'', 0", table_of(kind), where);
}

static void read_row(sqlite3_stmt *stmt, struct party *ret)
{
	sql_uuid(stmt, 0, &ret->id);
	sql_text(stmt, 1, ret->name, sizeof(ret->name));
	sql_text(stmt, 2, ret->email, sizeof(ret->email));
	ret->is_suspended = sqlite3_column_int(stmt, 3) != 0;
	ret->labels = sql_json(stmt, 4, "{}");
	ret->created_at = sqlite3_column_int64(stmt, 5);
	ret->version = (uint64_t)sqlite3_column_int64(stmt, 6);
}

int party_find(struct store *store, enum party_kind kind, const struct uuid *id, struct party *ret)
{
	char sql[512];
	sqlite3_stmt *stmt;
	select_sql(kind, "id = ?", sql);
	int rc = sql_prepare(store, &stmt, sql, "u", id);
	if (rc < 0)
		return rc;
	rc = sql_first(store, stmt);
	if (rc == 0)
		read_row(stmt, ret);
	sql_done(stmt);
	return rc;
}

int party_list(struct store *store, enum party_kind kind, const struct party_filter *f,
	int (*row)(void *ctx, const struct party *p), void *ctx)
{
	char sql[512];
	sqlite3_stmt *stmt;
	select_sql(kind,
		"(?1 IS NULL OR id > ?1) AND (?2 IS NULL OR name = ?2) AND (?3 IS NULL OR EXISTS"
		" (SELECT 1 FROM json_each(labels) e WHERE e.key = ?3 AND e.value = ?4)) ORDER BY id",
		sql);
	int rc = sql_prepare(
		store, &stmt, sql, "uttt", &f->after, f->name, f->label_key, f->label_value);
	if (rc < 0)
		return rc;
	while ((rc = sql_step(store, stmt)) > 0) {
		struct party p;
		read_row(stmt, &p);
		rc = row(ctx, &p);
		party_fini(&p);
		if (rc != 0)
			break;
	}
	sql_done(stmt);
	return rc < 0 ? rc : 0;
}

/* Nothing is sent from here: only what can be no address is refused. */
static bool email_is_plausible(const char *email)
{
	const char *at = strchr(email, '@');
	for (const char *c = email; *c != '\0'; c++)
		if ((unsigned char)*c <= 0x20 || *c == 0x7f || *c == '<' || *c == '>' || *c == ',')
			return false;
	return at != NULL && at != email && at[1] != '\0' && strchr(at + 1, '@') == NULL;
}

static int check_party(struct store *store, enum party_kind kind, const struct party *p,
	struct model_errors *errors)
{
	char sql[128];
	int64_t found = 0;
	name_check(p->name, "/name", errors);
	labels_check(p->labels, errors);
	if (p->email[0] != '\0' && !email_is_plausible(p->email))
		model_error_add(errors, "/email", "is not an address like alice@example.net");
	(void)snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s WHERE name = ? AND id IS NOT ?",
		table_of(kind));
	int rc = sql_number(store, &found, sql, "tu", p->name, &p->id);
	if (rc < 0)
		return rc;
	if (found > 0)
		model_conflict_add(errors, "/name", "another %s has this name", table_of(kind));
	return errors->count > 0 ? -EINVAL : 0;
}

/* Name and labels of either kind, and what only a user has. */
static int write_fields(struct store *store, enum party_kind kind, const struct party *p)
{
	char sql[160];
	char *labels = json_dumps(p->labels, JSON_COMPACT);
	if (labels == NULL)
		return -ENOMEM;
	(void)snprintf(sql, sizeof(sql), "UPDATE %s SET name = ?, labels = ? WHERE id = ?",
		table_of(kind));
	int rc = sql_run(store, sql, "ttu", p->name, labels, &p->id);
	free(labels);
	if (rc == 0 && kind == PARTY_USER)
		rc = sql_run(store, "UPDATE user SET email = ? WHERE id = ?", "tu",
			p->email[0] != '\0' ? p->email : NULL, &p->id);
	return rc;
}

int party_add(
	struct store *store, enum party_kind kind, struct party *p, struct model_errors *errors)
{
	char sql[160];
	int rc = check_party(store, kind, p, errors);
	if (rc == 0)
		rc = uuid_generate(&p->id);
	if (rc < 0)
		return rc;
	p->created_at = store->now;
	p->version = 1;
	(void)snprintf(sql, sizeof(sql),
		"INSERT INTO %s (id, workspace_id, name, labels, created_at) VALUES (?, ?, ?, '{}', ?)",
		table_of(kind));
	rc = sql_run(store, sql, "uuti", &p->id, &store->workspace, p->name, store->now);
	if (rc == 0)
		rc = write_fields(store, kind, p);
	return rc == 0 ? audit_add(store, "create", table_of(kind), &p->id, p->name) : rc;
}

int party_set(
	struct store *store, enum party_kind kind, struct party *p, struct model_errors *errors)
{
	char sql[96];
	int rc = check_party(store, kind, p, errors);
	if (rc < 0)
		return rc;
	(void)snprintf(sql, sizeof(sql), "UPDATE %s SET version = version + 1 WHERE id = ?",
		table_of(kind));
	rc = write_fields(store, kind, p);
	if (rc == 0)
		rc = sql_run(store, sql, "u", &p->id);
	p->version++;
	return rc == 0 ? audit_add(store, "update", table_of(kind), &p->id, p->name) : rc;
}

int user_set_suspended(struct store *store, struct party *user, bool is_suspended)
{
	if (user->is_suspended == is_suspended)
		return 0;
	int rc = sql_run(store,
		"UPDATE user SET is_suspended = ?, version = version + 1 WHERE id = ?", "iu",
		(int64_t)is_suspended, &user->id);
	user->is_suspended = is_suspended;
	user->version++;
	if (rc == 0)
		rc = peers_resend_of_user(store, &user->id);
	if (rc == 0 && is_suspended)
		rc = sessions_end_of_user(store, &user->id, "user_suspended");
	return rc == 0 ? audit_add(
		       store, is_suspended ? "suspend" : "resume", "user", &user->id, user->name)
		       : rc;
}

int party_del(struct store *store, enum party_kind kind, const struct party *p)
{
	int rc = kind == PARTY_USER
		? peers_del_of_user(store, &p->id)
		: sql_run(store,
			"UPDATE peer SET site_id = NULL, version = version + 1 WHERE site_id = ?",
			"u", &p->id);
	if (rc == 0)
		rc = sql_run(store,
			kind == PARTY_USER ? "DELETE FROM user WHERE id = ?"
					   : "DELETE FROM site WHERE id = ?",
			"u", &p->id);
	return rc == 0 ? audit_add(store, "delete", table_of(kind), &p->id, p->name) : rc;
}
