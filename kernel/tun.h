/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KERNEL_TUN_H
#define KERNEL_TUN_H

#include <stdbool.h>

enum tun_kind {
	TUN_KIND_TAP, /* frames */
	TUN_KIND_TUN, /* packets */
};

/*
 * Opens a queue of a multi-queue TAP or TUN device with a virtio header of 10 bytes, and makes the
 * device when it is not there. The device lives as long as one queue is open. 0, -EBUSY: there
 * is a device of that name that is of another kind, or -errno.
 */
int tun_open(const char *name, enum tun_kind kind, int *ret_fd);
/* A detached queue gets no packets: it only keeps the device. */
int tun_detach(int fd);

#endif
