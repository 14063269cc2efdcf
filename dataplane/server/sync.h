/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_SERVER_SYNC_H
#define DATAPLANE_SERVER_SYNC_H

#include "dataplane/api/sync.h"

#include <stdbool.h>
#include <stdint.h>

struct connection;
struct request;

/* A whole story that is being told. */
struct sync_story {
	struct connection *owner; /* who began the last one; NULL when it is gone */
	bool open; /* between BEGIN and END */
	bool damaged; /* a request since BEGIN was malformed */
	uint32_t stamp; /* of all objects named since BEGIN */
	uint64_t peers_named;
	struct uuid epoch;
	uint64_t generation;
};

struct sync {
	struct sync_story story[DP_SYNC__COUNT]; /* by scope */
	uint32_t last_stamp;
	/* what the dataplane has of the desired state */
	struct uuid epoch;
	uint64_t generation;
};

/* May this connection write in the scope? 0, -ESTALE (taken over) or -EBUSY (another's sync). */
int sync_check_writer(struct request *q, enum dp_sync_scope scope);
/* The stamp for an object that a request names; 0 outside of a sync. */
uint32_t sync_stamp(const struct request *q, enum dp_sync_scope scope);
/* Stamps an object of the scope DESIRED; nothing outside of a sync. */
void sync_name(const struct request *q, uint32_t *stamp);
/* Counts a peer of the story, whether its set is refused or not. */
void sync_count_peer(const struct request *q);
/* A request of the connection was malformed: what it meant to name is not known. */
void sync_damage(struct sync *sync, const struct connection *c);
/* The connection is going: its stories end without an END. */
void sync_drop_connection(struct sync *sync, const struct connection *c);

#endif
