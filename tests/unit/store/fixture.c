// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/store/fixture.h"

#include "control/model/wireguard_key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

void fixture_init(struct fixture *f)
{
	(void)umask(077);
	(void)snprintf(f->dir, sizeof(f->dir), "/tmp/nave-store-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	f->store = NULL;
	fixture_open(f);
}

void fixture_fini(struct fixture *f)
{
	fixture_close(f);
	static const char *const names[] = {
		"control.db", "control.db-wal", "control.db-shm", "secret.key"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char path[PATH_MAX + 32];
		(void)snprintf(path, sizeof(path), "%s/%s", f->dir, names[i]);
		(void)unlink(path);
	}
	assert_int_equal(rmdir(f->dir), 0);
}

void fixture_open(struct fixture *f)
{
	char error[256] = "";
	if (store_open(f->dir, &f->store, error, sizeof(error)) != 0)
		fail_msg("%s", error);
}

void fixture_close(struct fixture *f)
{
	store_close(f->store);
	f->store = NULL;
}

void fixture_write(struct fixture *f)
{
	assert_int_equal(store_begin(f->store, STORE_WRITE), 0);
}

void fixture_read(struct fixture *f)
{
	assert_int_equal(store_begin(f->store, STORE_READ), 0);
}

void fixture_commit(struct fixture *f)
{
	assert_int_equal(store_end(f->store, true), 0);
}

void fixture_rollback(struct fixture *f)
{
	assert_int_equal(store_end(f->store, false), 0);
}

static sqlite3 *open_other(struct fixture *f)
{
	char path[PATH_MAX + 16];
	sqlite3 *db;
	(void)snprintf(path, sizeof(path), "%s/control.db", f->dir);
	assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	(void)sqlite3_busy_timeout(db, 5000);
	return db;
}

void fixture_run_sql(struct fixture *f, const char *sql)
{
	sqlite3 *db = open_other(f);
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	(void)sqlite3_close(db);
}

int fixture_try_sql(struct fixture *f, const char *sql)
{
	sqlite3 *db = open_other(f);
	int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
	(void)sqlite3_close(db);
	return rc;
}

int64_t fixture_number(struct fixture *f, const char *sql)
{
	sqlite3 *db = open_other(f);
	sqlite3_stmt *stmt;
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	int64_t n = sqlite3_column_int64(stmt, 0);
	(void)sqlite3_finalize(stmt);
	(void)sqlite3_close(db);
	return n;
}

struct ip_prefix fixture_prefix(const char *text)
{
	struct ip_prefix p;
	assert_int_equal(ip_prefix_parse(text, &p), 0);
	return p;
}

void fixture_hub(struct fixture *f, const char *name, struct hub *ret)
{
	struct uuid id;
	char token[HUB_TOKEN_TEXT];
	assert_int_equal(hub_enrol(f->store, name, "local", &id, token), 0);
	assert_int_equal(hub_find(f->store, &id, ret), 0);
}

int fixture_add_instance(struct fixture *f, const char *name, struct instance *ret)
{
	const struct ip_prefix pool = fixture_prefix("10.192.0.0/10");
	struct model_errors errors = {0};
	instance_init(ret);
	(void)snprintf(ret->name, sizeof(ret->name), "%s", name);
	(void)snprintf(ret->hostname, sizeof(ret->hostname), "%s", name);
	(void)snprintf(ret->region, sizeof(ret->region), "local");
	return instance_add(f->store, ret, &pool, &errors);
}

void fixture_ready_instance(struct fixture *f, const char *name, struct instance *ret)
{
	assert_int_equal(fixture_add_instance(f, name, ret), 0);
	assert_int_equal(instance_allocate(f->store, ret, 51820, 52819), 0);
	assert_int_equal(instance_make_keys(f->store, ret), 0);
}

int fixture_add_peer(struct fixture *f, const struct instance *i, const char *name,
	const char *subnet, struct peer *ret)
{
	struct model_errors errors = {0};
	struct key private_key;
	peer_init(ret);
	assert_int_equal(wireguard_key_generate(&private_key, &ret->public_key), 0);
	(void)snprintf(ret->name, sizeof(ret->name), "%s", name);
	ret->type = subnet != NULL ? PEER_SITE : PEER_CLIENT;
	ret->key_is_ours = true;
	if (subnet != NULL) {
		ret->subnets.list[0] = fixture_prefix(subnet);
		ret->subnets.count = 1;
	}
	int rc = peer_add(f->store, i, ret, &private_key, &errors);
	key_wipe(&private_key);
	return rc;
}
