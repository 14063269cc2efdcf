/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_PROFILE_TEXT_H
#define CONTROL_PROFILE_TEXT_H

#include <stddef.h>

/* A text whose room is known before the first byte: no copy of a key stays behind one that grew. */
struct text {
	char *start; /* owned by whoever takes the text */
	size_t size;
	size_t len;
};

/* 0 or -ENOMEM. */
int text_init(struct text *t, size_t size);
/* What has no room is left out. */
void text_print(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Printable bytes of a name only: it can add no line of its own. */
void text_print_name(struct text *t, const char *name);

#endif
