/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_HTTP_TEXT_H
#define CONTROL_HTTP_TEXT_H

#include <stdbool.h>

/* UTF-8 (RFC 3629) without control characters. */
bool text_is_clean(const char *text);
/* Makes it so: bytes that are not, or that a buffer's end cut, become '?'. */
void text_repair(char *text);
/* Percent-decodes in place; false for bad escapes and for what is not clean afterwards. */
bool text_percent_decode(char *text);

#endif
