/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_NODE_UNDERLAY_H
#define CONTROL_NODE_UNDERLAY_H

#include "control/node/config.h"
#include "control/node/device.h"
#include "control/node/objects.h"
#include "dataplane/api/client.h"
#include "kernel/nl.h"

#include <stdbool.h>

/*
 * The outer network: a TAP for each port, through which Linux has addresses, routes and
 * neighbours, and the dataplane's mirror of them. Main thread.
 */
enum {
	UNDERLAY_ADDRESSES_MAX = 16,
	UNDERLAY_ERROR_TEXT = 256,
};

struct underlay_port {
	const struct node_port *config;
	struct device tap;
	bool is_known; /* the dataplane has a port of this name */
	uint16_t id; /* of the dataplane */
};

struct underlay {
	struct nl *nl; /* borrowed */
	struct underlay_port port[NODE_PORTS_MAX];
	unsigned int ports;
	bool is_settled; /* after a mirror: no gateway's MAC address is being asked for */
	struct hub_state hub; /* after a mirror: is there a way to the internet? */
	struct ip_addr address[UNDERLAY_ADDRESSES_MAX]; /* that others may reach us at */
	unsigned int addresses;
	char error[UNDERLAY_ERROR_TEXT]; /* what the last failure was about */
	char refusal[UNDERLAY_ERROR_TEXT]; /* of the last mirror, which was logged; "": none */
};

/* config and nl are borrowed. */
void underlay_init(struct underlay *u, const struct node_config *config, struct nl *nl);
/* Leaves the kernel's state as it is. */
void underlay_fini(struct underlay *u);
/* After each connection: TAPs, what belongs to them, and a queue for a dataplane without one. */
int underlay_connect(struct underlay *u, struct dp_client *dp);
/* Tells the dataplane what Linux has. */
int underlay_mirror(struct underlay *u, struct dp_client *dp);
/* A peer's last endpoint that is an address of this hub now is forgotten: the dataplane would refuse
 * the peer for it. */
void underlay_clear_hints(const struct underlay *u, struct objects *wanted);
/* The dataplane wants to send to a neighbour nobody knows. */
void underlay_resolve(struct underlay *u, uint16_t port, const struct ip_addr *addr);
/* Takes everything away again: TAPs and the filter of their ports. 0 or the first -errno. */
int underlay_remove(const struct node_config *config, struct nl *nl);

#endif
