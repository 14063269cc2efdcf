// SPDX-License-Identifier: Apache-2.0
#include "kernel/tun.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
	VNET_HEADER_LEN = 10,
};

/* A device without VNET_HDR takes a further queue with it and ignores the flag: look. */
static int check_flags(int fd, short wanted)
{
	struct ifreq got = {0};
	if (ioctl(fd, TUNGETIFF, &got) != 0)
		return -errno;
	return (got.ifr_flags & wanted) == wanted ? 0 : -EBUSY;
}

static int set_up(int fd, const char *name, short flags)
{
	struct ifreq r = {.ifr_flags = flags};
	int header = VNET_HEADER_LEN;
	if (snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name) >= (int)sizeof(r.ifr_name))
		return -ENAMETOOLONG;
	if (ioctl(fd, TUNSETIFF, &r) != 0)
		return errno == EINVAL ? -EBUSY : -errno;
	if (ioctl(fd, TUNSETVNETHDRSZ, &header) != 0 || ioctl(fd, TUNSETOFFLOAD, 0) != 0)
		return -errno;
	return check_flags(fd, flags);
}

int tun_open(const char *name, enum tun_kind kind, int *ret_fd)
{
	short flags = (short)(IFF_NO_PI | IFF_VNET_HDR | IFF_MULTI_QUEUE
		| (kind == TUN_KIND_TAP ? IFF_TAP : IFF_TUN));
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int err = set_up(fd, name, flags);
	if (err != 0) {
		(void)close(fd);
		return err;
	}
	*ret_fd = fd;
	return 0;
}

int tun_detach(int fd)
{
	struct ifreq r = {.ifr_flags = IFF_DETACH_QUEUE};
	return ioctl(fd, TUNSETQUEUE, &r) == 0 ? 0 : -errno;
}
