/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_STORE_REPORT_H
#define CONTROL_STORE_REPORT_H

#include "control/model/peer.h"
#include "control/store/hub.h"
#include "control/store/store.h"

/*
 * What a hub tells of its peers, hundreds at a time in one transaction: the status of each, the sums
 * by hour and day of it and of its instance. A peer that has not changed is not written.
 */
struct peer_report;

/* Borrows h and boot_id until the end. 0 or -errno. */
int peer_report_begin(struct store *store, const struct hub *h, const struct uuid *boot_id,
	struct peer_report **ret);
/*
 * Counters in s are absolute since boot_id; less than before means that they began anew. Peers that
 * the hub does not carry (any more) are passed over.
 */
int peer_report_take(
	struct peer_report *report, const struct uuid *peer_id, const struct peer_status *s);
/* Writes what is left to write when rc is 0, and frees. rc, or -errno. Takes NULL. */
int peer_report_end(struct peer_report *report, int rc);

#endif
