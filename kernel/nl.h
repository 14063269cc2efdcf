/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KERNEL_NL_H
#define KERNEL_NL_H

#include <stdbool.h>
#include <stdint.h>

struct nl_sock;

/*
 * One route netlink socket for requests. Functions of this folder return 0 or -errno, wait for
 * the kernel's answer, and are used by one thread; they hold no policy and never log.
 */
struct nl {
	struct nl_sock *sock;
};

int netlink_open(struct nl *nl);
void netlink_close(struct nl *nl);
/* libnl's error as -errno. */
int nl_errno(int libnl_error);

#endif
