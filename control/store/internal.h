/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_STORE_INTERNAL_H
#define CONTROL_STORE_INTERNAL_H

/* Of the store's own files only. */

#include "control/model/instance.h"
#include "control/store/store.h"
#include "dataplane/base/ip.h"
#include "dataplane/base/key.h"

#include <jansson.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/types.h>

#include <sqlite3.h>

enum {
	BOX_NONCE_LEN = 12,
	BOX_TAG_LEN = 16,
	BOX_OVERHEAD = BOX_NONCE_LEN + BOX_TAG_LEN,
	TOKEN_HASH_LEN = 32,
};

struct store {
	pthread_mutex_t lock; /* held from begin to end; guards everything */
	sqlite3 *db;
	struct key secret; /* key encryption key; set at open */
	struct key token_key; /* keyed hash of tokens; derived at open */
	struct key check_key; /* what the database knows of secret; derived at open */
	struct uuid epoch; /* set at open */
	struct uuid workspace; /* set at open */
	int64_t created_at; /* of the workspace; set at open */
	int64_t now;
	enum store_mode mode;
	struct store_actor actor;
};

/* An SQLite result as -errno. */
int sql_errno(struct store *store, int rc);
/*
 * Prepares and binds. types has one letter a parameter: i int64_t, t text (NULL: SQL NULL),
 * u const struct uuid * (NULL or zero: SQL NULL), k const struct key *, b blob (pointer, size_t).
 * 0 with *ret to be given to sql_done, or -errno.
 */
int sql_prepare(struct store *store, sqlite3_stmt **ret, const char *sql, const char *types, ...);
/* 1 a row, 0 the end, or -errno. */
int sql_step(struct store *store, sqlite3_stmt *stmt);
/* The only row that matters: 0, -ENOENT when there is none, or another -errno. */
int sql_first(struct store *store, sqlite3_stmt *stmt);
void sql_done(sqlite3_stmt *stmt);
/* Prepare, run to the end, done. 0 or -errno. */
int sql_run(struct store *store, const char *sql, const char *types, ...);
/* The first column of the first row; -ENOENT without a row. */
int sql_number(struct store *store, int64_t *ret, const char *sql, const char *types, ...);

/* Columns. Text and keys are copied, cut to size; NULL reads as "", zero. */
void sql_text(sqlite3_stmt *stmt, int column, char *ret, size_t size);
void sql_uuid(sqlite3_stmt *stmt, int column, struct uuid *ret);
void sql_key(sqlite3_stmt *stmt, int column, struct key *ret);
/* Exactly len bytes; anything else reads as zero. */
void sql_blob(sqlite3_stmt *stmt, int column, void *ret, size_t len);
/* Parsed JSON, or what otherwise parses to when the column is not well-formed. New reference. */
json_t *sql_json(sqlite3_stmt *stmt, int column, const char *otherwise);

/*
 * AES-256-GCM under the secret key; place ("peer.private_key") and id are authenticated, so that
 * a box cannot be moved to another row. box has len + BOX_OVERHEAD bytes.
 */
int box_seal(struct store *store, const char *place, const struct uuid *id, const void *data,
	size_t len, uint8_t *box);
/* -EUCLEAN when it was not sealed here for this place. data has len - BOX_OVERHEAD bytes. */
int box_open(struct store *store, const char *place, const struct uuid *id, const uint8_t *box,
	size_t len, void *data);
/*
 * The sealed key in the first column of sql's row of this id. -ENOENT when there is none. The
 * caller wipes.
 */
int box_open_key(struct store *store, const char *place, const char *sql, const struct uuid *id,
	struct key *ret);
/* The same of what is up to size bytes long: their number, or -errno. */
ssize_t box_open_bytes(struct store *store, const char *place, const char *sql,
	const struct uuid *id, void *ret, size_t size);
void token_hash(struct store *store, const char *token, uint8_t ret[TOKEN_HASH_LEN]);
/* prefix and 43 characters of base64url: 256 random bits. */
int token_make(const char *prefix, char *ret, size_t size);

/* A row of the audit log, in the transaction of what it tells. */
int audit_add(struct store *store, const char *action, const char *object_type,
	const struct uuid *object_id, const char *object_name);
/* Where the instance of a peer is. -EAGAIN: nowhere yet. */
int hub_of_peer(struct store *store, const struct uuid *peer_id, struct uuid *ret);
/* The next generation of a hub. */
/* The first port of the range that no listener of the hub has. -ENOSPC: none is free. */
int hub_choose_port(struct store *store, const struct uuid *hub, enum openvpn_transport transport,
	uint16_t first, uint16_t last, uint16_t *ret);
int hub_next_generation(struct store *store, const struct uuid *hub_id, int64_t *ret);
/* The hub of an instance, if it has one, hears of it again. */
int hub_resend_instance(struct store *store, const struct instance *i);
int tombstone_add(
	struct store *store, const struct uuid *hub_id, const char *kind, const struct uuid *id);

/* The hub of the instance is told that it and its peers are gone. */
int instance_add_tombstones(struct store *store, const struct instance *i);

#endif
