/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_NODE_MEMORY_H
#define CONTROL_NODE_MEMORY_H

#include "control/node/objects.h"
#include "dataplane/api/peer.h"

#include <stdint.h>

/*
 * What must outlive the dataplane: each peer's last endpoint (so that the hub can speak first) and
 * its greatest TAI64N (so that an old initiation stays a replay). A small file in state_dir,
 * replaced whole; it holds no secrets.
 */
struct memory_entry {
	struct uuid peer;
	struct ip_endpoint endpoint;
	uint8_t timestamp[DP_TIMESTAMP_LEN];
};

struct memory {
	struct memory_entry *entry; /* sorted by peer */
	unsigned int count, room;
	bool changed; /* since it was saved */
};

/* A file that is missing or makes no sense is an empty memory: 0; -ENOMEM. */
int memory_load(struct memory *m, const char *dir);
/* 0 or -errno; does nothing when nothing changed. */
int memory_save(struct memory *m, const char *dir);
void memory_fini(struct memory *m);
/* Takes what the dataplane reports. -ENOMEM. */
int memory_note(struct memory *m, const struct dp_peer_stats *s);
/* Forgets the peers that are not wanted any more. */
void memory_prune(struct memory *m, const struct objects *wanted);
/* Puts what is remembered into the peers that have nothing better. */
void memory_apply(const struct memory *m, struct objects *o);

#endif
