/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_PATH_FRAGMENT_H
#define DATAPLANE_PATH_FRAGMENT_H

#include <stdint.h>

struct path;
struct rte_mbuf;

enum {
	FRAGMENT_MAX = 16, /* pieces of one packet */
};

/*
 * Cuts an IPv4 packet, whose header stands link bytes behind the start of its data and was checked,
 * into pieces of at most mtu bytes (RFC 791 section 3.2); what stands in front is repeated. The
 * first piece is m itself. The number of pieces in ret, or 0: there were no buffers or more than
 * max would be needed, and m is as it was. A piece of a fragment is a fragment.
 */
unsigned int fragment_ipv4(struct path *p, struct rte_mbuf *m, uint16_t link, uint16_t mtu,
	struct rte_mbuf *ret[FRAGMENT_MAX], unsigned int max);

#endif
