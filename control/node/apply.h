/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_NODE_APPLY_H
#define CONTROL_NODE_APPLY_H

#include "control/node/desired.h"
#include "control/node/faults.h"
#include "control/node/memory.h"
#include "control/node/objects.h"
#include "control/node/plan.h"
#include "dataplane/api/client.h"

/*
 * Plans made real. Functions return 0 or what broke the connection; a single refusal of the
 * dataplane is a fault of its instance and stops nothing else.
 */

/* What the dataplane has, sorted; without secrets, so not complete. */
int apply_list(struct dp_client *dp, struct objects *ret);

/* Where the desired state stood. */
struct apply_point {
	struct uuid epoch;
	uint64_t generation;
};

/* Tells the whole story: whatever is not in wanted is gone afterwards. -ECANCELED: again. */
int apply_sync(struct dp_client *dp, const struct plan *plan, const struct apply_point *to,
	struct faults *faults);
/* Only what changed. -ESTALE: the dataplane stands elsewhere, tell the whole story. */
int apply_delta(struct dp_client *dp, const struct plan *plan, const struct apply_point *from,
	const struct apply_point *to, struct faults *faults);
/*
 * Has the dataplane forget the timestamps of peers whose timestamp_reset moved, once each: the
 * memory, which follows d, knows which were done.
 */
int apply_resets(
	struct dp_client *dp, const struct desired *d, struct memory *m, struct faults *faults);

#endif
