/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_NODE_MEMORY_H
#define CONTROL_NODE_MEMORY_H

#include "control/node/desired.h"
#include "control/node/objects.h"
#include "dataplane/api/peer.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * What must outlive the dataplane: each peer's last endpoint (so that the hub can speak first) and
 * its greatest TAI64N (so that an old initiation stays a replay); and a time which no initiation of
 * the hub went beyond (so that peers hear it although its clock went back). A file in state_dir
 * without secrets: one line a peer, of two the later one counts; changes are appended, and from time
 * to time, and first in each run, it is replaced whole.
 */
struct memory_entry {
	struct uuid peer;
	struct key public_key; /* whose all this is: a peer with another key starts anew */
	struct ip_endpoint endpoint; /* port 0: unknown */
	uint8_t timestamp[DP_TIMESTAMP_LEN]; /* zero: unknown */
	uint64_t reset; /* the timestamp_reset that the dataplane was told last */
	bool changed; /* since it was saved */
};

struct memory {
	struct memory_entry *entry; /* owned; sorted by peer */
	unsigned int count;
	unsigned int lines; /* of the file; 0: it must be written whole */
	uint64_t clock_s; /* of people: ahead of every initiation that this dataplane may send */
	uint64_t called_s; /* what that was for those before it; 0: nobody knows */
	bool clock_changed; /* since it was saved */
};

/* A file that is missing or makes no sense is an empty memory: 0; -ENOMEM, -ENAMETOOLONG. */
int memory_load(struct memory *m, const char *dir);
/* 0 or -errno; does nothing when nothing changed. What it wrote survives a loss of power. */
int memory_save(struct memory *m, const char *dir);
void memory_fini(struct memory *m);
/* The dataplane is a new one; save before it is told of peers. */
void memory_new_dataplane(struct memory *m);
/* That late it is now, in seconds since 1970. Call it every minute at least. */
void memory_clock(struct memory *m, uint64_t now_s);
/*
 * From then on it is about the wanted peers and no others, entry n about peer n. The timestamp of a peer whose
 * timestamp_reset moved is forgotten. 0 or -ENOMEM.
 */
int memory_follow(struct memory *m, const struct desired *d);
/* Takes what the dataplane reports of a wanted peer. */
void memory_note(struct memory *m, const struct dp_peer_stats *s);
/* Puts what is remembered into the peers. */
void memory_apply(const struct memory *m, struct objects *o);

#endif
