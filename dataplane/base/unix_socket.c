// SPDX-License-Identifier: Apache-2.0
#include "dataplane/base/unix_socket.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int address_of(const char *path, struct sockaddr_un *ret)
{
	size_t len = strlen(path);
	if (len == 0 || len >= sizeof(ret->sun_path))
		return -ENAMETOOLONG;
	*ret = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(ret->sun_path, path, len);
	return 0;
}

bool unix_socket_is_stale(const char *path, int type)
{
	struct sockaddr_un address;
	struct stat st;
	if (address_of(path, &address) != 0 || lstat(path, &st) != 0 || !S_ISSOCK(st.st_mode))
		return false;
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return false;
	bool refused = connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0
		&& errno == ECONNREFUSED;
	(void)close(fd);
	return refused;
}

static int bind_path(int fd, const char *path, int type, mode_t mode)
{
	struct sockaddr_un address;
	int err = address_of(path, &address);
	if (err != 0)
		return err;
	/* on a socket that has no name yet this is the mode of the file to come (less the umask) */
	if (fchmod(fd, mode) != 0)
		return -errno;
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return 0;
	if (errno != EADDRINUSE)
		return -errno;
	if (!unix_socket_is_stale(path, type) || unlink(path) != 0)
		return -EADDRINUSE;
	return bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 ? 0 : -errno;
}

int unix_socket_listen(const char *path, int type, mode_t mode, int backlog, int *ret_fd)
{
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	mode_t mask = umask(0777 & ~mode);
	int err = bind_path(fd, path, type, mode);
	(void)umask(mask);
	if (err == 0 && listen(fd, backlog) != 0)
		err = -errno;
	if (err != 0) {
		(void)close(fd);
		return err;
	}
	*ret_fd = fd;
	return 0;
}
