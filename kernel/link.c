// SPDX-License-Identifier: Apache-2.0
#include "kernel/link.h"

#include "kernel/nl.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

#include <netlink/addr.h>
#include <netlink/cache.h>
#include <netlink/route/link.h>

int link_find(const char *name)
{
	unsigned int index = if_nametoindex(name);
	return index != 0 ? (int)index : -ENODEV;
}

static int change(struct nl *nl, int ifindex, struct rtnl_link *wanted)
{
	struct rtnl_link *which = rtnl_link_alloc();
	if (which == NULL)
		return -ENOMEM;
	rtnl_link_set_ifindex(which, ifindex);
	int err = nl_errno(rtnl_link_change(nl->sock, which, wanted, 0));
	rtnl_link_put(which);
	return err;
}

int link_set_up(struct nl *nl, int ifindex, unsigned int mtu)
{
	struct rtnl_link *wanted = rtnl_link_alloc();
	if (wanted == NULL)
		return -ENOMEM;
	rtnl_link_set_flags(wanted, IFF_UP);
	if (mtu != 0)
		rtnl_link_set_mtu(wanted, mtu);
	int err = change(nl, ifindex, wanted);
	rtnl_link_put(wanted);
	return err;
}

static bool has_mac(struct nl *nl, int ifindex, const uint8_t mac[6])
{
	struct rtnl_link *is = NULL;
	if (rtnl_link_get_kernel(nl->sock, ifindex, NULL, &is) != 0)
		return false;
	const struct nl_addr *addr = rtnl_link_get_addr(is);
	bool same = addr != NULL && nl_addr_get_len(addr) == 6
		&& memcmp(nl_addr_get_binary_addr(addr), mac, 6) == 0;
	rtnl_link_put(is);
	return same;
}

int link_set_mac(struct nl *nl, int ifindex, const uint8_t mac[6])
{
	if (has_mac(nl, ifindex, mac))
		return 0;
	struct rtnl_link *wanted = rtnl_link_alloc();
	struct nl_addr *addr = nl_addr_build(AF_LLC, mac, 6);
	int err = wanted != NULL && addr != NULL ? 0 : -ENOMEM;
	if (err == 0) {
		rtnl_link_set_addr(wanted, addr);
		err = change(nl, ifindex, wanted);
	}
	if (addr != NULL)
		nl_addr_put(addr);
	if (wanted != NULL)
		rtnl_link_put(wanted);
	return err;
}

int link_del(struct nl *nl, int ifindex)
{
	struct rtnl_link *which = rtnl_link_alloc();
	if (which == NULL)
		return -ENOMEM;
	rtnl_link_set_ifindex(which, ifindex);
	int err = nl_errno(rtnl_link_delete(nl->sock, which));
	rtnl_link_put(which);
	return err;
}

int link_each(struct nl *nl, bool (*visit)(void *ctx, int ifindex, const char *name), void *ctx)
{
	struct nl_cache *all;
	int err = nl_errno(rtnl_link_alloc_cache(nl->sock, AF_UNSPEC, &all));
	if (err != 0)
		return err;
	for (struct nl_object *o = nl_cache_get_first(all); o != NULL; o = nl_cache_get_next(o)) {
		struct rtnl_link *l = (struct rtnl_link *)o;
		if (!visit(ctx, rtnl_link_get_ifindex(l), rtnl_link_get_name(l)))
			break;
	}
	nl_cache_free(all);
	return 0;
}
