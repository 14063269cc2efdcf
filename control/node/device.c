// SPDX-License-Identifier: Apache-2.0
#include "control/node/device.h"

#include "kernel/link.h"

#include <stdio.h>
#include <unistd.h>

void device_init(struct device *d, const char *name, enum tun_kind kind)
{
	*d = (struct device){.kind = kind, .keeper = -1};
	(void)snprintf(d->name, sizeof(d->name), "%s", name);
}

bool device_is_there(const struct device *d)
{
	return d->keeper >= 0 && link_find(d->name) == d->ifindex;
}

int device_open(struct device *d)
{
	if (device_is_there(d))
		return 0;
	device_close(d);
	d->wants_queue = link_find(d->name) < 0;
	int err = tun_open(d->name, d->kind, &d->keeper);
	if (err == 0)
		err = tun_detach(d->keeper);
	d->ifindex = link_find(d->name);
	return err;
}

int device_give_queue(struct device *d, struct dp_client *dp, enum dp_msg_type type,
	const void *payload, size_t len)
{
	int fd;
	int err = tun_open(d->name, d->kind, &fd);
	if (err != 0)
		return err;
	err = dp_client_call(dp, type, payload, len, fd, NULL);
	(void)close(fd);
	d->wants_queue = d->wants_queue && err != 0;
	return err;
}

void device_close(struct device *d)
{
	if (d->keeper >= 0)
		(void)close(d->keeper);
	d->keeper = -1;
}
