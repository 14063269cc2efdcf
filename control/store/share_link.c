// SPDX-License-Identifier: Apache-2.0
/*
 * Share links. A link holds no secret of its peer's: it is the right to reveal what the peer's row
 * keeps. Its token is found by a keyed hash, so time tells nothing about it; the browser that has
 * revealed gets a second one, so that the link alone opens nothing any more.
 */
#include "control/store/share_link.h"

#include "control/store/internal.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#define COLUMNS                                                                                   \
	"l.id, l.peer_id, p.instance_id, l.created_at, l.expires_at, l.opened_at, l.revealed_at," \
	" l.version"
#define SELECT "SELECT " COLUMNS " FROM share_link l JOIN peer p ON p.id = l.peer_id"

static void read_row(sqlite3_stmt *stmt, struct share_link *ret)
{
	memset(ret, 0, sizeof(*ret));
	sql_uuid(stmt, 0, &ret->id);
	sql_uuid(stmt, 1, &ret->peer_id);
	sql_uuid(stmt, 2, &ret->instance_id);
	ret->created_at = sqlite3_column_int64(stmt, 3);
	ret->expires_at = sqlite3_column_int64(stmt, 4);
	ret->opened_at = sqlite3_column_int64(stmt, 5);
	ret->revealed_at = sqlite3_column_int64(stmt, 6);
	ret->version = (uint64_t)sqlite3_column_int64(stmt, 7);
}

static int check_link(struct store *store, const struct peer *p, const struct share_link *l,
	const char *pointer, struct model_errors *errors)
{
	int64_t count = 0;
	share_link_check(l, pointer, errors);
	int rc = sql_number(
		store, &count, "SELECT count(*) FROM share_link WHERE peer_id = ?", "u", &p->id);
	if (rc == 0 && count >= SHARE_LINKS_OF_PEER_MAX)
		model_conflict_add(errors, "", "the peer has %d share links: delete one",
			SHARE_LINKS_OF_PEER_MAX);
	return rc < 0 ? rc : errors->count > 0 ? -EINVAL : 0;
}

int share_link_add(struct store *store, const struct peer *p, struct share_link *l,
	const char *pointer, char ret_token[SHARE_LINK_TOKEN_TEXT], struct model_errors *errors)
{
	uint8_t hash[TOKEN_HASH_LEN];
	l->peer_id = p->id;
	l->instance_id = p->instance_id;
	l->created_at = store->now;
	l->version = 1;
	int rc = check_link(store, p, l, pointer, errors);
	if (rc == 0)
		rc = uuid_generate(&l->id);
	if (rc == 0)
		rc = token_make("", ret_token, SHARE_LINK_TOKEN_TEXT);
	if (rc < 0)
		return rc;
	token_hash(store, ret_token, hash);
	rc = sql_run(store,
		"INSERT INTO share_link (id, peer_id, hash, created_at, expires_at)"
		" VALUES (?, ?, ?, ?, ?)",
		"uubii", &l->id, &l->peer_id, hash, sizeof(hash), l->created_at, l->expires_at);
	return rc == 0 ? audit_add(store, "create", "share_link", &l->id, p->name) : rc;
}

int share_link_find(struct store *store, const struct uuid *peer_id, const struct uuid *id,
	struct share_link *ret)
{
	sqlite3_stmt *stmt;
	int rc = sql_prepare(
		store, &stmt, SELECT " WHERE l.peer_id = ? AND l.id = ?", "uu", peer_id, id);
	if (rc < 0)
		return rc;
	rc = sql_first(store, stmt);
	if (rc == 0)
		read_row(stmt, ret);
	sql_done(stmt);
	return rc;
}

int share_link_list(struct store *store, const struct uuid *peer_id, const struct uuid *after,
	int (*row)(void *ctx, const struct share_link *l), void *ctx)
{
	sqlite3_stmt *stmt;
	int rc = sql_prepare(store, &stmt,
		SELECT " WHERE l.peer_id = ?1 AND (?2 IS NULL OR l.id > ?2) ORDER BY l.id", "uu",
		peer_id, after);
	if (rc < 0)
		return rc;
	while ((rc = sql_step(store, stmt)) > 0) {
		struct share_link l;
		read_row(stmt, &l);
		rc = row(ctx, &l);
		if (rc != 0)
			break;
	}
	sql_done(stmt);
	return rc < 0 ? rc : 0;
}

int share_link_del(struct store *store, const struct peer *p, const struct share_link *l)
{
	int rc = sql_run(store, "DELETE FROM share_link WHERE id = ?", "u", &l->id);
	return rc == 0 ? audit_add(store, "revoke", "share_link", &l->id, p->name) : rc;
}

/* Is this the browser that has revealed it, and are its ten minutes not over? */
static bool is_visitor(
	struct store *store, const struct share_link *l, const uint8_t *hash, const char *visitor)
{
	uint8_t own[TOKEN_HASH_LEN];
	token_hash(store, visitor, own);
	return visitor[0] != '\0' && CRYPTO_memcmp(own, hash, sizeof(own)) == 0
		&& l->revealed_at + REVEAL_S > store->now;
}

int share_link_find_token(
	struct store *store, const char *token, const char *visitor, struct share_link *ret)
{
	uint8_t hash[TOKEN_HASH_LEN], visitor_hash[TOKEN_HASH_LEN];
	sqlite3_stmt *stmt;
	token_hash(store, token, hash);
	int rc = sql_prepare(store, &stmt,
		"SELECT " COLUMNS ", l.visitor_hash FROM share_link l JOIN peer p"
		" ON p.id = l.peer_id WHERE l.hash = ?",
		"b", hash, sizeof(hash));
	if (rc < 0)
		return rc;
	rc = sql_first(store, stmt);
	if (rc == 0) {
		read_row(stmt, ret);
		sql_blob(stmt, 8, visitor_hash, sizeof(visitor_hash));
	}
	sql_done(stmt);
	if (rc < 0 || share_link_state_at(ret, store->now) == SHARE_LINK_ACTIVE)
		return rc;
	return ret->revealed_at != 0 && is_visitor(store, ret, visitor_hash, visitor) ? 0 : -ENOENT;
}

int share_link_open(struct store *store, const struct peer *p, struct share_link *l)
{
	if (l->opened_at != 0)
		return 0;
	int rc = sql_run(store,
		"UPDATE share_link SET opened_at = ?, version = version + 1 WHERE id = ?", "iu",
		store->now, &l->id);
	l->opened_at = store->now;
	l->version++;
	return rc == 0 ? audit_add(store, "open", "share_link", &l->id, p->name) : rc;
}

int share_link_reveal(struct store *store, const struct peer *p, struct share_link *l,
	char ret_visitor[SHARE_LINK_TOKEN_TEXT])
{
	uint8_t hash[TOKEN_HASH_LEN];
	if (l->revealed_at != 0)
		return -ENOENT;
	int rc = share_link_open(store, p, l);
	if (rc == 0)
		rc = token_make("", ret_visitor, SHARE_LINK_TOKEN_TEXT);
	if (rc < 0)
		return rc;
	token_hash(store, ret_visitor, hash);
	rc = sql_run(store,
		"UPDATE share_link SET revealed_at = ?, visitor_hash = ?, version = version + 1"
		" WHERE id = ?",
		"ibu", store->now, hash, sizeof(hash), &l->id);
	l->revealed_at = store->now;
	l->version++;
	return rc == 0 ? audit_add(store, "reveal", "share_link", &l->id, p->name) : rc;
}

int share_links_forget_secrets(struct store *store)
{
	/* of whom a link has just expired unused, and none is left that can be used */
	static const char ended[] =
		"(SELECT l.peer_id FROM share_link l WHERE l.waits AND l.expires_at <= ?1"
		" AND l.revealed_at = 0 AND NOT EXISTS (SELECT 1 FROM share_link o WHERE"
		" o.peer_id = l.peer_id AND o.revealed_at = 0 AND o.expires_at > ?1))";
	char sql[512];
	int64_t found = 0;
	int rc = sql_number(store, &found,
		"SELECT count(*) FROM share_link WHERE waits AND expires_at <= ?", "i", store->now);
	if (rc < 0 || found == 0)
		return rc;
	(void)snprintf(sql, sizeof(sql),
		"UPDATE credential SET password_box = NULL, private_key_box = NULL WHERE peer_id IN"
		" (SELECT id FROM peer WHERE revealed_until = 0 AND id IN %s)",
		ended);
	rc = sql_run(store, sql, "i", store->now);
	(void)snprintf(sql, sizeof(sql),
		"UPDATE peer SET private_key_box = NULL WHERE revealed_until = 0 AND id IN %s",
		ended);
	if (rc == 0)
		rc = sql_run(store, sql, "i", store->now);
	if (rc == 0)
		rc = sql_run(store,
			"UPDATE share_link SET waits = 0 WHERE waits AND expires_at <= ?", "i",
			store->now);
	return rc < 0 ? rc : (int)found;
}
