// SPDX-License-Identifier: Apache-2.0
#include "control/store/prefixes.h"

#include <jansson.h>
#include <string.h>

char *prefixes_format(const struct subnets *list)
{
	json_t *array = json_array();
	for (size_t i = 0; i < list->count; i++) {
		char text[IP_PREFIX_TEXT];
		if (json_array_append_new(
			    array, json_string(ip_prefix_format(&list->list[i], text)))
			< 0) {
			json_decref(array);
			return NULL;
		}
	}
	char *text = json_dumps(array, JSON_COMPACT);
	json_decref(array);
	return text;
}

void prefixes_parse(const char *text, struct subnets *ret)
{
	json_t *array = text != NULL ? json_loads(text, 0, NULL) : NULL;
	size_t i;
	json_t *item;
	ret->count = 0;
	json_array_foreach(array, i, item)
	{
		const char *s = json_string_value(item);
		if (s != NULL && ret->count < SUBNETS_MAX
			&& ip_prefix_parse(s, &ret->list[ret->count]) == 0)
			ret->count++;
	}
	json_decref(array);
}

void prefix_range(const struct ip_prefix *p, struct ip_addr *ret_lo, struct ip_addr *ret_hi)
{
	const struct ip_prefix canonical = ip_prefix_canonical(p);
	*ret_lo = canonical.addr;
	*ret_hi = canonical.addr;
	for (unsigned int bit = p->len; bit < 128; bit++)
		ret_hi->bytes[bit / 8] |= (uint8_t)(0x80 >> (bit % 8));
}
