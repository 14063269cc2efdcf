// SPDX-License-Identifier: Apache-2.0
#include "dataplane/wg/replay.h"

#include "dataplane/wg/messages.h"

#include <string.h>

static_assert(REPLAY_BITS - 64 == REPLAY_WINDOW, "one word is always being filled");

void replay_init(struct replay *r)
{
	memset(r, 0, sizeof(*r));
}

/* Clears the words between the greatest counter so far and the new one. */
static void advance(struct replay *r, uint64_t counter)
{
	uint64_t to = counter / 64;
	uint64_t from = r->next == 0 ? 0 : (r->next - 1) / 64;
	uint64_t words = to - from < REPLAY_WORDS ? to - from : REPLAY_WORDS;
	for (uint64_t i = 1; i <= words; i++)
		r->word[(from + i) % REPLAY_WORDS] = 0;
	r->next = counter + 1;
}

bool replay_accept(struct replay *r, uint64_t counter)
{
	if (counter >= REJECT_AFTER_MESSAGES)
		return false;
	if (counter + REPLAY_WINDOW < r->next)
		return false;
	if (counter >= r->next)
		advance(r, counter);
	uint64_t bit = 1ULL << (counter % 64);
	uint64_t *word = &r->word[counter / 64 % REPLAY_WORDS];
	if ((*word & bit) != 0)
		return false;
	*word |= bit;
	return true;
}
