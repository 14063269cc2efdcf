/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_NODE_CAPTURES_H
#define CONTROL_NODE_CAPTURES_H

#include "control/node/desired.h"
#include "dataplane/api/client.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Captures that the control daemon asked for. It tells each once: from then on it is a job here,
 * until a file or a reason has been sent. The dataplane writes the packets into a file in memory,
 * which is sent when the capture's time is over. A restart of the dataplane ends captures with
 * what there is; a restart of the node loses the files: the control daemon asks again, and is told
 * the reason if the dataplane still writes the old one.
 */
struct captures_job {
	struct desired_capture what;
	bool waits; /* not begun yet */
	int fd; /* -1: there is no file */
	uint64_t due_ns; /* when it is sent; CLOCK_MONOTONIC */
	char reason[128]; /* why there is no file */
};

struct captures {
	struct captures_job *job; /* owned */
	unsigned int count, room;
};

/* Makes jobs of those of the last answer. For whom there is no memory is dropped: the control
 * daemon stops waiting. */
void captures_take(struct captures *c, const struct desired *d);
/* Begins those that wait. To be called when the dataplane has the peers of the same answer. */
void captures_begin(struct captures *c, struct dp_client *dp);
/* When the next is to be sent; 0: there is none. */
uint64_t captures_due(const struct captures *c);
/* The first that is due: its id and the body for the control daemon (malloc), which is due again
 * a little later unless captures_done() comes. NULL: none, or no memory for it now. */
char *captures_text(struct captures *c, struct uuid *ret_id);
/* The one that was sent has been taken, or is not wanted. */
void captures_done(struct captures *c, const struct uuid *id);
void captures_fini(struct captures *c);

#endif
