/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_NODE_INSTANCE_SOCKET_H
#define CONTROL_NODE_INSTANCE_SOCKET_H

#include "control/node/config.h"
#include "control/node/faults.h"
#include "control/node/objects.h"
#include "dataplane/api/client.h"

/*
 * The sockets at which programs ask about instances, wg(8) and those that know OpenVPN's management
 * interface: made here, because the dataplane may touch no files, and given away, so that they end with
 * the process that answers. Main thread.
 */

/*
 * One of each kind for each wanted instance that the dataplane has none of or whose file is gone; sockets
 * of others at which nobody answers are taken away. A socket that cannot be made stands in missing
 * by its instance, whose tunnels work without it. 0, or what broke the connection.
 */
int instance_sockets_apply(const struct node_config *config, const struct objects *wanted,
	struct dp_client *dp, struct faults *missing);
/* Takes every socket of ours away. */
void instance_sockets_remove(const struct node_config *config);

#endif
