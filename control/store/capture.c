// SPDX-License-Identifier: Apache-2.0
#include "control/store/capture.h"

#include "control/store/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS                                                                          \
	"id, peer_id, side, seconds, max_bytes, state, reason, ifnull(length(file), 0)," \
	" created_at, ended_at"

static void read_row(sqlite3_stmt *stmt, struct capture *c)
{
	memset(c, 0, sizeof(*c));
	sql_uuid(stmt, 0, &c->id);
	sql_uuid(stmt, 1, &c->peer_id);
	c->side = sqlite3_column_int(stmt, 2) == CAPTURE_INNER ? CAPTURE_INNER : CAPTURE_OUTER;
	c->seconds = (uint32_t)sqlite3_column_int64(stmt, 3);
	c->max_bytes = (uint32_t)sqlite3_column_int64(stmt, 4);
	c->state = (enum capture_state)sqlite3_column_int(stmt, 5);
	sql_text(stmt, 6, c->reason, sizeof(c->reason));
	c->bytes = (uint64_t)sqlite3_column_int64(stmt, 7);
	c->created_at = sqlite3_column_int64(stmt, 8);
	c->ended_at = sqlite3_column_int64(stmt, 9);
}

static int check_room(struct store *store, const struct peer *p, struct model_errors *errors)
{
	int64_t count = 0;
	int rc = sql_number(
		store, &count, "SELECT count(*) FROM capture WHERE peer_id = ?", "u", &p->id);
	if (rc == 0 && count >= CAPTURES_OF_PEER_MAX)
		model_conflict_add(
			errors, "", "the peer has %d captures: delete one", CAPTURES_OF_PEER_MAX);
	return rc;
}

int capture_add(
	struct store *store, const struct peer *p, struct capture *c, struct model_errors *errors)
{
	struct uuid hub = {0};
	int64_t generation = 0;
	capture_check(c, errors);
	int rc = check_room(store, p, errors);
	if (rc == 0 && errors->count > 0)
		rc = -EINVAL;
	if (rc == 0)
		rc = hub_of_peer(store, &p->id, &hub);
	if (rc == 0)
		rc = hub_next_generation(store, &hub, &generation);
	if (rc == 0)
		rc = uuid_generate(&c->id);
	if (rc < 0)
		return rc;
	c->peer_id = p->id;
	c->created_at = store->now;
	rc = sql_run(store,
		"INSERT INTO capture (id, peer_id, side, seconds, max_bytes, state, generation, created_at)"
		" VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		"uuiiiiii", &c->id, &c->peer_id, (int64_t)c->side, (int64_t)c->seconds,
		(int64_t)c->max_bytes, (int64_t)CAPTURE_REQUESTED, generation, store->now);
	const struct event_about about = {"peer", &p->id, p->name, &p->instance_id};
	return rc == 0 ? audit_add_about(store, "capture", &about) : rc;
}

int capture_find(
	struct store *store, const struct uuid *peer_id, const struct uuid *id, struct capture *ret)
{
	sqlite3_stmt *stmt;
	int rc = sql_prepare(store, &stmt,
		"SELECT " COLUMNS " FROM capture WHERE peer_id = ? AND id = ?", "uu", peer_id, id);
	if (rc < 0)
		return rc;
	rc = sql_first(store, stmt);
	if (rc == 0)
		read_row(stmt, ret);
	sql_done(stmt);
	return rc;
}

int capture_list(struct store *store, const struct uuid *peer_id, const struct uuid *after,
	int (*row)(void *ctx, const struct capture *c), void *ctx)
{
	sqlite3_stmt *stmt;
	int rc = sql_prepare(store, &stmt,
		"SELECT " COLUMNS " FROM capture WHERE peer_id = ?1 AND (?2 IS NULL OR id > ?2)"
		" ORDER BY id",
		"uu", peer_id, after);
	if (rc < 0)
		return rc;
	while ((rc = sql_step(store, stmt)) > 0) {
		struct capture c;
		read_row(stmt, &c);
		rc = row(ctx, &c);
		if (rc != 0)
			break;
	}
	sql_done(stmt);
	return rc < 0 ? rc : 0;
}

int capture_file(struct store *store, const struct capture *c, void **ret)
{
	sqlite3_stmt *stmt;
	int rc = sql_prepare(store, &stmt, "SELECT file FROM capture WHERE id = ? AND state = ?",
		"ui", &c->id, (int64_t)CAPTURE_DONE);
	if (rc < 0)
		return rc;
	rc = sql_first(store, stmt);
	if (rc == 0) {
		size_t len = (size_t)sqlite3_column_bytes(stmt, 0);
		*ret = malloc(len + 1);
		if (*ret == NULL)
			rc = -ENOMEM;
		else if (len > 0) /* SQLite has no pointer to an empty one */
			memcpy(*ret, sqlite3_column_blob(stmt, 0), len);
	}
	sql_done(stmt);
	return rc;
}

int capture_del(struct store *store, const struct capture *c)
{
	return sql_run(store, "DELETE FROM capture WHERE id = ?", "u", &c->id);
}

int capture_end(struct store *store, const struct uuid *hub_id, const struct uuid *id,
	const void *file, size_t len, const char *reason)
{
	int64_t found = 0;
	int rc = sql_number(store, &found,
		"SELECT 1 FROM capture c JOIN peer p ON p.id = c.peer_id JOIN instance i"
		" ON i.id = p.instance_id WHERE c.id = ? AND c.state = ? AND i.hub_id = ?",
		"uiu", id, (int64_t)CAPTURE_REQUESTED, hub_id);
	if (rc < 0)
		return rc;
	enum capture_state state = file != NULL ? CAPTURE_DONE : CAPTURE_FAILED;
	return sql_run(store,
		"UPDATE capture SET state = ?, reason = ?, file = ?, ended_at = ? WHERE id = ?",
		"itbiu", (int64_t)state, reason, file, len, store->now, id);
}

int captures_expire(struct store *store)
{
	static const char late[] = "state = ? AND created_at + seconds <= ?";
	int64_t found = 0, expired = store->now - CAPTURE_GRACE_S;
	char sql[256];
	(void)snprintf(sql, sizeof(sql), "SELECT count(*) FROM capture WHERE %s", late);
	int rc = sql_number(store, &found, sql, "ii", (int64_t)CAPTURE_REQUESTED, expired);
	(void)snprintf(sql, sizeof(sql),
		"UPDATE capture SET state = %d, ended_at = %lld,"
		" reason = 'The hub has not sent it: is nave-node there up?' WHERE %s",
		CAPTURE_FAILED, (long long)store->now, late);
	if (rc == 0 && found > 0)
		rc = sql_run(store, sql, "ii", (int64_t)CAPTURE_REQUESTED, expired);
	return rc < 0 ? rc : (int)found;
}
