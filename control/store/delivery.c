// SPDX-License-Identifier: Apache-2.0
/*
 * Deliveries to webhooks. They are made of events after these were committed, and the webhook notes
 * up to which: a crash makes none twice and leaves none out, and no write of the API waits for it.
 * One that is sent is noted first; a daemon that dies on the way sends it once more (at least once).
 */
#include "control/store/internal.h"
#include "control/store/webhook.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	EVENTS_AT_ONCE = 100,
};

#define COLUMNS \
	"seq, id, webhook_id, event_seq, type, is_dead, attempts, next_at, failure, created_at"

static void read_row(sqlite3_stmt *stmt, struct delivery *d)
{
	memset(d, 0, sizeof(*d));
	d->seq = sqlite3_column_int64(stmt, 0);
	sql_uuid(stmt, 1, &d->id);
	sql_uuid(stmt, 2, &d->webhook_id);
	d->event_seq = sqlite3_column_int64(stmt, 3);
	sql_text(stmt, 4, d->type, sizeof(d->type));
	d->is_dead = sqlite3_column_int(stmt, 5) != 0;
	d->attempts = sqlite3_column_int64(stmt, 6);
	d->next_at = sqlite3_column_int64(stmt, 7);
	sql_text(stmt, 8, d->failure, sizeof(d->failure));
	d->created_at = sqlite3_column_int64(stmt, 9);
}

int delivery_list(struct store *store, const struct uuid *webhook_id, int dead, int64_t after,
	int (*row)(void *ctx, const struct delivery *d), void *ctx)
{
	sqlite3_stmt *stmt;
	int rc = sql_prepare(store, &stmt,
		"SELECT " COLUMNS
		" FROM delivery WHERE webhook_id = ?1 AND (?2 < 0 OR is_dead = ?2)"
		" AND seq > ?3 ORDER BY seq",
		"uii", webhook_id, (int64_t)dead, after);
	if (rc < 0)
		return rc;
	while ((rc = sql_step(store, stmt)) > 0) {
		struct delivery d;
		read_row(stmt, &d);
		rc = row(ctx, &d);
		if (rc != 0)
			break;
	}
	sql_done(stmt);
	return rc < 0 ? rc : 0;
}

int delivery_find(struct store *store, const struct uuid *webhook_id, const struct uuid *id,
	struct delivery *ret)
{
	sqlite3_stmt *stmt;
	int rc = sql_prepare(store, &stmt,
		"SELECT " COLUMNS " FROM delivery WHERE webhook_id = ? AND id = ?", "uu",
		webhook_id, id);
	if (rc < 0)
		return rc;
	rc = sql_first(store, stmt);
	if (rc == 0)
		read_row(stmt, ret);
	sql_done(stmt);
	return rc;
}

int delivery_again(struct store *store, const struct webhook *w, struct delivery *d)
{
	d->is_dead = false;
	d->attempts = 0;
	d->next_at = store->now;
	int rc = sql_run(store,
		"UPDATE delivery SET is_dead = 0, attempts = 0, next_at = ? WHERE seq = ?", "ii",
		store->now, d->seq);
	return rc == 0 ? audit_add(store, "redeliver", "webhook", &w->id, w->name) : rc;
}

void parcel_fini(struct parcel *p)
{
	explicit_bzero(p->secret, sizeof(p->secret));
	free(p->body);
	p->body = NULL;
}

int deliveries_are_due(struct store *store)
{
	int64_t found = 0;
	int rc = sql_number(store, &found,
		"SELECT EXISTS (SELECT 1 FROM webhook WHERE is_enabled AND seen < (SELECT max(seq)"
		" FROM event)) OR EXISTS (SELECT 1 FROM delivery d JOIN webhook w"
		" ON w.id = d.webhook_id WHERE d.is_dead = 0 AND d.is_sent = 0 AND d.next_at <= ?"
		" AND w.is_enabled)",
		"i", store->now);
	return rc < 0 ? rc : found != 0;
}

struct making {
	struct store *store;
	struct uuid webhook_id;
	json_t *types; /* owned */
	char *(*make)(const struct event *e);
	int64_t seen;
	int count, made;
};

/* "peer.*" of "peer.connected". */
static bool type_matches(const char *pattern, const char *type)
{
	size_t len = strlen(pattern);
	if (len > 0 && pattern[len - 1] == '*')
		return strncmp(pattern, type, len - 1) == 0;
	return strcmp(pattern, type) == 0;
}

static bool is_wanted(const struct making *m, const struct event *e)
{
	size_t i;
	json_t *type;
	if (json_array_size(m->types) == 0)
		return true;
	json_array_foreach(m->types, i, type)
	{
		if (type_matches(json_string_value(type), e->type))
			return true;
	}
	return false;
}

static int make_delivery(void *ctx, const struct event *e)
{
	struct making *m = ctx;
	struct uuid id;
	if (m->count++ == EVENTS_AT_ONCE)
		return 1;
	m->seen = e->seq;
	if (!is_wanted(m, e))
		return 0;
	char *body = m->make(e);
	int rc = body != NULL ? uuid_generate(&id) : -ENOMEM;
	if (rc == 0)
		rc = sql_run(m->store,
			"INSERT INTO delivery (id, webhook_id, event_seq, type, body, next_at,"
			" created_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
			"uuittii", &id, &m->webhook_id, e->seq, e->type, body, m->store->now,
			m->store->now);
	free(body);
	m->made += rc == 0;
	return rc;
}

/* The webhook that is furthest behind and may have more. -ENOENT: none. */
static int find_behind(struct store *store, struct making *m)
{
	sqlite3_stmt *stmt;
	int rc = sql_prepare(store, &stmt,
		"SELECT id, types, seen FROM webhook w WHERE is_enabled AND seen < (SELECT max(seq)"
		" FROM event) AND (SELECT count(*) FROM delivery d WHERE d.webhook_id = w.id AND"
		" d.is_dead = 0) < ? ORDER BY seen LIMIT 1",
		"i", (int64_t)DELIVERIES_WAIT_MAX);
	if (rc < 0)
		return rc;
	rc = sql_first(store, stmt);
	if (rc == 0) {
		sql_uuid(stmt, 0, &m->webhook_id);
		m->types = sql_json(stmt, 1, "[]");
		m->seen = sqlite3_column_int64(stmt, 2);
	}
	sql_done(stmt);
	return rc;
}

int deliveries_make(struct store *store, char *(*make)(const struct event *e))
{
	struct making m = {.store = store, .make = make};
	int rc = find_behind(store, &m);
	if (rc < 0)
		return rc == -ENOENT ? 0 : rc;
	const struct event_filter filter = {.after = m.seen, .with_owners = true};
	rc = event_list(store, &filter, make_delivery, &m);
	json_decref(m.types);
	if (rc == 0)
		rc = sql_run(store, "UPDATE webhook SET seen = ? WHERE id = ?", "iu", m.seen,
			&m.webhook_id);
	return rc < 0 ? rc : m.count;
}

int delivery_claim(struct store *store, struct parcel *ret)
{
	struct uuid webhook;
	sqlite3_stmt *stmt;
	memset(ret, 0, sizeof(*ret));
	int rc = sql_prepare(store, &stmt,
		"SELECT d.seq, d.id, w.id, w.url, d.type, d.body FROM delivery d JOIN webhook w"
		" ON w.id = d.webhook_id WHERE d.is_dead = 0 AND d.is_sent = 0 AND d.next_at <= ?"
		" AND w.is_enabled AND (SELECT count(*) FROM delivery o WHERE o.is_dead = 0 AND"
		" o.is_sent = 1 AND o.webhook_id = w.id) < ? ORDER BY d.next_at, d.seq LIMIT 1",
		"ii", store->now, (int64_t)DELIVERIES_AT_ONCE);
	if (rc < 0)
		return rc;
	rc = sql_first(store, stmt);
	if (rc == 0) {
		ret->seq = sqlite3_column_int64(stmt, 0);
		sql_uuid(stmt, 1, &ret->id);
		sql_uuid(stmt, 2, &webhook);
		sql_text(stmt, 3, ret->url, sizeof(ret->url));
		sql_text(stmt, 4, ret->type, sizeof(ret->type));
		ret->body = strdup((const char *)sqlite3_column_text(stmt, 5));
	}
	sql_done(stmt);
	if (rc == 0 && ret->body == NULL)
		rc = -ENOMEM;
	if (rc < 0)
		return rc;
	ssize_t len = box_open_bytes(store, "webhook.secret",
		"SELECT secret_box FROM webhook WHERE id = ?", &webhook, ret->secret,
		sizeof(ret->secret));
	rc = len < 0
		? (int)len
		: sql_run(store,
			"UPDATE delivery SET is_sent = 1, attempts = attempts + 1 WHERE seq = ?",
			"i", ret->seq);
	if (rc < 0)
		parcel_fini(ret);
	return rc;
}

static int note_outcome(struct store *store, int64_t seq, const char *failure)
{
	return failure == NULL ? sql_run(store,
		       "UPDATE webhook SET delivered_at = ? WHERE id ="
		       " (SELECT webhook_id FROM delivery WHERE seq = ?)",
		       "ii", store->now, seq)
			       : sql_run(store,
				       "UPDATE webhook SET failed_at = ?, failure = ? WHERE id ="
				       " (SELECT webhook_id FROM delivery WHERE seq = ?)",
				       "iti", store->now, failure, seq);
}

int delivery_end(struct store *store, int64_t seq, const char *failure, int64_t retry_s)
{
	int rc = note_outcome(store, seq, failure);
	if (rc < 0)
		return rc;
	if (failure == NULL)
		return sql_run(store, "DELETE FROM delivery WHERE seq = ?", "i", seq);
	rc = sql_run(store,
		"UPDATE delivery SET is_sent = 0, is_dead = ?2 = 0, next_at = ?3 + ?2, failure = ?4"
		" WHERE seq = ?1",
		"iiit", seq, retry_s, store->now, failure);
	return rc == 0 && retry_s == 0 ? sql_run(store,
		       "DELETE FROM delivery WHERE is_dead = 1 AND webhook_id = (SELECT webhook_id"
		       " FROM delivery WHERE seq = ?1) AND seq <= (SELECT seq FROM delivery WHERE"
		       " is_dead = 1 AND webhook_id = (SELECT webhook_id FROM delivery WHERE seq = ?1)"
		       " ORDER BY seq DESC LIMIT 1 OFFSET ?2)",
		       "ii", seq, (int64_t)DELIVERIES_DEAD_MAX)
				       : rc;
}

int delivery_attempts(struct store *store, int64_t seq, int64_t *ret)
{
	return sql_number(store, ret, "SELECT attempts FROM delivery WHERE seq = ?", "i", seq);
}

int deliveries_recall(struct store *store)
{
	return sql_run(store, "UPDATE delivery SET is_sent = 0, next_at = ? WHERE is_sent = 1", "i",
		store->now);
}

int deliveries_prune(struct store *store)
{
	return sql_run(store,
		"DELETE FROM delivery WHERE is_dead = 1 AND is_sent = 0 AND next_at <= ?", "i",
		store->now - (int64_t)EVENTS_KEPT_S);
}
