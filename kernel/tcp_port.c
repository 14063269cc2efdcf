// SPDX-License-Identifier: Apache-2.0
#include "kernel/tcp_port.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	BACKLOG = 1024,
};

static int listen_at(const struct sockaddr *address, socklen_t len, int *ret_fd)
{
	int on = 1, off = 0;
	int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	/* connections of an earlier run may still be winding down */
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (address->sa_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(fd, address, len) != 0 || listen(fd, BACKLOG) != 0) {
		int err = -errno;
		(void)close(fd);
		return err;
	}
	*ret_fd = fd;
	return 0;
}

int tcp_port_listen(uint16_t port, int *ret_fd)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	int err = listen_at((const struct sockaddr *)&v6, sizeof(v6), ret_fd);
	if (err == -EAFNOSUPPORT || err == -EADDRNOTAVAIL)
		err = listen_at((const struct sockaddr *)&v4, sizeof(v4), ret_fd);
	return err;
}
