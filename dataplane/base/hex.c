// SPDX-License-Identifier: Apache-2.0
#include "dataplane/base/hex.h"

#include <errno.h>

void hex_encode(const uint8_t *data, size_t len, char *text)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < len; i++) {
		text[2 * i] = digits[data[i] >> 4];
		text[2 * i + 1] = digits[data[i] & 15];
	}
	text[2 * len] = '\0';
}

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

ssize_t hex_decode(const char *text, size_t text_len, uint8_t *data, size_t size)
{
	if (text_len % 2 != 0)
		return -EINVAL;
	if (text_len / 2 > size)
		return -ENOSPC;
	for (size_t i = 0; i < text_len; i++) {
		if (digit_value(text[i]) < 0)
			return -EINVAL;
	}
	for (size_t i = 0; i < text_len / 2; i++)
		data[i] = (uint8_t)(digit_value(text[2 * i]) * 16 + digit_value(text[2 * i + 1]));
	return (ssize_t)(text_len / 2);
}
