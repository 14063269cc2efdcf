/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_WG_REPLAY_H
#define DATAPLANE_WG_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Anti-replay window (RFC 6479): a ring of 8192 bits, of which one word is always being filled,
 * so 8128 counters behind the greatest are remembered. One owner thread.
 */
enum {
	REPLAY_BITS = 8192,
	REPLAY_WORDS = REPLAY_BITS / 64,
};

struct replay {
	uint64_t next; /* greatest accepted counter + 1; 0: none yet */
	uint64_t word[REPLAY_WORDS];
};

void replay_init(struct replay *r);
/*
 * After the packet was authenticated: true, and remembered, when the counter is new. false:
 * seen, too old, or at or above REJECT_AFTER_MESSAGES.
 */
bool replay_accept(struct replay *r, uint64_t counter);

#endif
