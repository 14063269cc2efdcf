/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_BASE_BASE64_H
#define DATAPLANE_BASE_BASE64_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* RFC 4648 section 4, with padding. Bytes of text for n bytes, with the NUL. */
#define BASE64_TEXT(n) (((n) + 2) / 3 * 4 + 1)

/* text has room for BASE64_TEXT(len). Constant time in the data. */
void base64_encode(const uint8_t *data, size_t len, char *text);
/* Bytes written, or -EINVAL (not canonical) or -ENOSPC (more than size). Constant time in the data. */
ssize_t base64_decode(const char *text, size_t text_len, uint8_t *data, size_t size);

#endif
