/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_BASE_UUID_H
#define DATAPLANE_BASE_UUID_H

#include <stdbool.h>
#include <stdint.h>

enum {
	UUID_TEXT = 37, /* 36 characters and the NUL */
};

struct uuid {
	uint8_t bytes[16];
};

/* RFC 9562 version 4. 0 or -errno. */
int uuid_generate(struct uuid *ret);
bool uuid_equal(const struct uuid *a, const struct uuid *b);
bool uuid_is_zero(const struct uuid *u);
/* 36 characters, lower or upper case. 0 or -EINVAL. */
int uuid_parse(const char *text, struct uuid *ret);
/* Lower case. */
char *uuid_format(const struct uuid *u, char buf[UUID_TEXT]);

#endif
