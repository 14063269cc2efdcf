/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_WG_BUCKET_H
#define DATAPLANE_WG_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

/*
 * A token bucket as one number: the time up to which its tokens are taken. It holds at most burst
 * tokens and gets one back each interval. Zeroed it is full. Times in nanoseconds of one clock.
 */
struct bucket {
	uint64_t taken_to_ns;
};

static inline bool bucket_has(
	const struct bucket *b, uint64_t interval_ns, unsigned int burst, uint64_t now_ns)
{
	return b->taken_to_ns <= now_ns || b->taken_to_ns - now_ns <= (burst - 1) * interval_ns;
}

/* false: empty. */
static inline bool bucket_take(
	struct bucket *b, uint64_t interval_ns, unsigned int burst, uint64_t now_ns)
{
	if (!bucket_has(b, interval_ns, burst, now_ns))
		return false;
	b->taken_to_ns = (b->taken_to_ns > now_ns ? b->taken_to_ns : now_ns) + interval_ns;
	return true;
}

#endif
