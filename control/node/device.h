/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_NODE_DEVICE_H
#define CONTROL_NODE_DEVICE_H

#include "dataplane/api/client.h"
#include "kernel/tun.h"

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * A TAP or TUN whose other end is the dataplane. The node keeps a queue of it, so that the device
 * lives on when the dataplane ends, and hands another one to the dataplane. Main thread.
 */
struct device {
	char name[IFNAMSIZ];
	enum tun_kind kind;
	int keeper; /* detached: an attached queue that nobody reads loses packets; -1: none */
	int ifindex;
	bool wants_queue; /* it is new: what the dataplane has is of one that is gone */
};

/* No device yet. */
void device_init(struct device *d, const char *name, enum tun_kind kind);
/* Makes it unless it is there; a queue that somebody else has open is joined. 0 or -errno. */
int device_open(struct device *d);
/* Nobody deleted it behind our back. */
bool device_is_there(const struct device *d);
/* Sends a message of the API with a new queue as its file. 0 or -errno. */
int device_give_queue(struct device *d, struct dp_client *dp, enum dp_msg_type type,
	const void *payload, size_t len);
/* Lets go of it: it lives as long as the dataplane has a queue. */
void device_close(struct device *d);

#endif
