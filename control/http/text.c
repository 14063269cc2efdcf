// SPDX-License-Identifier: Apache-2.0
#include "control/http/text.h"

#include <stddef.h>

/* The length of the UTF-8 sequence at s, 0 when it is none. Never reads past the NUL. */
static size_t utf8_length(const unsigned char *s)
{
	if (s[0] < 0x80)
		return 1;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	size_t n = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	/* Overlong forms, surrogates, beyond U+10FFFF. */
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f)
		|| (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

static bool is_control(unsigned char c)
{
	return c < 0x20 || c == 0x7f;
}

bool text_is_clean(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	while (*s != '\0') {
		size_t n = utf8_length(s);
		if (n == 0 || is_control(*s))
			return false;
		s += n;
	}
	return true;
}

void text_repair(char *text)
{
	unsigned char *s = (unsigned char *)text;
	while (*s != '\0') {
		size_t n = utf8_length(s);
		if (n == 0 || is_control(*s)) {
			*s = '?';
			n = 1;
		}
		s += n;
	}
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool text_percent_decode(char *text)
{
	char *out = text;
	for (const char *in = text; *in != '\0'; in++) {
		char c = *in;
		if (c == '%') {
			int high = hex_value(in[1]);
			int low = high < 0 ? -1 : hex_value(in[2]);
			if (low < 0 || (high == 0 && low == 0))
				return false;
			c = (char)(high << 4 | low);
			in += 2;
		}
		*out++ = c;
	}
	*out = '\0';
	return text_is_clean(text);
}
