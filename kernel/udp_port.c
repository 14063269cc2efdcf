// SPDX-License-Identifier: Apache-2.0
#include "kernel/udp_port.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

static int hold(const struct sockaddr *address, socklen_t len, int *ret_fd)
{
	int on = 1, least = 0;
	int fd = socket(address->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (address->sa_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &least, sizeof(least));
	if (bind(fd, address, len) != 0) {
		int err = -errno;
		(void)close(fd);
		return err;
	}
	*ret_fd = fd;
	return 0;
}

int udp_port_hold(struct udp_port *p, uint16_t port)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	p->fd4 = -1;
	p->fd6 = -1;
	int err = hold((const struct sockaddr *)&v4, sizeof(v4), &p->fd4);
	if (err == 0)
		err = hold((const struct sockaddr *)&v6, sizeof(v6), &p->fd6);
	if (err == -EAFNOSUPPORT)
		err = 0; /* a machine without IPv6 */
	if (err != 0)
		udp_port_release(p);
	return err;
}

void udp_port_release(struct udp_port *p)
{
	if (p->fd4 >= 0)
		(void)close(p->fd4);
	if (p->fd6 >= 0)
		(void)close(p->fd6);
	p->fd4 = -1;
	p->fd6 = -1;
}
