// SPDX-License-Identifier: Apache-2.0
/* SQLite with less ceremony: bind by a type string, results as -errno. */
#include "control/store/internal.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

int sql_errno(struct store *store, int rc)
{
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_DONE:
	case SQLITE_ROW:
		return 0;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_CONSTRAINT:
		return -EEXIST;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return -EUCLEAN;
	default:
		/* A write that failed for lack of room may come as an I/O error. */
		return sqlite3_system_errno(store->db) == ENOSPC ? -ENOSPC : -EIO;
	}
}

static int bind_blob(sqlite3_stmt *stmt, int i, const void *data, size_t len)
{
	return sqlite3_bind_blob64(stmt, i, data, len, SQLITE_TRANSIENT);
}

static int bind_all(sqlite3_stmt *stmt, const char *types, va_list ap)
{
	int rc = SQLITE_OK;
	for (int i = 1; types[i - 1] != '\0' && rc == SQLITE_OK; i++) {
		const struct uuid *u;
		const struct key *k;
		const void *data;
		size_t len;
		switch (types[i - 1]) {
		case 'i':
			rc = sqlite3_bind_int64(stmt, i, va_arg(ap, int64_t));
			break;
		case 't':
			rc = sqlite3_bind_text(
				stmt, i, va_arg(ap, const char *), -1, SQLITE_TRANSIENT);
			break;
		case 'u':
			u = va_arg(ap, const struct uuid *);
			if (u != NULL && !uuid_is_zero(u))
				rc = bind_blob(stmt, i, u->bytes, sizeof(u->bytes));
			break;
		case 'k':
			k = va_arg(ap, const struct key *);
			if (!key_is_zero(k))
				rc = bind_blob(stmt, i, k->bytes, KEY_LEN);
			break;
		case 'b':
			data = va_arg(ap, const void *);
			len = va_arg(ap, size_t);
			if (data != NULL)
				rc = bind_blob(stmt, i, data, len);
			break;
		default:
			rc = SQLITE_MISUSE;
			break;
		}
	}
	return rc;
}

static int prepare(
	struct store *store, sqlite3_stmt **ret, const char *sql, const char *types, va_list ap)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(store->db, sql, -1, &stmt, NULL);
	if (rc == SQLITE_OK)
		rc = bind_all(stmt, types, ap);
	if (rc != SQLITE_OK) {
		(void)sqlite3_finalize(stmt);
		return sql_errno(store, rc);
	}
	*ret = stmt;
	return 0;
}

int sql_prepare(struct store *store, sqlite3_stmt **ret, const char *sql, const char *types, ...)
{
	va_list ap;
	va_start(ap, types);
	int rc = prepare(store, ret, sql, types, ap);
	va_end(ap);
	return rc;
}

int sql_again(struct store *store, sqlite3_stmt *stmt, const char *types, ...)
{
	va_list ap;
	(void)sqlite3_reset(stmt); /* what it failed with was told then */
	(void)sqlite3_clear_bindings(stmt);
	va_start(ap, types);
	int rc = bind_all(stmt, types, ap);
	va_end(ap);
	return sql_errno(store, rc);
}

int sql_step(struct store *store, sqlite3_stmt *stmt)
{
	int rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW)
		return 1;
	return rc == SQLITE_DONE ? 0 : sql_errno(store, rc);
}

int sql_first(struct store *store, sqlite3_stmt *stmt)
{
	int rc = sql_step(store, stmt);
	return rc > 0 ? 0 : rc < 0 ? rc : -ENOENT;
}

void sql_done(sqlite3_stmt *stmt)
{
	(void)sqlite3_finalize(stmt);
}

int sql_run(struct store *store, const char *sql, const char *types, ...)
{
	sqlite3_stmt *stmt = NULL;
	va_list ap;
	va_start(ap, types);
	int rc = prepare(store, &stmt, sql, types, ap);
	va_end(ap);
	if (rc < 0)
		return rc;
	do
		rc = sql_step(store, stmt);
	while (rc > 0);
	sql_done(stmt);
	return rc;
}

int sql_number(struct store *store, int64_t *ret, const char *sql, const char *types, ...)
{
	sqlite3_stmt *stmt = NULL;
	va_list ap;
	va_start(ap, types);
	int rc = prepare(store, &stmt, sql, types, ap);
	va_end(ap);
	if (rc < 0)
		return rc;
	rc = sql_first(store, stmt);
	if (rc == 0 && sqlite3_column_type(stmt, 0) == SQLITE_NULL)
		rc = -ENOENT;
	if (rc == 0)
		*ret = sqlite3_column_int64(stmt, 0);
	sql_done(stmt);
	return rc;
}

void sql_text(sqlite3_stmt *stmt, int column, char *ret, size_t size)
{
	const char *text = (const char *)sqlite3_column_text(stmt, column);
	size_t len = text != NULL ? strnlen(text, size - 1) : 0;
	if (len > 0)
		memcpy(ret, text, len);
	ret[len] = '\0';
}

void sql_blob(sqlite3_stmt *stmt, int column, void *ret, size_t len)
{
	const void *data = sqlite3_column_blob(stmt, column);
	memset(ret, 0, len);
	if (data != NULL && (size_t)sqlite3_column_bytes(stmt, column) == len)
		memcpy(ret, data, len);
}

void sql_uuid(sqlite3_stmt *stmt, int column, struct uuid *ret)
{
	sql_blob(stmt, column, ret->bytes, sizeof(ret->bytes));
}

void sql_key(sqlite3_stmt *stmt, int column, struct key *ret)
{
	sql_blob(stmt, column, ret->bytes, sizeof(ret->bytes));
}

json_t *sql_json(sqlite3_stmt *stmt, int column, const char *otherwise)
{
	const char *text = (const char *)sqlite3_column_text(stmt, column);
	json_t *value = text != NULL ? json_loads(text, 0, NULL) : NULL;
	return value != NULL ? value : json_loads(otherwise, 0, NULL);
}
