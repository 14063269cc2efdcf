/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_NODE_EGRESS_PRIVATE_H
#define CONTROL_NODE_EGRESS_PRIVATE_H

#include "control/node/egress.h"

#define EGRESS_NFT_TABLE "nave"

enum {
	EGRESS_TABLE_FIRST = 10000, /* routing table of instance N: this + N */
};

/* Of egress.c only: makes the tables of the devices as wanted. 0 or -errno of the whole round. */
int egress_routes_apply(struct egress *e, const struct objects *wanted, struct faults *faults);

#endif
