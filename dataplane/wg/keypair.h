/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_WG_KEYPAIR_H
#define DATAPLANE_WG_KEYPAIR_H

#include "dataplane/base/key.h"
#include "dataplane/wg/messages.h"
#include "dataplane/wg/replay.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * The transport keys of one session and the rules for their use (paper, sections 5.4.5, 6.1 and
 * 6.2). Which session is current, next or previous is the business of its owner.
 */
struct keypair {
	/* what the opener reads first; set at birth */
	uint32_t local_index; /* ours: what arrives names it */
	bool is_initiator;
	uint64_t birth_ns; /* CLOCK_MONOTONIC */
	struct key receive_key;
	/* the sealer's */
	struct key send_key;
	_Atomic uint64_t send_counter; /* the next one to use */
	uint32_t remote_index;
	uint8_t pad[20]; /* what the owner worker writes is not in the line that sealers write */
	struct replay replay; /* the owner worker's */
};

static inline bool keypair_expired(const struct keypair *k, uint64_t now_ns)
{
	return now_ns - k->birth_ns >= REJECT_AFTER_TIME;
}

static inline bool keypair_may_send(const struct keypair *k, uint64_t counter, uint64_t now_ns)
{
	return !keypair_expired(k, now_ns) && counter < REJECT_AFTER_MESSAGES;
}

/*
 * Takes n counters, of which the first is returned: nobody else gets them, any thread may ask. Each
 * is held against keypair_may_send() before use. A used-up key gives no more, so that the number
 * never gets round to 0, even with many threads that ask at once.
 */
static inline uint64_t keypair_reserve(struct keypair *k, uint32_t n)
{
	if (atomic_load_explicit(&k->send_counter, memory_order_relaxed) >= REJECT_AFTER_MESSAGES)
		return REJECT_AFTER_MESSAGES;
	return atomic_fetch_add_explicit(&k->send_counter, n, memory_order_relaxed);
}

/* On sending: time for a new handshake? After REKEY_AFTER_TIME only the initiator asks for it. */
static inline bool keypair_wants_rekey_on_send(
	const struct keypair *k, uint64_t counter, uint64_t now_ns)
{
	return counter >= REKEY_AFTER_MESSAGES
		|| (k->is_initiator && now_ns - k->birth_ns >= REKEY_AFTER_TIME);
}

/* On receiving: the key is so old that the next silence might outlast it. */
static inline bool keypair_wants_rekey_on_receive(const struct keypair *k, uint64_t now_ns)
{
	return k->is_initiator
		&& now_ns - k->birth_ns >= REJECT_AFTER_TIME - KEEPALIVE_TIMEOUT - REKEY_TIMEOUT;
}

#endif
