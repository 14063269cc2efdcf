/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_NODE_LISTENER_SOCKETS_H
#define CONTROL_NODE_LISTENER_SOCKETS_H

#include "control/node/faults.h"
#include "dataplane/api/client.h"

/*
 * The sockets of OpenVPN over TCP: made here, because the dataplane may make none, and given away, so
 * that they end with the process that serves them. Every listener of the dataplane that has none gets
 * one; a port that another program has is a fault of its instance. 0, or what broke the connection.
 */
int listener_sockets_apply(struct dp_client *dp, struct faults *faults);

#endif
