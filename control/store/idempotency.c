// SPDX-License-Identifier: Apache-2.0
#include "control/store/idempotency.h"

#include "control/store/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char place[] = "idempotency.body";

/* The first half of the id stands for the row in what is authenticated. */
static struct uuid row_id(const uint8_t id[IDEMPOTENCY_ID_LEN])
{
	struct uuid u;
	memcpy(u.bytes, id, sizeof(u.bytes));
	return u;
}

static int read_answer(struct store *store, sqlite3_stmt *stmt,
	const uint8_t id[IDEMPOTENCY_ID_LEN], struct kept_answer *ret)
{
	const struct uuid row = row_id(id);
	const uint8_t *fingerprint = sqlite3_column_blob(stmt, 0);
	const uint8_t *box = sqlite3_column_blob(stmt, 5);
	size_t len = (size_t)sqlite3_column_bytes(stmt, 5);
	if (sqlite3_column_bytes(stmt, 0) != IDEMPOTENCY_ID_LEN || len < BOX_OVERHEAD)
		return -EUCLEAN;
	char *body = calloc(1, len - BOX_OVERHEAD + 1);
	if (body == NULL)
		return -ENOMEM;
	int rc = box_open(store, place, &row, box, len, body);
	if (rc < 0) {
		free(body);
		return rc;
	}
	memcpy(ret->fingerprint, fingerprint, IDEMPOTENCY_ID_LEN);
	ret->status = (unsigned int)sqlite3_column_int(stmt, 1);
	sql_text(stmt, 2, ret->location, sizeof(ret->location));
	sql_text(stmt, 3, ret->etag, sizeof(ret->etag));
	sql_text(stmt, 4, ret->content_type, sizeof(ret->content_type));
	ret->body = body;
	ret->body_len = len - BOX_OVERHEAD;
	return 0;
}

int idempotency_find(
	struct store *store, const uint8_t id[IDEMPOTENCY_ID_LEN], struct kept_answer *ret)
{
	sqlite3_stmt *stmt;
	int rc = sql_prepare(store, &stmt,
		"SELECT fingerprint, status, location, etag, content_type, body_box FROM idempotency WHERE id = ?",
		"b", id, (size_t)IDEMPOTENCY_ID_LEN);
	if (rc < 0)
		return rc;
	rc = sql_first(store, stmt);
	if (rc == 0)
		rc = read_answer(store, stmt, id, ret);
	sql_done(stmt);
	return rc;
}

int idempotency_add(
	struct store *store, const uint8_t id[IDEMPOTENCY_ID_LEN], const struct kept_answer *a)
{
	const struct uuid row = row_id(id);
	size_t len = a->body_len + BOX_OVERHEAD;
	uint8_t *box = malloc(len);
	if (box == NULL)
		return -ENOMEM;
	int rc = box_seal(store, place, &row, a->body, a->body_len, box);
	if (rc == 0)
		rc = sql_run(store,
			"INSERT INTO idempotency (id, fingerprint, status, location, etag, content_type,"
			" body_box, at)"
			" VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
			"bbitttbi", id, (size_t)IDEMPOTENCY_ID_LEN, a->fingerprint,
			(size_t)IDEMPOTENCY_ID_LEN, (int64_t)a->status, a->location, a->etag,
			a->content_type, box, len, store->now);
	free(box);
	return rc;
}
