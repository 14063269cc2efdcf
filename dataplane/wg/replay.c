// SPDX-License-Identifier: Apache-2.0
#include "dataplane/wg/replay.h"

#include <string.h>

static_assert(REPLAY_BITS - 64 == REPLAY_WINDOW, "one word is always being filled");

void replay_init(struct replay *r)
{
	memset(r, 0, sizeof(*r));
}

void replay_clear(struct replay *r, uint64_t counter)
{
	uint64_t to = counter / 64;
	uint64_t from = r->next == 0 ? 0 : (r->next - 1) / 64;
	uint64_t words = to - from < REPLAY_WORDS ? to - from : REPLAY_WORDS;
	for (uint64_t i = 1; i <= words; i++)
		r->word[(from + i) % REPLAY_WORDS] = 0;
}
