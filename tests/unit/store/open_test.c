// SPDX-License-Identifier: Apache-2.0
/* What store_open refuses, what survives closing, and that the file shows no secret. */
#include "control/store/api_key.h"
#include "tests/unit/store/fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static int setup(void **state)
{
	static struct fixture f;
	fixture_init(&f);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	fixture_fini(*state);
	return 0;
}

static void path_of(const struct fixture *f, const char *name, char ret[PATH_MAX + 32])
{
	(void)snprintf(ret, PATH_MAX + 32, "%s/%s", f->dir, name);
}

static void expect_refused(struct fixture *f, int rc, const char *words)
{
	char error[256] = "";
	struct store *store = NULL;
	assert_int_equal(store_open(f->dir, &store, error, sizeof(error)), rc);
	assert_null(store);
	if (strstr(error, words) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", error, words);
}

static void identity_survives(void **state)
{
	struct fixture *f = *state;
	const struct uuid epoch = *store_epoch(f->store), workspace = *store_workspace(f->store);
	int64_t created_at = store_created_at(f->store);
	fixture_close(f);
	fixture_open(f);
	assert_true(uuid_equal(&epoch, store_epoch(f->store)));
	assert_true(uuid_equal(&workspace, store_workspace(f->store)));
	assert_int_equal(created_at, store_created_at(f->store));
	assert_true(created_at > 0);
}

static void files_are_the_owners_alone(void **state)
{
	struct fixture *f = *state;
	static const char *const names[] = {"secret.key", "control.db"};
	for (size_t i = 0; i < 2; i++) {
		char path[PATH_MAX + 32];
		struct stat st;
		path_of(f, names[i], path);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 077, 0);
	}
}

static void a_missing_key_is_refused(void **state)
{
	struct fixture *f = *state;
	char path[PATH_MAX + 32];
	fixture_close(f);
	path_of(f, "secret.key", path);
	assert_int_equal(unlink(path), 0);
	expect_refused(f, -ENOENT, "secret.key");
	assert_int_not_equal(access(path, F_OK), 0); /* none is made in its place */
}

static void write_key(const char *path, size_t len, mode_t mode)
{
	static const uint8_t bytes[64] = {1, 2, 3};
	(void)unlink(path);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	assert_int_equal(fchmod(fd, mode), 0);
	(void)close(fd);
}

static void a_wrong_key_is_refused(void **state)
{
	struct fixture *f = *state;
	char path[PATH_MAX + 32];
	fixture_close(f);
	path_of(f, "secret.key", path);
	write_key(path, KEY_LEN, 0600);
	expect_refused(f, -EKEYREJECTED, "secret.key");
	write_key(path, KEY_LEN - 1, 0600);
	expect_refused(f, -EUCLEAN, "secret.key");
	write_key(path, KEY_LEN, 0640);
	expect_refused(f, -EPERM, "chmod 600");
}

static void a_later_database_is_refused(void **state)
{
	struct fixture *f = *state;
	fixture_close(f);
	fixture_run_sql(f, "PRAGMA user_version = 999");
	expect_refused(f, -EPROTONOSUPPORT, "later version");
	assert_int_equal(fixture_number(f, "PRAGMA user_version"), 999);
}

static void what_is_no_database_is_refused(void **state)
{
	struct fixture *f = *state;
	char path[PATH_MAX + 32];
	struct stat st;
	fixture_close(f);
	path_of(f, "control.db", path);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	for (int i = 0; i < 1000; i++)
		(void)fprintf(file, "no database\n");
	(void)fclose(file);
	expect_refused(f, -EUCLEAN, "control.db");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 12000); /* left as it is */
}

/* Looks for bytes, and for their base64, in every file of the store but the key. */
static bool directory_shows(struct fixture *f, const void *bytes, size_t len)
{
	static const char *const names[] = {"control.db", "control.db-wal", "control.db-shm"};
	bool shown = false;
	for (size_t i = 0; i < 3; i++) {
		char path[PATH_MAX + 32];
		struct stat st;
		path_of(f, names[i], path);
		int fd = open(path, O_RDONLY);
		if (fd < 0)
			continue;
		assert_int_equal(fstat(fd, &st), 0);
		char *data = malloc((size_t)st.st_size + 1);
		assert_non_null(data);
		assert_int_equal(read(fd, data, (size_t)st.st_size), st.st_size);
		shown |= memmem(data, (size_t)st.st_size, bytes, len) != NULL;
		free(data);
		(void)close(fd);
	}
	return shown;
}

static void expect_hidden(struct fixture *f, const struct key *k)
{
	char base64[KEY_BASE64_TEXT];
	assert_false(key_is_zero(k));
	assert_false(directory_shows(f, k->bytes, KEY_LEN));
	assert_false(directory_shows(f, key_to_base64(k, base64), KEY_BASE64_TEXT - 1));
}

static void no_secret_is_in_clear(void **state)
{
	struct fixture *f = *state;
	struct hub h;
	struct instance i;
	struct peer p;
	struct key k;
	struct uuid hub_id;
	struct model_errors errors = {0};
	char hub_token[HUB_TOKEN_TEXT], token[API_KEY_TEXT];
	struct api_key api_key = {.name = "ci", .role = API_KEY_OWNER, .labels = json_object()};
	fixture_write(f);
	assert_int_equal(hub_enrol(f->store, "hub1", "local", &hub_id, hub_token), 0);
	fixture_hub(f, "hub2", &h);
	fixture_ready_instance(f, "acme", &i);
	assert_int_equal(fixture_add_peer(f, &i, "alice", NULL, &p), 0);
	assert_int_equal(api_key_add(f->store, &api_key, token, &errors), 0);
	fixture_commit(f);
	/* That the search finds what is there, or it proves nothing. */
	assert_true(directory_shows(f, "alice", 5));
	assert_true(directory_shows(f, i.public_key.bytes, KEY_LEN));
	fixture_read(f);
	assert_int_equal(instance_private_key(f->store, &i.id, &k), 0);
	expect_hidden(f, &k);
	assert_int_equal(peer_private_key(f->store, &p.id, &k), 0);
	expect_hidden(f, &k);
	assert_int_equal(peer_preshared_key(f->store, &p.id, &k), 0);
	expect_hidden(f, &k);
	fixture_rollback(f);
	assert_false(directory_shows(f, hub_token + 8, 43));
	assert_false(directory_shows(f, token + 8, 43));
	api_key_fini(&api_key);
	peer_fini(&p);
	instance_fini(&i);
	hub_fini(&h);
}

static void boxes_stay_where_they_were_sealed(void **state)
{
	struct fixture *f = *state;
	struct hub h;
	struct instance i;
	struct peer a, b;
	struct key k;
	fixture_write(f);
	fixture_hub(f, "hub1", &h);
	fixture_ready_instance(f, "acme", &i);
	assert_int_equal(fixture_add_peer(f, &i, "alice", NULL, &a), 0);
	assert_int_equal(fixture_add_peer(f, &i, "bob", NULL, &b), 0);
	fixture_commit(f);
	/* Another row's box, and another column's. */
	fixture_run_sql(f,
		"UPDATE peer SET private_key_box = (SELECT private_key_box FROM peer WHERE name = 'bob')"
		" WHERE name = 'alice'");
	fixture_run_sql(
		f, "UPDATE peer SET preshared_key_box = private_key_box WHERE name = 'bob'");
	fixture_read(f);
	assert_int_equal(peer_private_key(f->store, &a.id, &k), -EUCLEAN);
	assert_int_equal(peer_preshared_key(f->store, &b.id, &k), -EUCLEAN);
	assert_int_equal(peer_private_key(f->store, &b.id, &k), 0);
	assert_int_equal(peer_preshared_key(f->store, &a.id, &k), 0);
	fixture_rollback(f);
	peer_fini(&a);
	peer_fini(&b);
	instance_fini(&i);
	hub_fini(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(identity_survives, setup, teardown),
		cmocka_unit_test_setup_teardown(files_are_the_owners_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(a_missing_key_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(a_wrong_key_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(a_later_database_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_no_database_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(no_secret_is_in_clear, setup, teardown),
		cmocka_unit_test_setup_teardown(boxes_stay_where_they_were_sealed, setup, teardown),
	};
	return cmocka_run_group_tests_name("store/open", tests, NULL, NULL);
}
