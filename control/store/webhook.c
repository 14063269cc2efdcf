// SPDX-License-Identifier: Apache-2.0
/* Webhooks as people see them. Their deliveries are in delivery.c. */
#include "control/store/webhook.h"

#include "control/store/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SELECT                                                                               \
	"SELECT id, name, url, types, is_enabled, labels, delivered_at, failed_at, failure," \
	" (SELECT count(*) FROM delivery d WHERE d.webhook_id = w.id AND d.is_dead = 0),"    \
	" (SELECT count(*) FROM delivery d WHERE d.webhook_id = w.id AND d.is_dead = 1),"    \
	" created_at, version FROM webhook w"

void webhook_fini(struct webhook *w)
{
	json_decref(w->types);
	json_decref(w->labels);
	w->types = NULL;
	w->labels = NULL;
}

static void read_row(sqlite3_stmt *stmt, struct webhook *w)
{
	memset(w, 0, sizeof(*w));
	sql_uuid(stmt, 0, &w->id);
	sql_text(stmt, 1, w->name, sizeof(w->name));
	sql_text(stmt, 2, w->url, sizeof(w->url));
	w->types = sql_json(stmt, 3, "[]");
	w->is_enabled = sqlite3_column_int(stmt, 4) != 0;
	w->labels = sql_json(stmt, 5, "{}");
	w->delivered_at = sqlite3_column_int64(stmt, 6);
	w->failed_at = sqlite3_column_int64(stmt, 7);
	sql_text(stmt, 8, w->failure, sizeof(w->failure));
	w->pending = sqlite3_column_int64(stmt, 9);
	w->dead = sqlite3_column_int64(stmt, 10);
	w->created_at = sqlite3_column_int64(stmt, 11);
	w->version = (uint64_t)sqlite3_column_int64(stmt, 12);
}

int webhook_find(struct store *store, const struct uuid *id, struct webhook *ret)
{
	sqlite3_stmt *stmt;
	int rc = sql_prepare(store, &stmt, SELECT " WHERE id = ? AND workspace_id = ?", "uu", id,
		&store->workspace);
	if (rc < 0)
		return rc;
	rc = sql_first(store, stmt);
	if (rc == 0)
		read_row(stmt, ret);
	sql_done(stmt);
	return rc;
}

int webhook_list(struct store *store, const struct webhook_filter *f,
	int (*row)(void *ctx, const struct webhook *w), void *ctx)
{
	sqlite3_stmt *stmt;
	int rc = sql_prepare(store, &stmt,
		SELECT " WHERE workspace_id = ?1 AND (?2 IS NULL OR id > ?2)"
		       " AND (?3 IS NULL OR name = ?3) AND (?4 IS NULL OR EXISTS"
		       " (SELECT 1 FROM json_each(labels) e WHERE e.key = ?4 AND e.value = ?5))"
		       " ORDER BY id",
		"uuttt", &store->workspace, &f->after, f->name, f->label_key, f->label_value);
	if (rc < 0)
		return rc;
	while ((rc = sql_step(store, stmt)) > 0) {
		struct webhook w;
		read_row(stmt, &w);
		rc = row(ctx, &w);
		webhook_fini(&w);
		if (rc != 0)
			break;
	}
	sql_done(stmt);
	return rc < 0 ? rc : 0;
}

/* Each becomes a GLOB: of what means something there only a star at the end is let through. */
static bool type_is_good(const char *type)
{
	size_t len = strlen(type), plain = strspn(type, "abcdefghijklmnopqrstuvwxyz_.");
	return len > 0 && len < EVENT_TYPE_TEXT
		&& (plain == len || (plain + 1 == len && type[plain] == '*'));
}

static int check_webhook(struct store *store, const struct webhook *w, struct model_errors *errors)
{
	size_t i;
	json_t *type;
	int64_t found = 0;
	name_check(w->name, "/name", errors);
	labels_check(w->labels, errors);
	if (json_array_size(w->types) > WEBHOOK_TYPES_MAX)
		model_error_add(errors, "/types", "are more than %d", WEBHOOK_TYPES_MAX);
	json_array_foreach(w->types, i, type)
	{
		if (!type_is_good(json_string_value(type)))
			model_error_add(
				errors, "/types", "must be ones like peer.connected or peer.*");
	}
	int rc = sql_number(store, &found,
		"SELECT count(*) FROM webhook WHERE name = ? AND id IS NOT ?", "tu", w->name,
		&w->id);
	if (rc == 0 && found > 0)
		model_conflict_add(errors, "/name", "another webhook has this name");
	if (rc == 0 && uuid_is_zero(&w->id))
		rc = sql_number(store, &found, "SELECT count(*) FROM webhook", "");
	if (rc == 0 && uuid_is_zero(&w->id) && found >= WEBHOOKS_MAX)
		model_conflict_add(errors, "", "there are %d webhooks already", WEBHOOKS_MAX);
	return rc < 0 ? rc : errors->count > 0 ? -EINVAL : 0;
}

static int write_fields(struct store *store, const struct webhook *w)
{
	char *types = json_dumps(w->types, JSON_COMPACT);
	char *labels = json_dumps(w->labels, JSON_COMPACT);
	int rc = -ENOMEM;
	if (types != NULL && labels != NULL)
		rc = sql_run(store,
			"UPDATE webhook SET name = ?1, url = ?2, types = ?3, labels = ?4, seen ="
			" iif(is_enabled, seen, (SELECT coalesce(max(seq), 0) FROM event)),"
			" is_enabled = ?5 WHERE id = ?6",
			"ttttiu", w->name, w->url, types, labels, (int64_t)w->is_enabled, &w->id);
	free(types);
	free(labels);
	return rc;
}

int webhook_add(struct store *store, struct webhook *w, char ret_secret[WEBHOOK_SECRET_TEXT],
	struct model_errors *errors)
{
	uint8_t box[WEBHOOK_SECRET_TEXT + BOX_OVERHEAD];
	int rc = check_webhook(store, w, errors);
	if (rc == 0)
		rc = uuid_generate(&w->id);
	if (rc == 0)
		rc = token_make("nave_wh_", ret_secret, WEBHOOK_SECRET_TEXT);
	if (rc == 0)
		rc = box_seal(
			store, "webhook.secret", &w->id, ret_secret, WEBHOOK_SECRET_TEXT, box);
	if (rc < 0)
		return rc;
	w->created_at = store->now;
	w->version = 1;
	rc = sql_run(store,
		"INSERT INTO webhook (id, workspace_id, name, url, types, secret_box, is_enabled,"
		" seen, labels, created_at) VALUES (?, ?, ?, '', '[]', ?, 0, 0, '{}', ?)",
		"uutbi", &w->id, &store->workspace, w->name, box, sizeof(box), store->now);
	if (rc == 0)
		rc = write_fields(store, w);
	return rc == 0 ? audit_add(store, "create", "webhook", &w->id, w->name) : rc;
}

int webhook_set(struct store *store, struct webhook *w, struct model_errors *errors)
{
	int rc = check_webhook(store, w, errors);
	if (rc == 0)
		rc = write_fields(store, w);
	if (rc == 0)
		rc = sql_run(store, "UPDATE webhook SET version = version + 1 WHERE id = ?", "u",
			&w->id);
	w->version++;
	return rc == 0 ? audit_add(store, "update", "webhook", &w->id, w->name) : rc;
}

int webhook_del(struct store *store, const struct webhook *w)
{
	int rc = sql_run(store, "DELETE FROM webhook WHERE id = ?", "u", &w->id);
	return rc == 0 ? audit_add(store, "delete", "webhook", &w->id, w->name) : rc;
}
