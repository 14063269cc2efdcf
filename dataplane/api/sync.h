/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_API_SYNC_H
#define DATAPLANE_API_SYNC_H

#include "dataplane/base/uuid.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

enum dp_sync_scope {
	DP_SYNC_DESIRED = 1, /* instances, peers, routes */
	DP_SYNC_UNDERLAY, /* addresses, neighbours, underlay routes */
	DP_SYNC__COUNT,
};

/*
 * BEGIN, sets, END on one connection tell the whole story of a scope. Sets work at once; END
 * deletes what was not named since BEGIN. A living object whose *_set was refused counts as named
 * and stays as it was; a set that was refused because of something that END deletes (its port, its
 * key) is sent again after END. A connection that is lost before END, or a new BEGIN, deletes
 * nothing. One connection a scope: while it is in a sync others may not write there (-EBUSY); a
 * BEGIN of another connection takes the scope over, and what the older one writes is refused from
 * then on (-ESTALE).
 *
 * BEGIN: -ESTALE when the generation is older than the one the dataplane has of this epoch.
 */
struct dp_sync_begin {
	struct uuid epoch; /* of the store; zero for UNDERLAY */
	uint64_t generation; /* 0 for UNDERLAY */
	uint8_t scope; /* enum dp_sync_scope */
	uint8_t pad[7];
};
static_assert(sizeof(struct dp_sync_begin) == 32);

/*
 * -EINVAL: no BEGIN; -ECANCELED: a request since BEGIN was malformed, begin again; -ENOTEMPTY: no
 * peer was named, there are some, and allow_empty is 0 (DESIRED). Then nothing is deleted, the
 * sync is over, and epoch and generation stay the old ones.
 */
struct dp_sync_end {
	uint8_t scope;
	uint8_t allow_empty; /* 1: whoever knows says that there are no peers */
	uint8_t pad[6];
};
static_assert(sizeof(struct dp_sync_end) == 8);

/*
 * Records that everything up to generation was applied by single sets and dels. -ESTALE when epoch
 * or after are not what the dataplane has: then a full sync is needed.
 */
struct dp_generation_set {
	struct uuid epoch;
	uint64_t after; /* where the delta starts */
	uint64_t generation; /* where it ends; >= after */
};
static_assert(sizeof(struct dp_generation_set) == 32);

/* Reply of SYNC_STATE. */
struct dp_sync_state {
	struct uuid epoch; /* zero: never synced */
	uint64_t generation;
};
static_assert(sizeof(struct dp_sync_state) == 24);

int dp_sync_begin_check(const uint8_t *payload, size_t len, const char **ret_reason);
int dp_sync_end_check(const uint8_t *payload, size_t len, const char **ret_reason);
int dp_generation_set_check(const uint8_t *payload, size_t len, const char **ret_reason);
int dp_sync_state_check(const uint8_t *payload, size_t len, const char **ret_reason);

#endif
