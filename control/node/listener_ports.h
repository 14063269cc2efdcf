/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_NODE_LISTENER_PORTS_H
#define CONTROL_NODE_LISTENER_PORTS_H

#include "control/node/faults.h"
#include "control/node/objects.h"
#include "kernel/udp_port.h"

/* Holds the UDP ports of the OpenVPN listeners. Those of TCP: listener_sockets.h. */
struct listener_port {
	uint16_t port;
	struct udp_port held;
};

struct listener_ports {
	struct listener_port *port; /* owned */
	unsigned int count;
};

/* Lets go of what is wanted no more: before anybody takes a new one, for two may have swapped theirs. */
void listener_ports_release(struct listener_ports *l, const struct objects *wanted);
/* Takes what is not held yet. What another program has is a fault of its instance. 0 or -ENOMEM. */
int listener_ports_hold(
	struct listener_ports *l, const struct objects *wanted, struct faults *faults);
void listener_ports_fini(struct listener_ports *l);

#endif
