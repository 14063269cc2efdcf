/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_BASE_CLOCK_H
#define DATAPLANE_BASE_CLOCK_H

#include <stdint.h>

#define NS_PER_SEC 1000000000ULL
#define NS_PER_MS 1000000ULL

/* CLOCK_MONOTONIC in nanoseconds: for timers. */
uint64_t clock_monotonic_ns(void);
/* CLOCK_BOOTTIME in nanoseconds: goes on while the machine sleeps. */
uint64_t clock_boottime_ns(void);
/* CLOCK_REALTIME in nanoseconds since 1970: for what people read and for TAI64N. */
uint64_t clock_realtime_ns(void);
/* When it was by CLOCK_REALTIME, for what was stamped with CLOCK_MONOTONIC. 0: never. */
uint64_t clock_realtime_from_monotonic_ns(uint64_t at_ns);

#endif
