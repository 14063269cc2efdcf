// SPDX-License-Identifier: Apache-2.0
/*
 * The log of events. Its seq is the order in which transactions were written, so whoever has read up
 * to a seq has read all before it: there is one writer at a time.
 */
#include "control/store/event.h"

#include "control/store/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS "seq, at, instance_id, type, object_type, object_id, object_name, data"

int event_add(struct store *store, const char *type, const struct event_about *about, json_t *data)
{
	char *text = data != NULL ? json_dumps(data, JSON_COMPACT) : strdup("{}");
	json_decref(data);
	if (text == NULL)
		return -ENOMEM;
	int rc = sql_run(store,
		"INSERT INTO event (at, workspace_id, instance_id, type, object_type, object_id,"
		" object_name, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		"iuuttutt", store->now, &store->workspace, about->instance_id, type, about->kind,
		about->id, about->name, text);
	free(text);
	store->has_events |= rc == 0;
	return rc;
}

void event_fini(struct event *e)
{
	json_decref(e->data);
	e->data = NULL;
}

static void read_row(sqlite3_stmt *stmt, struct event *e)
{
	memset(e, 0, sizeof(*e));
	e->seq = sqlite3_column_int64(stmt, 0);
	e->at = sqlite3_column_int64(stmt, 1);
	sql_uuid(stmt, 2, &e->instance_id);
	sql_text(stmt, 3, e->type, sizeof(e->type));
	sql_text(stmt, 4, e->object_type, sizeof(e->object_type));
	sql_uuid(stmt, 5, &e->object_id);
	sql_text(stmt, 6, e->object_name, sizeof(e->object_name));
	e->data = sql_json(stmt, 7, "{}");
}

int event_list(struct store *store, const struct event_filter *f,
	int (*row)(void *ctx, const struct event *e), void *ctx)
{
	sqlite3_stmt *stmt;
	int rc = sql_prepare(store, &stmt,
		f->instance_id != NULL
			? "SELECT " COLUMNS
			  " FROM event WHERE instance_id = ?5 AND seq > ?1 AND workspace_id = ?2"
			  " AND (?3 IS NULL OR type GLOB ?3) AND (?4 OR object_type NOT IN"
			  " ('api_key', 'webhook')) ORDER BY seq"
			: "SELECT " COLUMNS " FROM event WHERE seq > ?1 AND workspace_id = ?2"
			  " AND (?3 IS NULL OR type GLOB ?3) AND (?4 OR object_type NOT IN"
			  " ('api_key', 'webhook')) AND ?5 IS NULL ORDER BY seq",
		"iutiu", f->after, &store->workspace, f->type, (int64_t)f->with_owners,
		f->instance_id);
	if (rc < 0)
		return rc;
	while ((rc = sql_step(store, stmt)) > 0) {
		struct event e;
		read_row(stmt, &e);
		rc = row(ctx, &e);
		event_fini(&e);
		if (rc != 0)
			break;
	}
	sql_done(stmt);
	return rc < 0 ? rc : 0;
}

int event_find(struct store *store, int64_t seq, struct event *ret)
{
	sqlite3_stmt *stmt;
	int rc = sql_prepare(store, &stmt, "SELECT " COLUMNS " FROM event WHERE seq = ?", "i", seq);
	if (rc < 0)
		return rc;
	rc = sql_first(store, stmt);
	if (rc == 0)
		read_row(stmt, ret);
	sql_done(stmt);
	return rc;
}

int event_range(struct store *store, int64_t ret[2])
{
	int rc = sql_number(store, &ret[0], "SELECT event_floor FROM meta", "");
	return rc == 0 ? sql_number(store, &ret[1],
		       "SELECT coalesce((SELECT max(seq) FROM event), (SELECT event_floor FROM meta))",
		       "")
		       : rc;
}

int event_before_last(struct store *store, int64_t count, int64_t *ret)
{
	return sql_number(store, ret,
		"SELECT coalesce((SELECT seq FROM event ORDER BY seq DESC LIMIT 1 OFFSET ?),"
		" (SELECT event_floor FROM meta))",
		"i", count);
}

/* Times may go back with the clock: the first that is young enough stays, with all behind it. */
int events_prune(struct store *store)
{
	int64_t range[2], floor = 0;
	int rc = event_range(store, range);
	if (rc == 0)
		rc = sql_number(store, &floor,
			"SELECT coalesce((SELECT seq - 1 FROM event WHERE at > ? ORDER BY seq LIMIT 1), ?)",
			"ii", store->now - (int64_t)EVENTS_KEPT_S, range[1]);
	if (rc < 0)
		return rc;
	if (floor < range[1] - EVENTS_MAX)
		floor = range[1] - EVENTS_MAX;
	if (floor <= range[0])
		return 0;
	rc = sql_run(store, "UPDATE meta SET event_floor = ?", "i", floor);
	return rc == 0 ? sql_run(store, "DELETE FROM event WHERE seq <= ?", "i", floor) : rc;
}
