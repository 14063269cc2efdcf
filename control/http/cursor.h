/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_HTTP_CURSOR_H
#define CONTROL_HTTP_CURSOR_H

#include <stddef.h>
#include <stdint.h>

enum {
	CURSOR_POSITION_MAX =
		64, /* bytes of a list's own position: a prefix in text is the longest */
	CURSOR_TEXT = 2 * (4 + 8 + 16 + 1 + CURSOR_POSITION_MAX + 16) + 1,
	CURSOR_LIFE_S = 24 * 3600,
};

/* Key of this run of the daemon. Made once, read by all threads. */
struct cursor_key {
	uint8_t secret[32];
	uint8_t id[4];
};

int cursor_key_init(struct cursor_key *key);
void cursor_key_fini(struct cursor_key *key);
/*
 * scope names the list with its filters: a cursor of one list means nothing in another.
 * 0, or -EMSGSIZE.
 */
int cursor_format(const struct cursor_key *key, const char *scope, uint64_t now_s,
	const char *position, char ret[CURSOR_TEXT]);
/* 0, -EINVAL (not from here, or for another list), -ESTALE (too old, or of an earlier run). */
int cursor_parse(const struct cursor_key *key, const char *scope, uint64_t now_s, const char *text,
	char ret_position[CURSOR_POSITION_MAX + 1]);

#endif
