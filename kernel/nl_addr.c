// SPDX-License-Identifier: Apache-2.0
#include "kernel/nl_addr.h"

#include <string.h>
#include <sys/socket.h>

#include <netlink/addr.h>

struct nl_addr *nl_addr_from_ip(const struct ip_addr *a)
{
	struct ip_prefix p = ip_prefix_of(a);
	return nl_addr_from_prefix(&p);
}

struct nl_addr *nl_addr_from_prefix(const struct ip_prefix *p)
{
	bool v4 = ip_prefix_is_v4(p);
	const uint8_t *bytes = p->addr.bytes + (v4 ? IP_V4_OFFSET / 8 : 0);
	struct nl_addr *n = nl_addr_build(v4 ? AF_INET : AF_INET6, bytes, v4 ? 4 : 16);
	if (n != NULL)
		nl_addr_set_prefixlen(n, (int)ip_prefix_len(p));
	return n;
}

bool nl_addr_to_prefix(const struct nl_addr *n, int family, struct ip_prefix *ret)
{
	static const uint8_t zero[16];
	unsigned int size = family == AF_INET ? 4 : 16, len = nl_addr_get_len(n);
	if ((family != AF_INET && family != AF_INET6) || (len != 0 && len != size))
		return false;
	const uint8_t *bytes = len != 0 ? nl_addr_get_binary_addr(n) : zero;
	if (family == AF_INET)
		ret->addr = ip_addr_from_v4(bytes);
	else
		memcpy(ret->addr.bytes, bytes, 16);
	ret->len = (uint8_t)(nl_addr_get_prefixlen(n) + (family == AF_INET ? IP_V4_OFFSET : 0));
	return true;
}
