/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_NODE_UAPI_H
#define CONTROL_NODE_UAPI_H

#include "control/node/config.h"
#include "control/node/faults.h"
#include "control/node/objects.h"
#include "dataplane/api/client.h"

/*
 * The sockets at which wg(8) asks about instances: made here, because the dataplane may touch no
 * files, and given away, so that they end with the process that answers. Main thread.
 */

/*
 * A socket for each wanted instance that the dataplane has none of or whose file is gone; sockets
 * of others at which nobody answers are taken away. A socket that cannot be made stands in missing
 * by its instance, whose tunnels work without it. 0, or what broke the connection.
 */
int uapi_apply(const struct node_config *config, const struct objects *wanted, struct dp_client *dp,
	struct faults *missing);
/* Takes every socket of ours away. */
void uapi_remove(const struct node_config *config);

#endif
