// SPDX-License-Identifier: Apache-2.0
#include "dataplane/api/check.h"

#include <errno.h>
#include <string.h>

int check_refuse(const char **ret_reason, const char *reason)
{
	*ret_reason = reason;
	return -EINVAL;
}

int check_id(const uint8_t *payload, const char **ret_reason)
{
	struct uuid id;

	memcpy(&id, payload, sizeof(id));
	return uuid_is_zero(&id) ? check_refuse(ret_reason, "id is zero") : 0;
}

bool check_bytes_zero(const void *bytes, size_t len)
{
	const uint8_t *b = bytes;
	uint8_t any = 0;

	for (size_t i = 0; i < len; i++)
		any |= b[i];
	return any == 0;
}

bool check_is_unicast(const struct ip_addr *addr)
{
	static const uint8_t broadcast[4] = {255, 255, 255, 255};

	if (ip_addr_is_zero(addr) || ip_addr_is_multicast(addr))
		return false;
	return !ip_addr_is_v4(addr) || memcmp(addr->bytes + 12, broadcast, 4) != 0;
}

bool check_is_host_prefix(const struct ip_prefix *prefix)
{
	unsigned int shortest = ip_addr_is_v4(&prefix->addr) ? IP_V4_OFFSET : 0;

	return prefix->len > shortest && prefix->len <= 128 && check_is_unicast(&prefix->addr);
}

bool check_is_name(const char *name, size_t len)
{
	static const char good[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:-";
	size_t n = strnlen(name, len);

	if (n == 0 || n == len)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (strchr(good, name[i]) == NULL)
			return false;
	}
	return check_bytes_zero(name + n, len - n);
}
