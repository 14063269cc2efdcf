/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_PATH_REASSEMBLY_H
#define DATAPLANE_PATH_REASSEMBLY_H

#include "dataplane/base/ip.h"
#include "dataplane/table/counter.h"

#include <stdint.h>

struct path;
struct rte_mbuf;

/*
 * Datagrams of which some fragments have come; one table a path, its worker's alone. Everything is
 * bounded by these numbers: at most REASSEMBLY_SETS * REASSEMBLY_WAYS * REASSEMBLY_PIECES packets
 * wait with all workers, which share the sets. A pair of addresses has one set, so that no source takes more than REASSEMBLY_WAYS places,
 * and the oldest of a full set makes room for what comes.
 */
enum {
	REASSEMBLY_SETS = 32,
	REASSEMBLY_WAYS = 8,
	REASSEMBLY_PIECES = 8, /* 9000 bytes in fragments of an IPv6 path of 1280 */
	REASSEMBLY_TIMEOUT_MS = 2000,
	REASSEMBLY_SWEEP_MS = 100,
};

struct datagram_key {
	struct ip_addr source, destination;
	uint32_t id; /* as on the wire */
	uint32_t is_v6;
};

enum datagram_state {
	DATAGRAM_NONE, /* the place is free */
	DATAGRAM_UNKNOWN, /* the first fragment, with the ports, is still to come */
	DATAGRAM_TUNNEL, /* it is for a listener */
	DATAGRAM_HOST, /* it is not: its fragments pass */
	DATAGRAM_REFUSED, /* overlapping, too long, ...: its fragments are dropped (RFC 5722) */
};

/* A fragment that waits. Offsets count from the end of the IP header. */
struct piece {
	struct rte_mbuf *mbuf;
	uint16_t offset, len;
};

struct datagram {
	struct datagram_key key;
	uint64_t since_ns; /* when the first of its fragments came */
	uint8_t state; /* enum datagram_state */
	uint8_t pieces;
	uint8_t ecn_seen; /* bit N: a fragment with ECN codepoint N was there */
	uint16_t total; /* bytes behind the IP header; 0 until the last fragment is there */
	enum counter refused; /* why */
	struct piece piece[REASSEMBLY_PIECES];
};

struct reassembly {
	uint64_t next_sweep_ns;
	uint32_t seed; /* random: who shares a set with whom is not for the outside to know */
	unsigned int used; /* places that are not free */
	struct datagram datagram[REASSEMBLY_SETS][REASSEMBLY_WAYS];
};

/* 0 or -errno. */
int reassembly_new(struct reassembly **ret);
/* Frees the packets that wait, too. */
void reassembly_free(struct reassembly *r);
/* Gives up what has waited too long. At the end of a run. */
void reassembly_expire(struct path *p);

#endif
