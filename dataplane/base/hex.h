/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_BASE_HEX_H
#define DATAPLANE_BASE_HEX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Lower case; text has room for 2 * len + 1. */
void hex_encode(const uint8_t *data, size_t len, char *text);
/* Bytes written, or -EINVAL (odd length, not hex) or -ENOSPC. */
ssize_t hex_decode(const char *text, size_t text_len, uint8_t *data, size_t size);

#endif
