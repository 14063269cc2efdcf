// SPDX-License-Identifier: Apache-2.0
/*
 * Keys pass through here, so nothing branches on or indexes by the data: characters are computed
 * with masks (each term is all ones when the value lies in its range).
 */
#include "dataplane/base/base64.h"

#include <errno.h>

/* All ones when a < b, else 0; both below 2^16. */
static unsigned int below(unsigned int a, unsigned int b)
{
	return 0U - ((a - b) >> 31);
}

static char encode_six(unsigned int v)
{
	unsigned int c = v + 'A';
	c += ~below(v, 26) & ('a' - 26 - 'A');
	c += ~below(v, 52) & ((unsigned int)('0' - 52) - (unsigned int)('a' - 26));
	c += ~below(v, 62) & ((unsigned int)('+' - 62) - (unsigned int)('0' - 52));
	c += ~below(v, 63) & ((unsigned int)('/' - 63) - (unsigned int)('+' - 62));
	return (char)c;
}

/* All ones when lo <= c <= hi. */
static unsigned int within(unsigned int c, unsigned int lo, unsigned int hi)
{
	return ~below(c, lo) & below(c, hi + 1);
}

/* 0..63, or a value with high bits set. */
static unsigned int decode_six(char character)
{
	unsigned int c = (unsigned char)character;
	unsigned int upper = within(c, 'A', 'Z'), lower = within(c, 'a', 'z'),
		     digit = within(c, '0', '9');
	unsigned int plus = within(c, '+', '+'), slash = within(c, '/', '/');
	unsigned int v = (upper & (c - 'A')) | (lower & (c - 'a' + 26)) | (digit & (c - '0' + 52))
		| (plus & 62) | (slash & 63);
	return v | (~(upper | lower | digit | plus | slash) & 0x100);
}

void base64_encode(const uint8_t *data, size_t len, char *text)
{
	while (len > 0) {
		size_t n = len < 3 ? len : 3;
		unsigned int v = (unsigned int)data[0] << 16
			| (n > 1 ? (unsigned int)data[1] << 8 : 0) | (n > 2 ? data[2] : 0);
		text[0] = encode_six(v >> 18);
		text[1] = encode_six(v >> 12 & 63);
		text[2] = (char)(n > 1 ? encode_six(v >> 6 & 63) : '=');
		text[3] = (char)(n > 2 ? encode_six(v & 63) : '=');
		text += 4;
		data += n;
		len -= n;
	}
	*text = '\0';
}

ssize_t base64_decode(const char *text, size_t text_len, uint8_t *data, size_t size)
{
	if (text_len % 4 != 0)
		return -EINVAL;
	size_t padding = 0;
	while (padding < 2 && text_len > 0 && text[text_len - 1 - padding] == '=')
		padding++;
	size_t len = text_len / 4 * 3 - padding;
	if (len > size)
		return -ENOSPC;
	unsigned int bad = 0;
	for (size_t at = 0, out = 0; at < text_len; at += 4) {
		unsigned int v = 0;
		for (size_t i = 0; i < 4; i++) {
			unsigned int six =
				at + i < text_len - padding ? decode_six(text[at + i]) : 0;
			bad |= six >> 6;
			v = v << 6 | (six & 63);
		}
		/* bits that no byte takes must be zero: one text a value */
		for (size_t i = 0; i < 3; i++) {
			uint8_t byte = (uint8_t)(v >> (16 - 8 * i));
			if (out < len)
				data[out++] = byte;
			else
				bad |= byte;
		}
	}
	return bad == 0 ? (ssize_t)len : -EINVAL;
}
