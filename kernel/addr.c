// SPDX-License-Identifier: Apache-2.0
#include "kernel/addr.h"

#include "kernel/nl.h"
#include "kernel/nl_addr.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <sys/socket.h>

#include <netlink/addr.h>
#include <netlink/cache.h>
#include <netlink/route/addr.h>

static struct rtnl_addr *build(int ifindex, const struct ip_prefix *p, unsigned int flags)
{
	struct rtnl_addr *a = rtnl_addr_alloc();
	struct nl_addr *local = nl_addr_from_prefix(p);
	if (a != NULL && local != NULL) {
		rtnl_addr_set_ifindex(a, ifindex);
		(void)rtnl_addr_set_local(a, local);
		rtnl_addr_set_prefixlen(a, (int)ip_prefix_len(p));
		rtnl_addr_set_flags(a, flags);
	}
	if (local != NULL)
		nl_addr_put(local);
	return a;
}

int addr_add(struct nl *nl, int ifindex, const struct ip_prefix *p, bool without_route)
{
	unsigned int flags = (without_route ? IFA_F_NOPREFIXROUTE : 0)
		| (ip_prefix_is_v4(p) ? 0 : IFA_F_NODAD); /* nobody else is on a link of ours */
	struct rtnl_addr *a = build(ifindex, p, flags);
	if (a == NULL)
		return -ENOMEM;
	int err = nl_errno(rtnl_addr_add(nl->sock, a, 0));
	rtnl_addr_put(a);
	return err == -EEXIST ? 0 : err;
}

int addr_del(struct nl *nl, int ifindex, const struct ip_prefix *p)
{
	struct rtnl_addr *a = build(ifindex, p, 0);
	if (a == NULL)
		return -ENOMEM;
	int err = nl_errno(rtnl_addr_delete(nl->sock, a, 0));
	rtnl_addr_put(a);
	return err;
}

int addr_each(
	struct nl *nl, int ifindex, bool (*visit)(void *ctx, const struct ip_prefix *p), void *ctx)
{
	struct nl_cache *all;
	int err = nl_errno(rtnl_addr_alloc_cache(nl->sock, &all));
	if (err != 0)
		return err;
	for (struct nl_object *o = nl_cache_get_first(all); o != NULL; o = nl_cache_get_next(o)) {
		struct rtnl_addr *a = (struct rtnl_addr *)o;
		struct ip_prefix p;
		unsigned int unusable = IFA_F_TENTATIVE | IFA_F_DADFAILED;
		if (rtnl_addr_get_ifindex(a) != ifindex || (rtnl_addr_get_flags(a) & unusable) != 0)
			continue;
		if (!nl_addr_to_prefix(rtnl_addr_get_local(a), rtnl_addr_get_family(a), &p))
			continue;
		p.len = (uint8_t)(rtnl_addr_get_prefixlen(a)
			+ (ip_addr_is_v4(&p.addr) ? IP_V4_OFFSET : 0));
		if (!visit(ctx, &p))
			break;
	}
	nl_cache_free(all);
	return 0;
}
