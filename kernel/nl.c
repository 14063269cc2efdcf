// SPDX-License-Identifier: Apache-2.0
#include "kernel/nl.h"

#include <errno.h>
#include <stddef.h>

#include <netlink/errno.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

int nl_errno(int libnl_error)
{
	switch (libnl_error < 0 ? -libnl_error : libnl_error) {
	case 0:
		return 0;
	case NLE_EXIST:
		return -EEXIST;
	case NLE_OBJ_NOTFOUND:
	case NLE_NOADDR:
		return -ENOENT;
	case NLE_NODEV:
		return -ENODEV;
	case NLE_PERM:
	case NLE_NOACCESS:
		return -EPERM;
	case NLE_NOMEM:
		return -ENOMEM;
	case NLE_BUSY:
		return -EBUSY;
	case NLE_INVAL:
	case NLE_RANGE:
		return -EINVAL;
	case NLE_OPNOTSUPP:
		return -EOPNOTSUPP;
	default:
		return -EIO;
	}
}

int netlink_open(struct nl *nl)
{
	nl->sock = nl_socket_alloc();
	if (nl->sock == NULL)
		return -ENOMEM;
	int err = nl_errno(nl_connect(nl->sock, NETLINK_ROUTE));
	if (err != 0)
		netlink_close(nl);
	return err;
}

void netlink_close(struct nl *nl)
{
	nl_socket_free(nl->sock);
	nl->sock = NULL;
}
