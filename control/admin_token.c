// SPDX-License-Identifier: Apache-2.0
#include "control/admin_token.h"

#include "control/store/api_key.h"
#include "control/store/store.h"
#include "dataplane/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char key_name[] = "admin.token";

static int keep_id(void *ctx, const struct api_key *k)
{
	*(struct uuid *)ctx = k->id;
	return 1;
}

/* A key of that name from before is of a file that is gone. */
static int revoke_old(struct store *store)
{
	const struct api_key_filter filter = {.name = key_name};
	struct uuid id = {0};
	struct api_key k;
	int rc = api_key_list(store, &filter, keep_id, &id);
	if (rc < 0 || uuid_is_zero(&id))
		return rc;
	rc = api_key_find(store, &id, &k);
	if (rc == 0) {
		rc = api_key_del(store, &k);
		api_key_fini(&k);
	}
	return rc;
}

static int add_key(struct store *store, char ret_token[API_KEY_TEXT])
{
	struct api_key k = {.role = API_KEY_OWNER, .labels = json_object()};
	struct model_errors errors = {0};
	(void)snprintf(k.name, sizeof(k.name), "%s", key_name);
	int rc = api_key_add(store, &k, ret_token, &errors);
	api_key_fini(&k);
	return rc;
}

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	int err = dprintf(fd, "%s\n", text) > 0 && fsync(fd) == 0 ? 0 : -errno;
	if (close(fd) != 0 && err == 0)
		err = -errno;
	return err;
}

/* The file gets its name last: a crash in between leaves no half of one. */
static int make(struct store *store, const char *path)
{
	char token[API_KEY_TEXT], new[600];
	if (snprintf(new, sizeof(new), "%s.new", path) >= (int)sizeof(new))
		return -ENAMETOOLONG;
	int rc = store_begin(store, STORE_WRITE);
	if (rc < 0)
		return rc;
	rc = revoke_old(store);
	if (rc == 0)
		rc = add_key(store, token);
	if (rc == 0)
		rc = write_file(new, token);
	explicit_bzero(token, sizeof(token));
	int ended = store_end(store, rc == 0);
	rc = rc < 0 ? rc : ended;
	return rc == 0 && rename(new, path) != 0 ? -errno : rc;
}

int admin_token_make(struct store *store, const char *dir)
{
	char path[512];
	if (snprintf(path, sizeof(path), "%s/%s", dir, key_name) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	if (access(path, F_OK) == 0)
		return 0;
	int rc = make(store, path);
	if (rc < 0)
		log_error("cannot make %s: %s", path, strerrordesc_np(-rc));
	return rc;
}

int admin_token_settle(struct store *store, const char *dir)
{
	char path[512], token[API_KEY_TEXT] = "";
	struct api_key k;
	if (snprintf(path, sizeof(path), "%s/%s", dir, key_name) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	FILE *f = fopen(path, "re");
	if (f == NULL)
		return errno == ENOENT ? 0 : -errno;
	if (fgets(token, sizeof(token), f) != NULL)
		token[strcspn(token, "\n")] = '\0';
	(void)fclose(f);
	int rc = store_begin(store, STORE_READ);
	if (rc < 0)
		return rc;
	rc = api_key_find_token(store, token, &k);
	explicit_bzero(token, sizeof(token));
	if (rc == 0)
		api_key_fini(&k);
	(void)store_end(store, false);
	if (rc == -ENOENT)
		rc = unlink(path) == 0 ? 0 : -errno;
	return rc;
}
