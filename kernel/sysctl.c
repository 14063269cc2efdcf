// SPDX-License-Identifier: Apache-2.0
#include "kernel/sysctl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int sysctl_write(const char *name, const char *value)
{
	char path[256];
	if (snprintf(path, sizeof(path), "/proc/sys/%s", name) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int err = write(fd, value, strlen(value)) < 0 ? -errno : 0;
	(void)close(fd);
	return err;
}
