/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_NODE_CAPTURES_H
#define CONTROL_NODE_CAPTURES_H

#include "control/node/desired.h"
#include "dataplane/api/client.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Captures that the control daemon asked for: the dataplane writes each into a file in memory, and
 * when its time is over the file is sent. A restart of the dataplane ends them with what there is.
 */
struct captures_job {
	struct desired_capture what;
	int fd; /* -1: it could not be begun */
	uint64_t due_ns; /* when it is sent; CLOCK_MONOTONIC */
	char reason[128]; /* of a failure */
};

struct captures {
	struct captures_job job[DESIRED_CAPTURES_MAX];
	unsigned int count;
};

/* Begins those that are new in the desired state, and takes them out of it. */
void captures_begin(struct captures *c, struct desired *d, struct dp_client *dp);
/* When the next is to be sent; 0: there is none. */
uint64_t captures_due(const struct captures *c);
/* The first that is due: its id and the body for the control daemon (malloc); NULL: none, or no
 * memory for it now. */
char *captures_text(struct captures *c, struct uuid *ret_id);
/* The one that was sent has been taken, or is not wanted. */
void captures_done(struct captures *c, const struct uuid *id);
void captures_fini(struct captures *c);

#endif
