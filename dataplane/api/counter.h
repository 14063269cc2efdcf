/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_API_COUNTER_H
#define DATAPLANE_API_COUNTER_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

enum {
	DP_COUNTER_NAME_LEN = 48,
};

/*
 * An object of COUNTER_LIST: a total or a drop reason, since the dataplane started, or a gauge, what
 * there is at the moment: its name ends in "_now". A longest time is the one since the last listing.
 */
struct dp_counter {
	char name[DP_COUNTER_NAME_LEN]; /* [a-z0-9_]; zero-filled, at least one NUL */
	uint64_t value;
};
static_assert(sizeof(struct dp_counter) == 56);

int dp_counter_check(const uint8_t *payload, size_t len, const char **ret_reason);

#endif
