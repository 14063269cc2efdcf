/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_TABLE_PEER_H
#define DATAPLANE_TABLE_PEER_H

#include "dataplane/base/ip.h"
#include "dataplane/base/key.h"
#include "dataplane/base/uuid.h"
#include "dataplane/table/hash.h"
#include "dataplane/table/session.h"
#include "dataplane/wg/cookie.h"
#include "dataplane/wg/noise.h"
#include "dataplane/wg/timers.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct instance;
struct keying_credential;
struct route;
struct rte_mbuf;
struct tables;
struct tunnel;

enum peer_type {
	PEER_TYPE_SITE = 1,
	PEER_TYPE_CLIENT = 2,
};

enum {
	PEER_ALLOWED_MAX = 64,
};

/* Destinations a peer may reach; immutable, replaced whole. */
struct peer_allowed {
	unsigned int count;
	struct ip_prefix prefix[];
};

struct peer_settings {
	struct uuid id;
	struct instance *instance;
	enum peer_type type;
	bool route_all;
	struct key public_key; /* zero: no WireGuard */
	uint64_t expires_at_s; /* unix seconds; 0 never */
	bool allowed_any; /* no list: all that is permitted */
	unsigned int allowed_count; /* <= PEER_ALLOWED_MAX */
	const struct ip_prefix *allowed; /* borrowed */
};

/* Why the last handshake of a peer came to nothing; told to people by control. */
enum peer_failure {
	PEER_FAILURE_NONE,
	PEER_FAILURE_OLD_TIMESTAMP, /* replay, or a router whose clock went back */
	PEER_FAILURE_FLOOD,
	PEER_FAILURE_BAD_HANDSHAKE, /* e.g. another preshared key */
	PEER_FAILURE_NO_RESPONSE, /* we initiated and gave up */
	PEER_FAILURE_CLOCK_AHEAD, /* accepted, but its clock is over a day ahead of ours */
	PEER_FAILURE_OPENVPN_TIMEOUT,
	PEER_FAILURE_OPENVPN_TLS,
	PEER_FAILURE_OPENVPN_CERTIFICATE,
	PEER_FAILURE_OPENVPN_PASSWORD,
	PEER_FAILURE_OPENVPN_CIPHER,
	PEER_FAILURE_OPENVPN_OPTIONS,
	PEER_FAILURE__COUNT,
};

/*
 * What keying has of a peer only while a handshake is on its way or a session lives. Most of the peers of
 * a large hub are at rest and cost none of it.
 */
struct peer_keying {
	struct noise_remote remote;
	struct cookie_maker cookie;
	struct timers timers;
	uint64_t woken_ns;
};

/* What came from a peer, or what went to it. Times are of CLOCK_MONOTONIC, 0 is never; see struct
 * timer_stamps. */
struct peer_traffic {
	_Atomic uint64_t last_any_ns;
	/* the first data that nothing the other way has followed yet. set: who moves data this way;
	 * cleared: who moves anything the other way, and keying */
	_Atomic uint64_t first_data_ns;
	_Atomic uint64_t bytes, packets; /* whole data messages; see peer_received_bytes() */
} __attribute__((aligned(64)));

/* Whether copies of its packets go to a capture, and of which. */
enum peer_capture {
	PEER_CAPTURE_NONE,
	PEER_CAPTURE_INNER, /* IP packets */
	PEER_CAPTURE_OUTER, /* frames */
};

struct peer {
	/* line 0: what a packet from or to the peer reads first. set: server; read: workers */
	struct instance *instance;
	_Atomic uint8_t type; /* enum peer_type */
	_Atomic uint8_t route_all;
	_Atomic uint8_t expired; /* set: keying when expires_at has come; read: workers */
	_Atomic uint8_t wants_key; /* set: worker when it told keying; cleared: keying when there is
				    another key, none, or none to be had */
	uint32_t slot, generation;
	_Atomic uint32_t source4; /* see peer_has_source4(). set: server; read: workers */
	_Atomic(struct session *) current; /* set: keying; read: workers, to seal */
	_Atomic(struct endpoint *) endpoint; /* set: keying; read: workers */
	_Atomic(struct peer_allowed *) allowed; /* set: server; NULL: all that is permitted */
	_Atomic uint8_t capture; /* enum peer_capture; set: server */
	/* set: worker when it told keying; cleared: keying when it has done it */
	_Atomic uint8_t roaming; /* there is another endpoint: what is to be sealed waits for it */
	_Atomic uint8_t renewing; /* the underlay changed; the endpoint is used on */
	/* set: keying; read: workers. Not NULL: OpenVPN is in use, and there is no session */
	_Atomic(struct tunnel *) tunnel;

	/* one line each, because they are written on different cores; read: keying, server */
	struct peer_traffic received; /* set: the owner worker */
	struct peer_traffic sent; /* set: any worker */

	/* keying thread only, but for what is marked */
	struct peer_keying *keying; /* NULL: at rest */
	struct keying_credential *credential; /* owned; NULL: no OpenVPN */
	/* read: server, after keying_settle() */
	struct key preshared_key; /* zero: none */
	uint16_t keepalive_s;
	uint8_t latest_timestamp
		[NOISE_TIMESTAMP_LEN]; /* greatest TAI64N accepted; keying_peer_status() */
	uint8_t sent_timestamp[NOISE_TIMESTAMP_LEN];
	struct session *next, *previous;
	struct peer *wheel_next, **wheel_prev;
	uint64_t wheel_deadline_ns;
	struct rte_mbuf *staged_head, *staged_tail;
	uint16_t staged_count;
	bool known_to_keying;
	uint8_t waits; /* keying/pace.c: in which queues */
	struct ip_endpoint hint; /* where it was before a restart, until there was a way to it */
	uint64_t neighbour_asked_ns; /* when the node was last asked for the way to it */
	struct hash_entry keying_by_key;
	struct hash_entry keying_by_endpoint; /* while it has one */
	_Atomic uint64_t handshake_received_bytes, handshake_sent_bytes; /* read: server */
	_Atomic uint64_t last_handshake_realtime_ns; /* read: server */
	_Atomic uint64_t last_failure_realtime_ns; /* read: server */
	_Atomic int64_t last_failure_clock_s; /* read: server; seconds of its clock behind ours */
	_Atomic uint8_t last_failure; /* enum peer_failure; read: server */

	/* server thread only, but for what is marked */
	struct key public_key; /* set: server, at birth; read: keying */
	struct uuid id;
	struct hash_entry by_id, by_key;
	struct peer *instance_next, **instance_prev, *unlinked_next;
	_Atomic uint64_t expires_at_s; /* read: keying */
	struct route *routes; /* to this peer */
	uint32_t route_count;
	uint32_t sync_stamp; /* server/sync.c */
} __attribute__((aligned(64)));

static inline bool peer_has_wireguard(const struct peer *p)
{
	return !key_is_zero(&p->public_key);
}

/* Counters with one writer; whoever reads sees whole numbers. */
static inline void peer_count(_Atomic uint64_t *counter, uint64_t n)
{
	uint64_t v = atomic_load_explicit(counter, memory_order_relaxed);
	atomic_store_explicit(counter, v + n, memory_order_relaxed);
}

/* All messages of WireGuard, as wg(8) counts them: handshakes are keying's to count. */
static inline uint64_t peer_received_bytes(const struct peer *p)
{
	return p->received.bytes + p->handshake_received_bytes;
}

static inline uint64_t peer_sent_bytes(const struct peer *p)
{
	return p->sent.bytes + p->handshake_sent_bytes;
}

/* Something went this way, data or not: the stamps. */
static inline void peer_stamp(
	struct peer_traffic *this_way, struct peer_traffic *other_way, bool data, uint64_t now_ns)
{
	atomic_store_explicit(&this_way->last_any_ns, now_ns, memory_order_relaxed);
	if (atomic_load_explicit(&other_way->first_data_ns, memory_order_relaxed) != 0)
		atomic_store_explicit(&other_way->first_data_ns, 0, memory_order_relaxed);
	if (data && atomic_load_explicit(&this_way->first_data_ns, memory_order_relaxed) == 0)
		atomic_store_explicit(&this_way->first_data_ns, now_ns, memory_order_relaxed);
}

/*
 * Worker. Is it the address of the peer's first IPv4 host route? No route is longer, so it is the
 * peer's beyond doubt, and nearly every packet of a client is answered here, without the trie.
 * be: network order.
 */
static inline bool peer_has_source4(const struct peer *p, uint32_t be)
{
	return be != 0 && atomic_load_explicit(&p->source4, memory_order_relaxed) == be;
}

/*
 * Creates or changes; instance and public key of a living peer can't change (-EBUSY: delete it
 * first). -EEXIST: another peer of the instance has the key; -EKEYREJECTED: the hub has it;
 * -ENOSPC; -ENOMEM. Nothing changes
 * on failure. ret_created says which it was.
 */
int peer_set(struct tables *t, const struct peer_settings *s, struct peer **ret, bool *ret_created);
struct peer *peer_find(const struct tables *t, const struct uuid *id);
struct peer *peer_find_key(
	const struct tables *t, const struct instance *i, const struct key *public_key);
/* Unlinks the peer and every route to it: from now on nothing reaches it. */
void peer_unlink(struct tables *t, struct peer *p);
/* Called by tables_reclaim(); wipes the keys. */
void peer_free(struct peer *p);

uint64_t peer_handle(const struct peer *p);
/* NULL once unlinked. */
struct peer *peer_from_handle(const struct tables *t, uint64_t handle);

#endif
