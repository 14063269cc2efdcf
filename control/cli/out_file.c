// SPDX-License-Identifier: Apache-2.0
#include "control/cli/out_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static enum exit_code complain(const char *path)
{
	(void)fprintf(stderr, "nave: %s: %s\n", path, strerrordesc_np(errno));
	return EXIT_CODE_FAILED;
}

enum exit_code out_file_create(struct out_file *f, const char *path)
{
	f->path = path;
	f->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return f->fd >= 0 ? EXIT_CODE_OK : complain(path);
}

enum exit_code out_file_write(const struct out_file *f, const void *data, size_t len)
{
	if (write(f->fd, data, len) != (ssize_t)len || fsync(f->fd) != 0)
		return complain(f->path);
	return EXIT_CODE_OK;
}

enum exit_code out_file_end(struct out_file *f, enum exit_code code)
{
	(void)close(f->fd);
	if (code != EXIT_CODE_OK)
		(void)unlink(f->path);
	return code;
}
