// SPDX-License-Identifier: Apache-2.0
#include "control/model/name.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Decodes one character of well-formed UTF-8 (jansson has checked it). */
static uint32_t next_character(const unsigned char **s)
{
	const unsigned char *p = *s;
	unsigned int more = p[0] >= 0xf0 ? 3 : p[0] >= 0xe0 ? 2 : p[0] >= 0xc0 ? 1 : 0;
	uint32_t c = more == 0 ? p[0] : p[0] & (0x3fu >> more);
	*s = ++p;
	for (; more > 0 && (*p & 0xc0) == 0x80; more--)
		c = c << 6 | (*p++ & 0x3f);
	*s = p;
	return c;
}

/* Controls, line separators, and characters that make text read otherwise than it is. */
static bool is_forbidden(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x2028 || c == 0x2029
		|| (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0x200e
		|| c == 0x200f || c == 0x061c || c == 0xfeff || c == 0xfffe || c == 0xffff;
}

static void check_text(
	const char *text, size_t max, const char *pointer, struct model_errors *errors)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t count = 0;
	while (*s != '\0') {
		uint32_t c = next_character(&s);
		count++;
		if (is_forbidden(c)) {
			model_error_add(errors, pointer, "has the control character U+%04X",
				(unsigned int)c);
			return;
		}
	}
	if (count > max)
		model_error_add(errors, pointer, "is longer than %zu characters", max);
}

void name_check(const char *name, const char *pointer, struct model_errors *errors)
{
	size_t len = strlen(name);
	if (len == 0)
		model_error_add(errors, pointer, "must not be empty");
	else if (name[0] == ' ' || name[len - 1] == ' ')
		model_error_add(errors, pointer, "must not begin or end with a space");
	else
		check_text(name, NAME_MAX_CHARACTERS, pointer, errors);
}

static bool key_is_valid(const char *key)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/-";
	size_t len = strlen(key);
	return len > 0 && len <= LABEL_KEY_MAX_BYTES && strspn(key, allowed) == len;
}

/* RFC 6901: a / within a name is ~1. The names have no ~. */
static void label_pointer(const char *key, char ret[MODEL_POINTER_TEXT])
{
	size_t at = (size_t)snprintf(ret, MODEL_POINTER_TEXT, "/labels/");
	for (; *key != '\0' && at + 3 <= MODEL_POINTER_TEXT; key++) {
		if (*key == '/')
			ret[at++] = '~';
		ret[at++] = *key == '/' ? '1' : *key;
	}
	ret[at] = '\0';
}

void labels_check(const json_t *labels, struct model_errors *errors)
{
	const char *key;
	json_t *value;
	if (json_object_size(labels) > LABELS_MAX)
		model_error_add(errors, "/labels", "has more than %d labels", LABELS_MAX);
	json_object_foreach((json_t *)labels, key, value)
	{
		char pointer[MODEL_POINTER_TEXT];
		if (!key_is_valid(key)) {
			model_error_add(errors, "/labels",
				"a label's name is 1 to %d of a-z A-Z 0-9 . _ / -",
				LABEL_KEY_MAX_BYTES);
			continue;
		}
		label_pointer(key, pointer);
		if (!json_is_string(value)) {
			model_error_add(errors, pointer, "must be a string");
			continue;
		}
		check_text(json_string_value(value), LABEL_VALUE_MAX_CHARACTERS, pointer, errors);
	}
}
