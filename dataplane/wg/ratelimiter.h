/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_WG_RATELIMITER_H
#define DATAPLANE_WG_RATELIMITER_H

#include "dataplane/base/ip.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * How many handshakes one source may ask for: 20 a second, 5 at once, for each IPv4 address and
 * each IPv6 /64. Only sources that showed a cookie are counted, so that nobody uses up the share of
 * an address that is not his. Sans-I/O; one thread; time is the caller's, CLOCK_MONOTONIC.
 */
enum {
	RATELIMITER_PER_SECOND = 20,
	RATELIMITER_BURST = 5,
	RATELIMITER_SOURCES_MAX = 65536,
};

struct ratelimiter;

/* 0, -ENOMEM, or -errno of the random source. */
int ratelimiter_new(struct ratelimiter **ret);
void ratelimiter_free(struct ratelimiter *r);
/*
 * false: too many, or too many sources at once. Sources that have been quiet for a second are
 * forgotten here, at most once a second.
 */
bool ratelimiter_allow(struct ratelimiter *r, const struct ip_addr *source, uint64_t now_ns);
/* Sources that are remembered. */
unsigned int ratelimiter_sources(const struct ratelimiter *r);

#endif
