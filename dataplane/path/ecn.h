/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_PATH_ECN_H
#define DATAPLANE_PATH_ECN_H

#include <stdbool.h>
#include <stdint.h>

/* Explicit congestion notification (RFC 3168 section 5) and how it crosses a tunnel (RFC 6040). */
enum ecn {
	ECN_NOT_ECT = 0,
	ECN_ECT1 = 1,
	ECN_ECT0 = 2,
	ECN_CE = 3,
	ECN_MASK = 3,
};

/* Type of service (RFC 791) or traffic class (RFC 8200): DSCP and ECN of an IP header. */
static inline uint8_t ecn_tos(const uint8_t *ip)
{
	return ip[0] >> 4 == 4 ? ip[1] : (uint8_t)(ip[0] << 4 | ip[1] >> 4);
}

/*
 * What the way marked on the outer header goes into the inner one, which is of a valid IPv4 or
 * IPv6 packet (RFC 6040 section 4.2). false: the packet must be dropped, because it met congestion
 * and its receiver would not understand.
 */
bool ecn_decapsulate(uint8_t *inner, uint8_t outer_tos);

#endif
