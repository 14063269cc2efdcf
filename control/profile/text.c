// SPDX-License-Identifier: Apache-2.0
#include "control/profile/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

int text_init(struct text *t, size_t size)
{
	*t = (struct text){.start = calloc(1, size), .size = size};
	return t->start != NULL ? 0 : -ENOMEM;
}

void text_print(struct text *t, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int n = vsnprintf(t->start + t->len, t->size - t->len, format, args);
	va_end(args);
	if (n > 0)
		t->len += (size_t)n < t->size - t->len ? (size_t)n : t->size - t->len - 1;
}

void text_print_name(struct text *t, const char *name)
{
	for (; *name != '\0'; name++)
		text_print(t, "%c", (unsigned char)*name < 0x20 || *name == 0x7f ? '?' : *name);
}
