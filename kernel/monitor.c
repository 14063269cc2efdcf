// SPDX-License-Identifier: Apache-2.0
#include "kernel/monitor.h"

#include "kernel/nl.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <netlink/netlink.h>
#include <netlink/socket.h>

enum {
	RECEIVE_BUFFER = 1 << 20,
};

int monitor_open(struct monitor *m)
{
	m->sock = nl_socket_alloc();
	if (m->sock == NULL)
		return -ENOMEM;
	int err = nl_connect(m->sock, NETLINK_ROUTE);
	if (err == 0)
		err = nl_socket_add_memberships(m->sock, RTNLGRP_LINK, RTNLGRP_NEIGH,
			RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE,
			RTNLGRP_IPV6_ROUTE, 0);
	if (err == 0)
		err = nl_socket_set_nonblocking(m->sock);
	if (err == 0)
		err = nl_socket_set_buffer_size(m->sock, RECEIVE_BUFFER, 0);
	if (err != 0)
		monitor_close(m);
	return nl_errno(err);
}

void monitor_close(struct monitor *m)
{
	nl_socket_free(m->sock);
	m->sock = NULL;
}

int monitor_fd(const struct monitor *m)
{
	return nl_socket_get_fd(m->sock);
}

/* ENOBUFS says that something was lost: the dump that follows makes up for it. */
void monitor_drain(struct monitor *m)
{
	char buf[32768];
	ssize_t n;
	do {
		n = recv(monitor_fd(m), buf, sizeof(buf), MSG_DONTWAIT);
	} while (n > 0 || (n < 0 && (errno == EINTR || errno == ENOBUFS)));
}
