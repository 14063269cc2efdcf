// SPDX-License-Identifier: Apache-2.0
/* A database of each earlier schema is taken along: what it held can be read, secrets too. */
#include "dataplane/base/hex.h"
#include "tests/unit/store/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static const char key_label[] = "Its secret.key: ";

static char *read_text(const char *path)
{
	FILE *in = fopen(path, "re");
	struct stat st;
	assert_non_null(in);
	assert_int_equal(fstat(fileno(in), &st), 0);
	char *text = calloc(1, (size_t)st.st_size + 1);
	assert_non_null(text);
	assert_int_equal(fread(text, 1, (size_t)st.st_size, in), st.st_size);
	(void)fclose(in);
	return text;
}

static void write_file(const struct fixture *f, const char *name, const void *data, size_t len)
{
	char path[PATH_MAX + 32];
	(void)snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	FILE *out = fopen(path, "we");
	assert_non_null(out);
	assert_int_equal(fwrite(data, 1, len, out), len);
	assert_int_equal(fclose(out), 0);
}

/* The fixture's own database gives way to the one in the file. */
static void load(struct fixture *f, const char *path)
{
	char *sql = read_text(path);
	const char *hex = strstr(sql, key_label);
	struct key key;
	fixture_fini(f);
	assert_int_equal(mkdir(f->dir, 0700), 0);
	assert_non_null(hex);
	assert_int_equal(
		hex_decode(hex + strlen(key_label), (size_t)2 * KEY_LEN, key.bytes, KEY_LEN),
		KEY_LEN);
	write_file(f, "secret.key", key.bytes, sizeof(key.bytes));
	write_file(f, "control.db", "", 0);
	fixture_run_sql(f, sql);
	free(sql);
}

static int find_instance(void *ctx, const struct instance *i)
{
	assert_string_equal(i->hostname, "acme");
	*(struct uuid *)ctx = i->id;
	return 0;
}

static int read_peer(void *ctx, const struct peer *p)
{
	struct fixture *f = ctx;
	struct key key;
	assert_int_equal(peer_private_key(f->store, &p->id, &key), 0);
	assert_int_equal(p->clock_resets, 0);
	assert_int_equal(p->subnets.count, p->type == PEER_SITE);
	return 0;
}

static void version_1(void **state)
{
	struct fixture *f = *state;
	const struct instance_filter all = {0};
	struct uuid id = {0};
	load(f, DATA "/store_v1.sql");
	assert_int_equal(fixture_number(f, "PRAGMA user_version"), 1);
	fixture_open(f);
	assert_true(fixture_number(f, "PRAGMA user_version") > 1);
	fixture_read(f);
	assert_int_equal(instance_list(f->store, &all, find_instance, &id), 0);
	const struct peer_filter peers = {.instance_id = &id};
	assert_int_equal(peer_list(f->store, &peers, read_peer, f), 0);
	fixture_rollback(f);
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM peer"), 2);
	/* and it stays as it is when it is opened again */
	fixture_close(f);
	fixture_open(f);
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM peer"), 2);
}

int main(void)
{
	static struct fixture f;
	fixture_init(&f);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(version_1, &f),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	fixture_fini(&f);
	return failed;
}
