/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_NODE_REPORT_H
#define CONTROL_NODE_REPORT_H

#include "control/node/desired.h"
#include "control/node/faults.h"
#include "control/node/memory.h"
#include "control/node/underlay.h"
#include "dataplane/api/client.h"
#include "dataplane/api/event.h"
#include "dataplane/api/peer.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * What the hub tells the control daemon: in each report the instances and the totals, and of the
 * peers those of which something changed since the last report that was taken.
 */
enum {
	REPORT_PEERS_MAX = 500, /* the rest comes with the next */
	REPORT_PERIOD_MS = 1000,
	REPORT_PEERS_A_PERIOD = 5000,
};

struct report_peer {
	struct dp_peer_stats now; /* as the dataplane had it last; begins with its id */
	struct dp_peer_stats
		told; /* as the control daemon has it or is just told; zero: not told */
	bool is_telling; /* in the report that is on its way */
};

struct report {
	struct report_peer *peer; /* owned; sorted by id */
	unsigned int peers;
	unsigned int next; /* of peer: the first one of the next report */
	json_t *counters; /* owned object; NULL: not read yet */
};

/* Reads statistics and counters; what must outlive the dataplane goes into memory. 0 or -errno. */
int report_read(struct report *r, struct dp_client *dp, struct memory *memory);
/* How long to wait before the next reading: the more peers, the longer. */
unsigned int report_period_ms(const struct report *r);
/* What an event says of a peer, until the next reading. An unknown peer's is left to that. */
void report_take_event(struct report *r, const struct dp_event *e, struct memory *memory);
/* Something is not told yet. */
bool report_has_news(const struct report *r);
/* The body of a report (malloc), or NULL. generation is what was applied. */
char *report_text(struct report *r, const struct desired *d, uint64_t generation,
	const struct uuid *boot_id, const struct underlay *u, const struct faults *faults);
/* How the report on its way ended. */
void report_note(struct report *r, bool taken);
/* The control daemon or the dataplane is another one: everything is news. */
void report_forget(struct report *r);
void report_fini(struct report *r);

#endif
