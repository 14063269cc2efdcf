/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_BASE_KEY_H
#define DATAPLANE_BASE_KEY_H

#include <stdbool.h>
#include <stdint.h>

enum {
	KEY_LEN = 32,
	KEY_BASE64_TEXT = 45, /* 44 characters and the NUL */
};

/* 32 bytes of key material. Whoever holds one wipes it; passed by pointer, never logged. */
struct key {
	uint8_t bytes[KEY_LEN];
};

void key_wipe(struct key *k);
/* Constant time. */
bool key_equal(const struct key *a, const struct key *b);
bool key_is_zero(const struct key *k);
/* Fresh random bytes from the kernel. 0 or -errno. */
int key_generate(struct key *ret);
/* Exactly 44 characters of canonical base64. 0 or -EINVAL; ret untouched on failure. */
int key_from_base64(const char *text, struct key *ret);
char *key_to_base64(const struct key *k, char buf[KEY_BASE64_TEXT]);

#endif
