// SPDX-License-Identifier: Apache-2.0
#include "dataplane/ovpn/replay.h"

#include <string.h>

void packet_id_window_init(struct packet_id_window *w, bool in_order)
{
	memset(w, 0, sizeof(*w));
	w->in_order = in_order;
}

/* Clears the words after the greatest id's, up to the new one's: they hold what is a ring behind. */
static void clear_words(struct packet_id_window *w, uint32_t id)
{
	uint32_t from = w->greatest / 64, count = id / 64 - from;
	if (count > PACKET_ID_WORDS)
		count = PACKET_ID_WORDS;
	for (uint32_t i = 1; i <= count; i++)
		w->word[(from + i) % PACKET_ID_WORDS] = 0;
}

bool packet_id_window_accept(struct packet_id_window *w, uint32_t id)
{
	if (w->in_order) {
		if (id == 0 || id - 1 != w->greatest)
			return false;
		w->greatest = id;
		return true;
	}
	if (id == 0 || (id < w->greatest && w->greatest - id >= PACKET_ID_WINDOW))
		return false;
	if (id > w->greatest) {
		clear_words(w, id);
		w->greatest = id;
	}
	uint64_t bit = 1ULL << (id % 64);
	uint64_t *word = &w->word[id / 64 % PACKET_ID_WORDS];
	if ((*word & bit) != 0)
		return false;
	*word |= bit;
	return true;
}
