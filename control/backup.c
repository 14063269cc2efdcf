// SPDX-License-Identifier: Apache-2.0
#include "control/backup.h"

#include "control/admin_token.h"
#include "control/config.h"
#include "control/process.h"
#include "control/store/backup.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	ERROR_TEXT = 1024,
};

static int fail(const char *error)
{
	(void)fprintf(stderr, "nave-control: %s\n", error);
	return 1;
}

int backup_make(const struct control_config *config, const char *file)
{
	char error[ERROR_TEXT] = "";
	(void)umask(077);
	if (store_backup(config->state_dir, file, error, sizeof(error)) < 0)
		return fail(error);
	printf("%s is a backup of %s. Keep %s/secret.key too, elsewhere: without it nobody reads the secrets"
	       " in the backup.\n",
		file, config->state_dir, config->state_dir);
	return 0;
}

/* Made by root on a new machine, it must be the daemon's to take later. */
static int give_lock(const char *state_dir, int fd)
{
	struct stat st;
	if (stat(state_dir, &st) != 0)
		return -errno;
	return geteuid() != 0 || fchown(fd, st.st_uid, st.st_gid) == 0 ? 0 : -errno;
}

static int restore(const struct control_config *config, const char *file, char *error)
{
	struct store *store = NULL;
	int rc = store_restore(config->state_dir, file, error, ERROR_TEXT);
	if (rc == 0)
		rc = store_open(config->state_dir, &store, error, ERROR_TEXT);
	if (rc < 0)
		return rc;
	rc = admin_token_settle(store, config->state_dir);
	if (rc < 0)
		(void)snprintf(error, ERROR_TEXT, "%s/admin.token: %s", config->state_dir,
			strerrordesc_np(-rc));
	store_close(store);
	return rc;
}

int backup_restore(const struct control_config *config, const char *file)
{
	char error[ERROR_TEXT] = "";
	(void)umask(077);
	int fd = process_lock(config->state_dir);
	if (fd < 0) {
		(void)snprintf(error, sizeof(error), "%s: %s", config->state_dir,
			fd == -EWOULDBLOCK ? "nave-control runs on this folder; stop it first"
					   : strerrordesc_np(-fd));
		return fail(error);
	}
	int rc = give_lock(config->state_dir, fd);
	if (rc < 0)
		(void)snprintf(
			error, sizeof(error), "%s: %s", config->state_dir, strerrordesc_np(-rc));
	if (rc == 0)
		rc = restore(config, file, error);
	(void)close(fd);
	if (rc < 0)
		return fail(error);
	printf("%s is what %s has now; start nave-control. What was there is control.db.before.\n",
		file, config->state_dir);
	return 0;
}
