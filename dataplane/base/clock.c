// SPDX-License-Identifier: Apache-2.0
#include "dataplane/base/clock.h"

#include <time.h>

static uint64_t read_clock(clockid_t id)
{
	struct timespec t;
	(void)clock_gettime(id, &t); /* can't fail for these */
	return (uint64_t)t.tv_sec * NS_PER_SEC + (uint64_t)t.tv_nsec;
}

uint64_t clock_monotonic_ns(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

uint64_t clock_boottime_ns(void)
{
	return read_clock(CLOCK_BOOTTIME);
}

uint64_t clock_realtime_ns(void)
{
	return read_clock(CLOCK_REALTIME);
}

uint64_t clock_realtime_from_monotonic_ns(uint64_t at_ns)
{
	uint64_t now = clock_monotonic_ns();
	if (at_ns == 0 || at_ns > now)
		return at_ns == 0 ? 0 : clock_realtime_ns();
	return clock_realtime_ns() - (now - at_ns);
}
