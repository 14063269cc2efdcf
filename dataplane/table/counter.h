/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_TABLE_COUNTER_H
#define DATAPLANE_TABLE_COUNTER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

/*
 * One block of counters a thread: written by its owner without locks, summed by whoever asks.
 * The table in counter.c gives each its name in the API and in /metrics; what begins with
 * "drop_" is a packet that ended here, with the reason.
 */
enum counter {
	COUNTER_RX_PACKETS,
	COUNTER_RX_BYTES,
	COUNTER_TX_PACKETS,
	COUNTER_TX_BYTES,
	COUNTER_FORWARDED_PACKETS,
	COUNTER_PUNTED_PACKETS,
	COUNTER_HANDED_OVER_PACKETS,
	COUNTER_KEEPALIVES_RECEIVED,
	COUNTER_ECHO_REPLIES,
	COUNTER_ICMP_ERRORS_SENT,
	COUNTER_HANDSHAKE_INITIATIONS_RECEIVED,
	COUNTER_HANDSHAKE_INITIATIONS_SENT,
	COUNTER_HANDSHAKE_RESPONSES_RECEIVED,
	COUNTER_HANDSHAKE_RESPONSES_SENT,
	COUNTER_HANDSHAKES_COMPLETED,
	COUNTER_COOKIE_REPLIES_SENT,
	COUNTER_COOKIE_REPLIES_RECEIVED,
	COUNTER_DROP__FIRST,
	COUNTER_DROP_FRAME_SHORT = COUNTER_DROP__FIRST,
	COUNTER_DROP_FRAME_OWN,
	COUNTER_DROP_FRAME_NOT_OURS,
	COUNTER_DROP_FRAME_TRUNCATED,
	COUNTER_DROP_OUTER_MALFORMED,
	COUNTER_DROP_OUTER_SOURCE,
	COUNTER_DROP_WG_TYPE,
	COUNTER_DROP_WG_LENGTH,
	COUNTER_DROP_WG_UNKNOWN_INDEX,
	COUNTER_DROP_WG_KEY_EXPIRED,
	COUNTER_DROP_WG_AUTH,
	COUNTER_DROP_WG_REPLAY,
	COUNTER_DROP_HANDSHAKE_MAC1,
	COUNTER_DROP_HANDSHAKE_MALFORMED,
	COUNTER_DROP_HANDSHAKE_UNKNOWN_PEER,
	COUNTER_DROP_HANDSHAKE_OLD_TIMESTAMP,
	COUNTER_DROP_HANDSHAKE_FLOOD,
	COUNTER_DROP_HANDSHAKE_RESPONSE,
	COUNTER_DROP_HANDSHAKE_UNDER_LOAD,
	COUNTER_DROP_COOKIE_REPLY,
	COUNTER_DROP_INNER_MALFORMED,
	COUNTER_DROP_SPOOFED_SOURCE,
	COUNTER_DROP_NO_ROUTE,
	COUNTER_DROP_ROUTE_DROP,
	COUNTER_DROP_ROUTE_BACK,
	COUNTER_DROP_RECURSIVE,
	COUNTER_DROP_INNER_DESTINATION,
	COUNTER_DROP_TTL,
	COUNTER_DROP_MTU,
	COUNTER_DROP_ACCESS_SITE_TO_SITE,
	COUNTER_DROP_ACCESS_CLIENT_TO_SITE,
	COUNTER_DROP_ACCESS_CLIENT_TO_CLIENT,
	COUNTER_DROP_ACCESS_INTERNET,
	COUNTER_DROP_ACCESS_DESTINATION,
	COUNTER_DROP_PEER_EXPIRED,
	COUNTER_DROP_NO_KEY,
	COUNTER_DROP_STAGED_FULL,
	COUNTER_DROP_NO_ENDPOINT,
	COUNTER_DROP_NEIGHBOUR_MISSING,
	COUNTER_DROP_NO_HEADROOM,
	COUNTER_DROP_NO_DEVICE,
	COUNTER_DROP_NO_BUFFER,
	COUNTER_DROP_HANDOFF_FULL,
	COUNTER_DROP_KEYING_FULL,
	COUNTER_DROP_HOST_FULL,
	COUNTER_DROP_HOST_WRITE,
	COUNTER_DROP_INJECT_STALE,
	COUNTER_DROP_INJECT_FULL,
	COUNTER_DROP_TX_FULL,
	COUNTER__COUNT,
};

struct counters {
	_Atomic uint64_t value[COUNTER__COUNT]; /* set: the owning thread; read: server */
} __attribute__((aligned(64)));

enum {
	COUNTER_MAX_THREADS = 64,
};

struct counter_registry {
	struct counters *block[COUNTER_MAX_THREADS];
	unsigned int blocks;
};

/* A zeroed block for the calling thread, owned by the registry; NULL when there is no memory or
 * no room. Called by main before the threads start. */
struct counters *counter_registry_add(struct counter_registry *r);
void counter_registry_fini(struct counter_registry *r);
uint64_t counter_registry_sum(const struct counter_registry *r, enum counter which);
/* "drop_spoofed_source"; static storage. */
const char *counter_name(enum counter which);

/* Owner thread only. */
static inline void counter_add(struct counters *c, enum counter which, uint64_t n)
{
	uint64_t v = atomic_load_explicit(&c->value[which], memory_order_relaxed);
	atomic_store_explicit(&c->value[which], v + n, memory_order_relaxed);
}

#endif
