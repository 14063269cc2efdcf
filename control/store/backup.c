// SPDX-License-Identifier: Apache-2.0
/*
 * A backup is taken by SQLite itself, so that it is whole whatever the daemon writes meanwhile. A restore
 * is prepared in a folder beside the database and opened there as a daemon would; its last step is one
 * rename. Run by root it leaves every file to the folder's owner.
 */
#include "control/store/backup.h"

#include "control/store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	PATH_TEXT = 640,
};

static int fail(char *error, unsigned int size, const char *path, int rc)
{
	(void)snprintf(error, size, "%s: %s", path, strerrordesc_np(-rc));
	return rc;
}

static int sync_path(const char *path, int flags)
{
	int fd = open(path, flags | O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int rc = fsync(fd) < 0 ? -errno : 0;
	(void)close(fd);
	return rc;
}

static int check_integrity(sqlite3 *db)
{
	sqlite3_stmt *stmt;
	if (sqlite3_prepare_v2(db, "PRAGMA integrity_check(1)", -1, &stmt, NULL) != SQLITE_OK)
		return -EUCLEAN;
	bool is_well = sqlite3_step(stmt) == SQLITE_ROW
		&& strcmp((const char *)sqlite3_column_text(stmt, 0), "ok") == 0;
	(void)sqlite3_finalize(stmt);
	return is_well ? 0 : -EUCLEAN;
}

/* All pages in one step: one read transaction, which a writer does not make begin again. */
static int copy_pages(sqlite3 *from, sqlite3 *to)
{
	sqlite3_backup *copy = sqlite3_backup_init(to, "main", from, "main");
	if (copy == NULL)
		return -EIO;
	(void)sqlite3_backup_step(copy, -1);
	if (sqlite3_backup_finish(copy) != SQLITE_OK)
		return sqlite3_system_errno(to) == ENOSPC ? -ENOSPC : -EIO;
	/* a file by itself, without a journal beside it */
	if (sqlite3_exec(to, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL) != SQLITE_OK)
		return -EIO;
	return check_integrity(to);
}

/* to is made by the caller, with its mode. */
static int copy_database(
	const char *from_path, const char *to_path, char *error, unsigned int error_size)
{
	sqlite3 *from = NULL, *to = NULL;
	int rc = -EIO;
	if (sqlite3_open_v2(from_path, &from, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK
		&& sqlite3_open_v2(to_path, &to, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK) {
		(void)sqlite3_busy_timeout(from, 5000);
		rc = copy_pages(from, to);
	}
	if (rc < 0)
		(void)snprintf(error, error_size, "%s: %s", from_path,
			rc == -EUCLEAN		? "this database is not well"
				: rc == -ENOSPC ? "no room for the copy"
				: from == NULL	? "out of memory"
				: to != NULL	? sqlite3_errmsg(to)
						: sqlite3_errmsg(from));
	(void)sqlite3_close(from);
	(void)sqlite3_close(to);
	return rc;
}

static int create(const char *path, char *error, unsigned int error_size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return fail(error, error_size, path, -errno);
	(void)close(fd);
	return 0;
}

int store_backup(const char *state_dir, const char *file, char *error, unsigned int error_size)
{
	char database[PATH_TEXT], part[PATH_TEXT];
	if (snprintf(database, sizeof(database), "%s/control.db", state_dir) >= PATH_TEXT
		|| snprintf(part, sizeof(part), "%s.part", file) >= PATH_TEXT)
		return fail(error, error_size, file, -ENAMETOOLONG);
	if (access(file, F_OK) == 0)
		return fail(error, error_size, file, -EEXIST);
	if (access(database, R_OK) != 0)
		return fail(error, error_size, database, -errno);
	int rc = create(part, error, error_size);
	if (rc < 0)
		return rc;
	rc = copy_database(database, part, error, error_size);
	if (rc == 0) {
		rc = sync_path(part, 0);
		/* link, not rename: a file that came meanwhile stays */
		if (rc == 0 && link(part, file) != 0)
			rc = -errno;
		if (rc < 0)
			(void)fail(error, error_size, file, rc);
	}
	(void)unlink(part);
	return rc;
}

static int new_epoch(struct store *store)
{
	struct uuid epoch;
	int rc = uuid_generate(&epoch);
	if (rc == 0)
		rc = store_begin(store, STORE_WRITE);
	if (rc < 0)
		return rc;
	rc = sql_run(store, "UPDATE meta SET epoch = ?", "u", &epoch);
	int ended = store_end(store, rc == 0);
	return rc < 0 ? rc : ended;
}

/* As the daemon will find it: the key fits, the schema is of today, the journal is in the file. */
static int prepare(const char *folder, char *error, unsigned int error_size)
{
	struct store *store;
	int rc = store_open(folder, &store, error, error_size);
	if (rc < 0)
		return rc;
	rc = new_epoch(store);
	if (rc < 0)
		(void)fail(error, error_size, folder, rc);
	store_close(store);
	return rc;
}

struct restore {
	char folder[PATH_TEXT]; /* beside the database, on the same file system */
	char key[PATH_TEXT], new_key[PATH_TEXT];
	char database[PATH_TEXT], new_database[PATH_TEXT], old_database[PATH_TEXT];
};

static int name_files(struct restore *r, const char *state_dir)
{
	const struct {
		char *ret;
		const char *folder, *name;
	} paths[] = {
		{r->folder, state_dir, "restore"},
		{r->key, state_dir, "secret.key"},
		{r->new_key, r->folder, "secret.key"},
		{r->database, state_dir, "control.db"},
		{r->new_database, r->folder, "control.db"},
		{r->old_database, state_dir, "control.db.before"},
	};
	for (size_t n = 0; n < sizeof(paths) / sizeof(paths[0]); n++) {
		if (snprintf(paths[n].ret, PATH_TEXT, "%s/%s", paths[n].folder, paths[n].name)
			>= PATH_TEXT)
			return -ENAMETOOLONG;
	}
	return 0;
}

static void clean(const struct restore *r)
{
	static const char *const journals[] = {"-wal", "-shm", "-journal", ""};
	char path[PATH_TEXT + 16];
	for (size_t n = 0; n < sizeof(journals) / sizeof(journals[0]); n++) {
		(void)snprintf(path, sizeof(path), "%s%s", r->new_database, journals[n]);
		(void)unlink(path);
	}
	(void)unlink(r->new_key);
	(void)rmdir(r->folder);
}

/* Any other database would be taken for one of version 0, and become an empty one of ours. */
static int check_ours(const char *path, const char *file, char *error, unsigned int error_size)
{
	sqlite3 *db = NULL;
	bool is_ours = sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK
		&& sqlite3_exec(db, "SELECT epoch, key_check FROM meta", NULL, NULL, NULL)
			== SQLITE_OK;
	(void)sqlite3_close(db);
	if (is_ours)
		return 0;
	(void)snprintf(error, error_size, "%s: this is no backup of nave-control", file);
	return -EUCLEAN;
}

static int build(const struct restore *r, const char *file, char *error, unsigned int error_size)
{
	if (access(file, R_OK) != 0)
		return fail(error, error_size, file, -errno);
	if (mkdir(r->folder, 0700) != 0)
		return fail(error, error_size, r->folder, -errno);
	if (link(r->key, r->new_key) != 0)
		return fail(error, error_size, r->key, -errno);
	int rc = create(r->new_database, error, error_size);
	if (rc == 0)
		rc = copy_database(file, r->new_database, error, error_size);
	if (rc == 0)
		rc = check_ours(r->new_database, file, error, error_size);
	return rc == 0 ? prepare(r->folder, error, error_size) : rc;
}

/* What is in its journal goes into the database that is kept, or the next one would take it for its own. */
static int put_old_aside(const struct restore *r)
{
	static const char *const journals[] = {"-wal", "-shm", "-journal"};
	sqlite3 *db = NULL;
	if (sqlite3_open_v2(r->database, &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK)
		(void)sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	(void)sqlite3_close(db);
	(void)unlink(r->old_database);
	if (link(r->database, r->old_database) != 0 && errno != ENOENT)
		return -errno;
	for (size_t n = 0; n < sizeof(journals) / sizeof(journals[0]); n++) {
		char from[PATH_TEXT + 16], to[PATH_TEXT + 16];
		(void)snprintf(from, sizeof(from), "%s%s", r->database, journals[n]);
		(void)snprintf(to, sizeof(to), "%s%s", r->old_database, journals[n]);
		(void)unlink(to);
		if (rename(from, to) != 0 && errno != ENOENT)
			return -errno;
	}
	return 0;
}

/* Whoever runs this, the daemon must be able to open what it finds. */
static int give_to_owner(const struct restore *r, const char *state_dir)
{
	struct stat st;
	if (stat(state_dir, &st) != 0)
		return -errno;
	if (geteuid() != 0)
		return 0;
	return chown(r->new_database, st.st_uid, st.st_gid) == 0
			&& chown(r->key, st.st_uid, st.st_gid) == 0
		? 0
		: -errno;
}

static int put_in_place(const struct restore *r, const char *state_dir)
{
	int rc = give_to_owner(r, state_dir);
	if (rc == 0)
		rc = sync_path(r->new_database, 0);
	if (rc == 0)
		rc = put_old_aside(r);
	if (rc == 0 && rename(r->new_database, r->database) != 0)
		rc = -errno;
	return rc == 0 ? sync_path(state_dir, O_DIRECTORY) : rc;
}

int store_restore(const char *state_dir, const char *file, char *error, unsigned int error_size)
{
	struct restore r;
	int rc = name_files(&r, state_dir);
	if (rc < 0)
		return fail(error, error_size, state_dir, rc);
	clean(&r); /* of one that was killed */
	rc = build(&r, file, error, error_size);
	if (rc == 0) {
		rc = put_in_place(&r, state_dir);
		if (rc < 0)
			(void)fail(error, error_size, r.database, rc);
	}
	clean(&r);
	return rc;
}
