/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_OVPN_REPLAY_H
#define DATAPLANE_OVPN_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Which packet ids of a data key have been seen. Over UDP a window (RFC 6479): a ring of bits, of
 * which one word is always being filled. Over TCP a peer's ids come in order, each one greater
 * than the last; anything else is an attack. Ids begin with 1, and 0 is never valid. One owner
 * thread.
 */
enum {
	PACKET_ID_BITS = 4096,
	PACKET_ID_WORDS = PACKET_ID_BITS / 64,
	PACKET_ID_WINDOW =
		PACKET_ID_BITS - 64, /* ids at and behind the greatest that are told apart */
};

struct packet_id_window {
	bool in_order; /* TCP */
	uint32_t greatest; /* accepted so far; 0: none */
	uint64_t word[PACKET_ID_WORDS]; /* bit id % 64 of word id / 64 % PACKET_ID_WORDS */
};

void packet_id_window_init(struct packet_id_window *w, bool in_order);
/*
 * After the packet was authenticated: true, and remembered, when its id (host byte order) is new.
 * false: 0, seen or too old; in order, also when any is missing.
 */
bool packet_id_window_accept(struct packet_id_window *w, uint32_t id);

#endif
