/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_STORE_BANDWIDTH_H
#define CONTROL_STORE_BANDWIDTH_H

#include "control/store/store.h"
#include "dataplane/base/uuid.h"

#include <stdint.h>

enum {
	BANDWIDTH_HOURS_KEPT_S = 7 * 24 * 3600,
	BANDWIDTH_DAYS_KEPT_S =
		400 * 24 * 3600, /* a month can be held against the same of last year */
};

enum bandwidth_span {
	BANDWIDTH_HOUR,
	BANDWIDTH_DAY,
	BANDWIDTH__SPANS,
};

/* From the hub's side: rx is what it received. */
struct traffic {
	uint64_t rx_bytes, tx_bytes, rx_packets, tx_packets;
};

/* Seconds. */
int64_t bandwidth_span_length(enum bandwidth_span span);
int64_t bandwidth_span_kept(enum bandwidth_span span);
/*
 * What a peer or an instance has moved in each hour or day that begins within from…to, the oldest
 * first; those without traffic are left out. row returns 0 to go on, 1 for enough, or -errno, which
 * the list returns.
 */
int bandwidth_list(struct store *store, const struct uuid *object_id, enum bandwidth_span span,
	const int64_t range[2], int (*row)(void *ctx, int64_t at, const struct traffic *t),
	void *ctx);
/* Takes what is past its time from the next few objects. */
int bandwidth_sweep(struct store *store);

#endif
