// SPDX-License-Identifier: Apache-2.0
#include "control/node/read.h"

#include "dataplane/base/hex.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int read_refuse(const struct reader *r, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	(void)vsnprintf(r->error, DESIRED_ERROR_TEXT, format, args);
	va_end(args);
	return -EINVAL;
}

int read_text(const struct reader *r, const json_t *o, const char *name, const char **ret)
{
	*ret = json_string_value(json_object_get(o, name));
	return *ret != NULL ? 0 : read_refuse(r, "%s must be a string", name);
}

int read_id(const struct reader *r, const json_t *o, const char *name, struct uuid *ret)
{
	const char *text;
	int err = read_text(r, o, name, &text);
	if (err == 0 && uuid_parse(text, ret) != 0)
		err = read_refuse(r, "%s must be a UUID", name);
	return err;
}

int read_key(const struct reader *r, const json_t *o, const char *name, struct key *ret)
{
	const char *text;
	int err = read_text(r, o, name, &text);
	if (err == 0 && key_from_base64(text, ret) != 0)
		err = read_refuse(r, "%s must be a key in base64", name);
	return err;
}

int read_flag(const struct reader *r, const json_t *o, const char *name, bool *ret)
{
	const json_t *v = json_object_get(o, name);
	*ret = json_is_true(v);
	return json_is_boolean(v) ? 0 : read_refuse(r, "%s must be true or false", name);
}

int read_number(
	const struct reader *r, const json_t *o, const char *name, uint64_t max, uint64_t *ret)
{
	const json_t *v = json_object_get(o, name);
	if (!json_is_integer(v) || json_integer_value(v) < 0
		|| (uint64_t)json_integer_value(v) > max)
		return read_refuse(
			r, "%s must be a whole number up to %llu", name, (unsigned long long)max);
	*ret = (uint64_t)json_integer_value(v);
	return 0;
}

int read_number16(const struct reader *r, const json_t *o, const char *name, uint16_t *ret)
{
	uint64_t v = 0;
	int err = read_number(r, o, name, UINT16_MAX, &v);
	*ret = (uint16_t)v;
	return err;
}

int read_prefix(const struct reader *r, const json_t *o, const char *name, struct ip_prefix *ret)
{
	const char *text;
	int err = read_text(r, o, name, &text);
	if (err == 0 && ip_prefix_parse(text, ret) != 0)
		err = read_refuse(r, "%s: \"%s\" is no address with a length", name, text);
	return err;
}

int read_hex(const struct reader *r, const json_t *o, const char *name, uint8_t *ret, size_t len)
{
	const char *text;
	int err = read_text(r, o, name, &text);
	if (err == 0 && hex_decode(text, strlen(text), ret, len) != (ssize_t)len)
		err = read_refuse(r, "%s must be %zu bytes in hex", name, len);
	return err;
}

int read_word(const struct reader *r, const json_t *o, const char *name, const char *const *words,
	uint8_t count, uint8_t *ret)
{
	const char *text;
	if (read_text(r, o, name, &text) != 0)
		return -EINVAL;
	for (uint8_t i = 0; i < count; i++) {
		if (words[i] != NULL && strcmp(text, words[i]) == 0) {
			*ret = i;
			return 0;
		}
	}
	return read_refuse(r, "%s: \"%s\" is none that this hub knows", name, text);
}

int read_prefixes(const struct reader *r, const json_t *list, const char *name, unsigned int max,
	struct desired_prefixes *ret)
{
	size_t count = json_array_size(list);
	if (!json_is_array(list) || count > max)
		return read_refuse(r, "%s must be a list of at most %u prefixes", name, max);
	ret->prefix = calloc(count > 0 ? count : 1, sizeof(ret->prefix[0]));
	if (ret->prefix == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		const char *text = json_string_value(json_array_get(list, i));
		if (text == NULL || ip_prefix_parse(text, &ret->prefix[i]) != 0)
			return read_refuse(r, "%s: element %zu is no prefix", name, i);
	}
	ret->count = (unsigned int)count;
	return 0;
}
