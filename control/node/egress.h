/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_NODE_EGRESS_H
#define CONTROL_NODE_EGRESS_H

#include "control/node/config.h"
#include "control/node/device.h"
#include "control/node/faults.h"
#include "control/node/listener_ports.h"
#include "control/node/objects.h"
#include "dataplane/api/client.h"
#include "kernel/nl.h"
#include "kernel/udp_port.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * The kernel's side of each instance: a TUN naveN with the hub's inner addresses and the
 * instance's routes in a table of its own, and the way out through masquerade. Main thread.
 */
struct egress_device {
	struct uuid instance;
	uint32_t number;
	struct device tun;
	uint16_t mtu; /* that it is set up with; 0: not (wholly) set up */
	uint16_t port; /* that holds */
	struct udp_port held;
};

struct egress {
	const struct node_config *config; /* borrowed */
	struct nl *nl; /* borrowed */
	struct egress_device *device; /* owned; sorted by instance */
	unsigned int devices;
	struct listener_ports ports;
	char *rules; /* what nft was told last; owned, NULL: nothing yet */
	uint64_t rules_at_ns;
};

void egress_init(struct egress *e, const struct node_config *config, struct nl *nl);
/* Leaves the kernel's state as it is. */
void egress_fini(struct egress *e);
/*
 * Makes the kernel as wanted, and gives the dataplane a queue for each instance that has none.
 * What cannot be done is a fault of its instance. 0, or what broke the connection.
 */
int egress_apply(struct egress *e, const struct objects *wanted, struct dp_client *dp,
	struct faults *faults);
/* No device was deleted behind our back. */
bool egress_is_whole(const struct egress *e);
/* Takes everything away again. 0 or the first -errno. */
int egress_remove(struct nl *nl);

/* The rule set as JSON for nft, or NULL without memory: a pure function of its arguments. */
char *egress_rules(
	const struct node_config *config, const uint32_t *numbers, unsigned int instances);

#endif
