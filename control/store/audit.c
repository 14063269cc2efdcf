// SPDX-License-Identifier: Apache-2.0
#include "control/store/audit.h"

#include "control/store/event.h"
#include "control/store/internal.h"

#include <stdio.h>
#include <string.h>

/* The event that says that it was done; an action that has no such word is its own. */
static const char *past_of(const char *action)
{
	static const char *const words[][2] = {{"create", "created"}, {"update", "updated"},
		{"delete", "deleted"}, {"suspend", "suspended"}, {"resume", "resumed"},
		{"reveal", "revealed"}, {"enrol", "enrolled"}, {"retry", "retried"}};
	for (size_t n = 0; n < sizeof(words) / sizeof(words[0]); n++) {
		if (strcmp(words[n][0], action) == 0)
			return words[n][1];
	}
	return action;
}

int audit_add_about(struct store *store, const char *action, const struct event_about *about)
{
	char type[EVENT_TYPE_TEXT];
	struct uuid id;
	int rc = uuid_generate(&id);
	if (rc < 0)
		return rc;
	rc = sql_run(store,
		"INSERT INTO audit (id, at, actor_type, actor_id, actor_name, action, object_type,"
		" object_id, object_name, request_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		"uitutttutt", &id, store->now, store->actor.type, &store->actor.id,
		store->actor.name, action, about->kind, about->id, about->name,
		store->actor.request_id != NULL ? store->actor.request_id : "");
	(void)snprintf(type, sizeof(type), "%s.%s", about->kind, past_of(action));
	return rc == 0 ? event_add(store, type, about, NULL) : rc;
}

int audit_add(struct store *store, const char *action, const char *object_type,
	const struct uuid *object_id, const char *object_name)
{
	const struct event_about about = {object_type, object_id, object_name,
		strcmp(object_type, "instance") == 0 ? object_id : NULL};
	return audit_add_about(store, action, &about);
}

int audit_list(struct store *store, int64_t before,
	int (*row)(void *ctx, const struct audit_row *row), void *ctx)
{
	sqlite3_stmt *stmt;
	int rc = sql_prepare(store, &stmt,
		"SELECT seq, id, at, actor_type, actor_id, actor_name, action, object_type, object_id,"
		" object_name, request_id FROM audit WHERE seq < ? ORDER BY seq DESC",
		"i", before);
	if (rc < 0)
		return rc;
	while ((rc = sql_step(store, stmt)) > 0) {
		struct audit_row r = {.seq = sqlite3_column_int64(stmt, 0)};
		sql_uuid(stmt, 1, &r.id);
		r.at = sqlite3_column_int64(stmt, 2);
		sql_text(stmt, 3, r.actor_type, sizeof(r.actor_type));
		sql_uuid(stmt, 4, &r.actor_id);
		sql_text(stmt, 5, r.actor_name, sizeof(r.actor_name));
		sql_text(stmt, 6, r.action, sizeof(r.action));
		sql_text(stmt, 7, r.object_type, sizeof(r.object_type));
		sql_uuid(stmt, 8, &r.object_id);
		sql_text(stmt, 9, r.object_name, sizeof(r.object_name));
		sql_text(stmt, 10, r.request_id, sizeof(r.request_id));
		rc = row(ctx, &r);
		if (rc != 0)
			break;
	}
	sql_done(stmt);
	return rc < 0 ? rc : 0;
}
