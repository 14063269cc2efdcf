/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_SERVER_LOAD_H
#define DATAPLANE_SERVER_LOAD_H

struct request;

/* How busy the workers are and what waits in the rings: counters and gauges of COUNTER_LIST.
 * Server thread. 0 or -errno: then the list ends there. */
int load_list(struct request *q);

#endif
