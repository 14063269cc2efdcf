// SPDX-License-Identifier: Apache-2.0
#include "control/http/value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

json_t *value_time(int64_t unix_seconds)
{
	char text[32];
	struct tm tm;
	time_t t = (time_t)unix_seconds;
	if (unix_seconds == 0 || gmtime_r(&t, &tm) == NULL
		|| strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		return json_null();
	return json_string(text);
}

json_t *value_uuid(const struct uuid *id)
{
	char text[UUID_TEXT];
	return uuid_is_zero(id) ? json_null() : json_string(uuid_format(id, text));
}

json_t *value_prefix(const struct ip_prefix *p)
{
	char text[IP_PREFIX_TEXT];
	return json_string(ip_prefix_format(p, text));
}

json_t *value_prefixes(const struct subnets *list)
{
	json_t *array = json_array();
	for (size_t i = 0; i < list->count; i++)
		(void)json_array_append_new(array, value_prefix(&list->list[i]));
	return array;
}

json_t *value_text(const char *text)
{
	return text[0] == '\0' ? json_null() : json_string(text);
}

/* d stands for a digit, everything else for itself; what follows the shape is not looked at. */
static bool has_shape(const char *text, const char *shape)
{
	for (; *shape != '\0'; text++, shape++) {
		bool is_digit = *text >= '0' && *text <= '9';
		if (*shape == 'd' ? !is_digit : *text != *shape)
			return false;
	}
	return true;
}

static long two_digits(const char *text)
{
	return (text[0] - '0') * 10L + (text[1] - '0');
}

/* "+02:00" or "Z" behind the seconds. */
static bool read_offset(const char *text, long *ret_seconds)
{
	if (strcmp(text, "Z") == 0 || strcmp(text, "z") == 0) {
		*ret_seconds = 0;
		return true;
	}
	if ((text[0] != '+' && text[0] != '-') || !has_shape(text + 1, "dd:dd") || text[6] != '\0')
		return false;
	long hours = two_digits(text + 1), minutes = two_digits(text + 4);
	*ret_seconds = (hours * 3600 + minutes * 60) * (text[0] == '-' ? -1 : 1);
	return hours <= 23 && minutes <= 59;
}

static bool read_rfc3339(const char *text, int64_t *ret)
{
	struct tm tm = {0};
	long offset;
	/* strptime() alone would take spaces and signs */
	if (!has_shape(text, "dddd-dd-ddTdd:dd:dd"))
		return false;
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	if (rest == NULL || rest - text != 19)
		return false;
	size_t digits = *rest == '.' ? strspn(rest + 1, "0123456789") : 0;
	rest += digits > 0 ? 1 + digits : 0;
	if (!read_offset(rest, &offset))
		return false;
	int day = tm.tm_mday;
	*ret = (int64_t)timegm(&tm) - offset;
	return tm.tm_mday == day && *ret > 0; /* else it was no day of that month */
}

bool value_read_time(
	const json_t *v, const char *pointer, int64_t *ret, struct model_errors *errors)
{
	if (v == NULL || json_is_null(v)) {
		*ret = 0;
		return true;
	}
	if (read_rfc3339(json_string_value(v), ret))
		return true;
	model_error_add(errors, pointer, "must be a time as in 2030-12-31T23:59:59Z");
	return false;
}

bool value_read_uuid(
	const json_t *v, const char *pointer, struct uuid *ret, struct model_errors *errors)
{
	memset(ret, 0, sizeof(*ret));
	if (v == NULL || json_is_null(v) || uuid_parse(json_string_value(v), ret) == 0)
		return true;
	model_error_add(errors, pointer, "must be a UUID");
	return false;
}

bool value_read_prefixes(
	const json_t *v, const char *field, struct subnets *ret, struct model_errors *errors)
{
	char pointer[MODEL_POINTER_TEXT];
	bool good = true;
	size_t i;
	json_t *item;
	ret->count = 0;
	if (json_array_size(v) > SUBNETS_MAX) {
		(void)snprintf(pointer, sizeof(pointer), "/%s", field);
		model_error_add(errors, pointer, "has more than %d entries", SUBNETS_MAX);
		return false;
	}
	json_array_foreach(v, i, item)
	{
		subnet_pointer(pointer, field, i);
		if (subnet_parse(json_string_value(item), pointer, &ret->list[ret->count], errors))
			ret->count++;
		else
			good = false;
	}
	return good;
}

bool value_read_text(
	const json_t *v, const char *pointer, char *ret, size_t size, struct model_errors *errors)
{
	const char *text = json_string_value(v);
	if (text == NULL)
		text = "";
	if ((size_t)snprintf(ret, size, "%s", text) < size)
		return true;
	model_error_add(errors, pointer, "is too long");
	ret[0] = '\0';
	return false;
}
