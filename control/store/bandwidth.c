// SPDX-License-Identifier: Apache-2.0
/*
 * Bandwidth by hour and day. report.c adds to the two rows of now; nothing is summed up later, so
 * that midnight is an hour like the others. What is too old goes a few objects at a time, in the
 * order of ids: one DELETE over the table of 100 000 peers would hold everybody up.
 */
#include "control/store/bandwidth.h"

#include "control/store/internal.h"

#include <errno.h>

enum {
	SWEEP_OBJECTS = 2000, /* a minute: 100 000 peers take 50 */
};

int64_t bandwidth_span_length(enum bandwidth_span span)
{
	return span == BANDWIDTH_HOUR ? 3600 : 24 * 3600;
}

int64_t bandwidth_span_kept(enum bandwidth_span span)
{
	return span == BANDWIDTH_HOUR ? BANDWIDTH_HOURS_KEPT_S : BANDWIDTH_DAYS_KEPT_S;
}

int bandwidth_list(struct store *store, const struct uuid *object_id, enum bandwidth_span span,
	const int64_t range[2], int (*row)(void *ctx, int64_t at, const struct traffic *t),
	void *ctx)
{
	sqlite3_stmt *stmt;
	int64_t oldest = store->now - bandwidth_span_kept(span);
	int rc = sql_prepare(store, &stmt,
		"SELECT at, rx_bytes, tx_bytes, rx_packets, tx_packets FROM bandwidth"
		" WHERE object_id = ? AND span = ? AND at >= ? AND at <= ? ORDER BY at",
		"uiii", object_id, (int64_t)span, range[0] > oldest ? range[0] : oldest, range[1]);
	if (rc < 0)
		return rc;
	while ((rc = sql_step(store, stmt)) > 0) {
		const struct traffic t = {
			.rx_bytes = (uint64_t)sqlite3_column_int64(stmt, 1),
			.tx_bytes = (uint64_t)sqlite3_column_int64(stmt, 2),
			.rx_packets = (uint64_t)sqlite3_column_int64(stmt, 3),
			.tx_packets = (uint64_t)sqlite3_column_int64(stmt, 4),
		};
		rc = row(ctx, sqlite3_column_int64(stmt, 0), &t);
		if (rc != 0)
			break;
	}
	sql_done(stmt);
	return rc < 0 ? rc : 0;
}

static int sweep_object(struct store *store, sqlite3_stmt *stmt, const struct uuid *id)
{
	int rc = 0;
	for (int span = 0; rc >= 0 && span < BANDWIDTH__SPANS; span++) {
		rc = sql_again(store, stmt, "uii", id, (int64_t)span,
			store->now - bandwidth_span_kept((enum bandwidth_span)span));
		if (rc == 0)
			rc = sql_step(store, stmt);
	}
	return rc;
}

/* The next object behind *at; -ENOENT: that was the last. */
static int find_next(struct store *store, sqlite3_stmt *stmt, struct uuid *at)
{
	int rc = sql_again(store, stmt, "b", at->bytes, sizeof(at->bytes));
	if (rc == 0)
		rc = sql_first(store, stmt);
	if (rc == 0)
		sql_uuid(stmt, 0, at);
	return rc;
}

int bandwidth_sweep(struct store *store)
{
	sqlite3_stmt *next = NULL, *del = NULL;
	int rc = sql_prepare(store, &next,
		"SELECT object_id FROM bandwidth WHERE object_id > ? ORDER BY object_id LIMIT 1",
		"");
	if (rc == 0)
		rc = sql_prepare(store, &del,
			"DELETE FROM bandwidth WHERE object_id = ? AND span = ? AND at < ?", "");
	for (int n = 0; rc == 0 && n < SWEEP_OBJECTS; n++) {
		rc = find_next(store, next, &store->swept);
		if (rc == 0)
			rc = sweep_object(store, del, &store->swept);
	}
	sql_done(next);
	sql_done(del);
	if (rc != -ENOENT)
		return rc;
	store->swept = (struct uuid){0}; /* from the beginning, the next time */
	return 0;
}
