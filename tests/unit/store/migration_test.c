// SPDX-License-Identifier: Apache-2.0
/* A database of each earlier schema is taken along: what it held can be read, secrets too. */
#include "control/store/credential.h"
#include "control/store/openvpn.h"
#include "dataplane/base/hex.h"
#include "tests/unit/store/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>
#include <sqlite3.h>

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

static int find_any(void *ctx, const struct peer *p)
{
	if (p->protocol == PROTOCOL_ANY)
		*(struct uuid *)ctx = p->id;
	return 0;
}

/* What belongs to a peer stays with it, though its table is made anew. */
static void version_2(void **state)
{
	struct fixture *f = *state;
	const struct instance_filter all = {0};
	struct uuid id = {0};
	load(f, DATA "/store_v2.sql");
	assert_int_equal(fixture_number(f, "PRAGMA user_version"), 2);
	fixture_open(f);
	for (int n = 0; n < 2; n++) {
		assert_int_equal(fixture_number(f, "SELECT count(*) FROM peer"), 2);
		assert_int_equal(fixture_number(f, "SELECT count(*) FROM peer_status"), 2);
		assert_int_equal(fixture_number(f, "SELECT count(*) FROM subnet"), 1);
		assert_int_equal(fixture_number(f, "SELECT count(*) FROM capture"), 1);
		assert_int_equal(
			fixture_number(f, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
		fixture_close(f);
		fixture_open(f);
	}
	assert_int_equal(
		fixture_try_sql(f,
			"PRAGMA foreign_keys = ON; DELETE FROM peer WHERE protocol = 1;"
			"INSERT INTO subnet SELECT id, instance_id, 9, '192.168.0.0/16', zeroblob(16),"
			" x'ffffffffffffffffffffffffffffffff' FROM peer"),
		SQLITE_CONSTRAINT); /* its trigger is still there */
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM capture"), 0);
	fixture_read(f);
	assert_int_equal(instance_list(f->store, &all, find_instance, &id), 0);
	fixture_rollback(f);
}

/* An instance of before gets its part in OpenVPN, and so does a peer that could be any. */
static void openvpn_comes_to_version_2(void **state)
{
	struct fixture *f = *state;
	const struct instance_filter all = {0};
	const struct certificate_names names = {.host = "acme.vpn.example.net"};
	struct uuid id = {0}, any = {0};
	struct instance i;
	struct credential c;
	struct credential_secrets secrets;
	load(f, DATA "/store_v2.sql");
	fixture_open(f);
	fixture_write(f);
	assert_int_equal(instance_list(f->store, &all, find_instance, &id), 0);
	assert_int_equal(instance_find(f->store, &id, &i), 0);
	assert_int_equal(i.openvpn[OPENVPN_UDP].port, 0);
	assert_string_equal(i.conditions[CONDITION_DNS_PUBLISHED].reason, "Waiting");
	assert_int_equal(i.conditions[CONDITION_DNS_PUBLISHED].changed_at, i.created_at);
	assert_int_equal(i.openvpn[OPENVPN_UDP].wrap, OPENVPN_WRAP_TLS_CRYPT);
	assert_true(i.openvpn[OPENVPN_TCP].requires_password);
	assert_int_equal(i.certificate_renews_at, 0);
	assert_int_equal(openvpn_needs_certificate(f->store, &i, &names), 1);
	assert_int_equal(openvpn_allocate(f->store, &i, 1194, 1194), 0);
	assert_int_equal(openvpn_make_certificates(f->store, &i, &names), 0);
	assert_int_equal(openvpn_needs_certificate(f->store, &i, &names), 0);
	const struct peer_filter peers = {.instance_id = &id};
	assert_int_equal(peer_list(f->store, &peers, find_any, &any), 0);
	assert_int_equal(credential_find(f->store, &any, &c), 0);
	assert_string_equal(c.username, "laptop");
	assert_true(c.certificate[0] != '\0');
	assert_int_equal(credential_find_secrets(f->store, &any, &secrets), 0);
	fixture_commit(f);
	instance_fini(&i);
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM credential"), 1);
	/* or its new secrets would be forgotten before anybody could see them */
	assert_int_equal(fixture_number(f, "SELECT max(revealed_until) FROM peer"), 0);
}

/* What was is kept; what is new begins empty. */
static void version_3(void **state)
{
	struct fixture *f = *state;
	const struct instance_filter all = {0};
	struct uuid id = {0};
	load(f, DATA "/store_v3.sql");
	assert_int_equal(fixture_number(f, "PRAGMA user_version"), 3);
	fixture_open(f);
	assert_true(fixture_number(f, "PRAGMA user_version") > 3);
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM peer_status"), 2);
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM bandwidth"), 0);
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
	fixture_read(f);
	assert_int_equal(instance_list(f->store, &all, find_instance, &id), 0);
	fixture_rollback(f);
}

/* What came with 4 stays, and links have their place. */
static void version_4(void **state)
{
	struct fixture *f = *state;
	load(f, DATA "/store_v4.sql");
	assert_int_equal(fixture_number(f, "PRAGMA user_version"), 4);
	fixture_open(f);
	for (int n = 0; n < 2; n++) {
		assert_int_equal(fixture_number(f, "SELECT count(*) FROM peer"), 2);
		assert_int_equal(fixture_number(f, "SELECT count(*) FROM peer_status"), 2);
		assert_int_equal(fixture_number(f, "SELECT count(*) FROM share_link"), 0);
		assert_int_equal(
			fixture_number(f, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
		fixture_close(f);
		fixture_open(f);
	}
	assert_int_equal(
		fixture_try_sql(f,
			"PRAGMA foreign_keys = ON; INSERT INTO share_link (id, peer_id, hash, created_at,"
			" expires_at) VALUES (x'01', x'02', x'03', 1, 2)"),
		SQLITE_CONSTRAINT); /* of a peer that there is not */
}

int main(void)
{
	static struct fixture f;
	fixture_init(&f);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(version_1, &f),
		cmocka_unit_test_prestate(version_2, &f),
		cmocka_unit_test_prestate(version_4, &f),
		cmocka_unit_test_prestate(openvpn_comes_to_version_2, &f),
		cmocka_unit_test_prestate(version_3, &f),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	fixture_fini(&f);
	return failed;
}
