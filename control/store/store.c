// SPDX-License-Identifier: Apache-2.0
/*
 * Opening, migrating and the frame of a transaction. A database from a later version is refused,
 * one that is not well is refused: it is never made anew in the place of data. The secret key is
 * made only together with a new database, since an old one could not be read with another key.
 */
#include "control/model/capture.h"
#include "control/model/share_link.h"
#include "control/store/bandwidth.h"
#include "control/store/event.h"
#include "control/store/internal.h"
#include "control/store/session.h"
#include "control/store/webhook.h"
#include "dataplane/base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Numbered migrations, embedded; each takes the schema from its index to the next. */
extern const char migration_001[];
extern const size_t migration_001_len;
extern const char migration_002[];
extern const size_t migration_002_len;
extern const char migration_003[];
extern const size_t migration_003_len;
extern const char migration_004[];
extern const size_t migration_004_len;
extern const char migration_005[];
extern const size_t migration_005_len;
extern const char migration_006[];
extern const size_t migration_006_len;
extern const char migration_007[];
extern const size_t migration_007_len;

static const char *const migrations[] = {migration_001, migration_002, migration_003, migration_004,
	migration_005, migration_006, migration_007};

enum {
	SCHEMA_VERSION = sizeof(migrations) / sizeof(migrations[0]),
};

/* A name in a directory is on disk when the directory is. */
static int sync_directory(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int rc = fsync(fd) < 0 ? -errno : 0;
	(void)close(fd);
	return rc;
}

static int write_all(int fd, const void *data, size_t len)
{
	ssize_t n = write(fd, data, len);
	if (n < 0)
		return -errno;
	if ((size_t)n != len)
		return -ENOSPC;
	return fsync(fd) < 0 ? -errno : 0;
}

static int create_secret(const char *path, struct key *ret)
{
	int rc = key_generate(ret);
	if (rc < 0)
		return rc;
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	rc = write_all(fd, ret->bytes, KEY_LEN);
	(void)close(fd);
	if (rc < 0)
		(void)unlink(path);
	return rc;
}

static int read_secret(const char *path, struct key *ret)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	int rc = 0;
	if (fstat(fd, &st) < 0)
		rc = -errno;
	else if (!S_ISREG(st.st_mode) || (st.st_mode & 077) != 0)
		rc = -EPERM;
	else if (st.st_size != KEY_LEN || read(fd, ret->bytes, KEY_LEN) != KEY_LEN)
		rc = -EUCLEAN;
	(void)close(fd);
	return rc;
}

static int derive_key(const struct key *secret, const char *purpose, struct key *ret)
{
	unsigned int len = KEY_LEN;
	return HMAC(EVP_sha256(), secret->bytes, KEY_LEN, (const uint8_t *)purpose, strlen(purpose),
		       ret->bytes, &len)
			!= NULL
		? 0
		: -EIO;
}

static int load_secret(struct store *store, const char *state_dir, bool database_exists)
{
	char path[512];
	(void)snprintf(path, sizeof(path), "%s/secret.key", state_dir);
	int rc = read_secret(path, &store->secret);
	if (rc == -ENOENT && !database_exists) {
		rc = create_secret(path, &store->secret);
		if (rc == 0)
			rc = sync_directory(state_dir);
	}
	if (rc == 0)
		rc = derive_key(&store->secret, "nave token hash", &store->token_key);
	if (rc == 0)
		rc = derive_key(&store->secret, "nave key check", &store->check_key);
	return rc;
}

static int run_script(struct store *store, const char *sql)
{
	return sql_errno(store, sqlite3_exec(store->db, sql, NULL, NULL, NULL));
}

static int create_first_rows(struct store *store)
{
	struct uuid epoch;
	struct uuid workspace;
	int rc = uuid_generate(&epoch);
	if (rc == 0)
		rc = uuid_generate(&workspace);
	if (rc == 0)
		rc = sql_run(store,
			"INSERT INTO meta (epoch, key_check, next_instance) VALUES (?, ?, 1)", "uk",
			&epoch, &store->check_key);
	if (rc == 0)
		rc = sql_run(store,
			"INSERT INTO workspace (id, name, created_at) VALUES (?, 'default', ?)",
			"ui", &workspace, store->now);
	return rc;
}

/* One step and its number in one transaction: a crash leaves the old schema or the new one. */
static int migrate_step(struct store *store, int64_t from)
{
	char pragma[64];
	int rc = run_script(store, "BEGIN IMMEDIATE");
	if (rc < 0)
		return rc;
	rc = run_script(store, migrations[from]);
	if (rc == 0 && from == 0)
		rc = create_first_rows(store);
	(void)snprintf(pragma, sizeof(pragma), "PRAGMA user_version = %d", (int)from + 1);
	if (rc == 0)
		rc = run_script(store, pragma);
	if (rc == 0)
		rc = run_script(store, "COMMIT");
	if (rc < 0)
		(void)run_script(store, "ROLLBACK");
	return rc;
}

static int migrate(struct store *store)
{
	int64_t version = 0;
	int rc = sql_number(store, &version, "PRAGMA user_version", "");
	if (rc == 0 && version > SCHEMA_VERSION)
		return -EPROTONOSUPPORT;
	for (; rc == 0 && version < SCHEMA_VERSION; version++)
		rc = migrate_step(store, version);
	return rc;
}

static int read_identity(struct store *store)
{
	sqlite3_stmt *stmt;
	struct key check;
	int rc = sql_prepare(store, &stmt,
		"SELECT m.epoch, w.id, w.created_at, m.key_check FROM meta m, workspace w WHERE w.name = 'default'",
		"");
	if (rc < 0)
		return rc;
	rc = sql_step(store, stmt);
	if (rc > 0) {
		sql_uuid(stmt, 0, &store->epoch);
		sql_uuid(stmt, 1, &store->workspace);
		store->created_at = sqlite3_column_int64(stmt, 2);
		sql_key(stmt, 3, &check);
	}
	sql_done(stmt);
	if (rc <= 0)
		return rc < 0 ? rc : -EUCLEAN;
	return key_equal(&check, &store->check_key) ? 0 : -EKEYREJECTED;
}

static int prepare_database(struct store *store)
{
	int rc = run_script(store,
		"PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
		"PRAGMA trusted_schema = OFF; PRAGMA secure_delete = ON");
	store->now = (int64_t)(clock_realtime_ns() / NS_PER_SEC);
	if (rc == 0)
		rc = migrate(store);
	/* only now: a migration that makes a table anew must not take along what refers to the old one */
	if (rc == 0)
		rc = run_script(store, "PRAGMA foreign_keys = ON");
	return rc == 0 ? read_identity(store) : rc;
}

int store_open(const char *state_dir, struct store **ret, char *error, unsigned int error_size)
{
	char path[512];
	struct stat st;
	struct store *store = calloc(1, sizeof(*store));
	if (store == NULL)
		return -ENOMEM;
	(void)pthread_mutex_init(&store->lock, NULL);
	(void)snprintf(path, sizeof(path), "%s/control.db", state_dir);
	int rc = load_secret(store, state_dir, stat(path, &st) == 0 && st.st_size > 0);
	if (rc < 0) {
		(void)snprintf(error, error_size, "%s/secret.key: %s", state_dir,
			rc == -ENOENT ? "missing, and the database cannot be read without it"
				: rc == -EPERM ? "others may read it: chmod 600"
					       : strerrordesc_np(-rc));
		store_close(store);
		return rc;
	}
	/* The journal of a database holds what it holds: the umask of the daemon is 077. */
	rc = sqlite3_open_v2(path, &store->db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
	rc = rc == SQLITE_OK ? prepare_database(store) : -EIO;
	if (rc < 0) {
		(void)snprintf(error, error_size, "%s: %s", path,
			rc == -EPROTONOSUPPORT ? "was written by a later version"
				: rc == -EKEYREJECTED
				? "secret.key is not the one that it was written with"
				: sqlite3_errmsg(store->db));
		store_close(store);
		return rc;
	}
	*ret = store;
	return 0;
}

void store_close(struct store *store)
{
	if (store == NULL)
		return;
	(void)sqlite3_close(store->db);
	(void)pthread_mutex_destroy(&store->lock);
	key_wipe(&store->secret);
	key_wipe(&store->token_key);
	key_wipe(&store->check_key);
	free(store);
}

int store_begin(struct store *store, enum store_mode mode)
{
	(void)pthread_mutex_lock(&store->lock);
	int rc = run_script(store, mode == STORE_WRITE ? "BEGIN IMMEDIATE" : "BEGIN");
	if (rc < 0) {
		(void)pthread_mutex_unlock(&store->lock);
		return rc;
	}
	store->mode = mode;
	store->has_events = false;
	store->now = (int64_t)(clock_realtime_ns() / NS_PER_SEC);
	store->actor =
		(struct store_actor){.type = "system", .name = "nave-control", .request_id = ""};
	return 0;
}

int store_end(struct store *store, bool commit)
{
	int rc = 0;
	/* An error inside may have rolled back already (disk full): then there is nothing to end. */
	bool is_open = sqlite3_get_autocommit(store->db) == 0;
	if (commit)
		rc = is_open ? run_script(store, "COMMIT") : -EIO;
	if ((!commit || rc < 0) && sqlite3_get_autocommit(store->db) == 0)
		(void)run_script(store, "ROLLBACK");
	bool tells = commit && rc == 0 && store->has_events && store->listener != NULL;
	(void)pthread_mutex_unlock(&store->lock);
	if (tells)
		store->listener(store->listener_ctx);
	return rc;
}

void store_set_listener(struct store *store, void (*listener)(void *ctx), void *ctx)
{
	store->listener = listener;
	store->listener_ctx = ctx;
}

int64_t store_now(const struct store *store)
{
	return store->now;
}

const struct uuid *store_epoch(const struct store *store)
{
	return &store->epoch;
}

const struct uuid *store_workspace(const struct store *store)
{
	return &store->workspace;
}

int64_t store_created_at(const struct store *store)
{
	return store->created_at;
}

void store_set_actor(struct store *store, const struct store_actor *actor)
{
	store->actor = *actor;
}

int store_prune(struct store *store)
{
	enum {
		DAY = 24 * 3600
	};
	int rc =
		sql_run(store, "DELETE FROM hostname_quarantine WHERE until <= ?", "i", store->now);
	if (rc == 0)
		rc = sql_run(
			store, "DELETE FROM address_quarantine WHERE until <= ?", "i", store->now);
	if (rc == 0)
		rc = sql_run(store, "DELETE FROM capture WHERE created_at <= ?", "i",
			store->now - (int64_t)CAPTURE_KEPT_S);
	if (rc == 0)
		rc = sql_run(store,
			"DELETE FROM share_link WHERE max(expires_at, revealed_at) <= ?", "i",
			store->now - (int64_t)SHARE_LINK_KEPT_S);
	if (rc == 0)
		rc = sql_run(store, "DELETE FROM idempotency WHERE at <= ?", "i",
			store->now - (int64_t)2 * DAY);
	if (rc == 0)
		rc = sql_run(store,
			"UPDATE hub SET floor = max(floor, coalesce((SELECT max(generation) FROM tombstone t"
			" WHERE t.hub_id = hub.id AND t.at <= ?), 0))",
			"i", store->now - (int64_t)7 * DAY);
	if (rc == 0)
		rc = sql_run(store, "DELETE FROM tombstone WHERE at <= ?", "i",
			store->now - (int64_t)7 * DAY);
	if (rc == 0)
		rc = sessions_prune(store);
	if (rc == 0)
		rc = events_prune(store);
	if (rc == 0)
		rc = deliveries_prune(store);
	return rc == 0 ? bandwidth_sweep(store) : rc;
}
