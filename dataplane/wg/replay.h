/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_WG_REPLAY_H
#define DATAPLANE_WG_REPLAY_H

#include "dataplane/wg/messages.h"

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
/* Where a counter's bit is. */
static inline uint64_t *replay_word(struct replay *r, uint64_t counter)
{
	return &r->word[counter / 64 % REPLAY_WORDS];
}

/* Clears the words between the greatest counter so far and the new one. */
void replay_clear(struct replay *r, uint64_t counter);

/*
 * After the packet was authenticated: true, and remembered, when the counter is new. false:
 * seen, too old, or at or above REJECT_AFTER_MESSAGES.
 */
static inline bool replay_accept(struct replay *r, uint64_t counter)
{
	if (counter >= REJECT_AFTER_MESSAGES || counter + REPLAY_WINDOW < r->next)
		return false;
	if (counter >= r->next) {
		if (counter / 64 != (r->next - 1) / 64)
			replay_clear(r, counter);
		r->next = counter + 1;
	}
	uint64_t bit = 1ULL << (counter % 64);
	uint64_t *word = replay_word(r, counter);
	if ((*word & bit) != 0)
		return false;
	*word |= bit;
	return true;
}

#endif
