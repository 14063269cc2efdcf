// SPDX-License-Identifier: Apache-2.0
#include "kernel/route.h"

#include "kernel/nl.h"
#include "kernel/nl_addr.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include <netlink/addr.h>
#include <netlink/cache.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>

static void add_next_hop(struct rtnl_route *out, const struct kernel_route *r)
{
	struct rtnl_nexthop *hop = rtnl_route_nh_alloc();
	if (hop == NULL)
		return;
	rtnl_route_nh_set_ifindex(hop, r->ifindex);
	if (!ip_addr_is_zero(&r->gateway)) {
		struct nl_addr *gateway = nl_addr_from_ip(&r->gateway);
		rtnl_route_nh_set_gateway(hop, gateway);
		nl_addr_put(gateway);
	}
	rtnl_route_add_nexthop(out, hop);
}

static struct rtnl_route *build(const struct kernel_route *r)
{
	struct rtnl_route *out = rtnl_route_alloc();
	struct nl_addr *dst = nl_addr_from_prefix(&r->prefix);
	if (out != NULL && dst != NULL) {
		(void)rtnl_route_set_family(out, ip_prefix_is_v4(&r->prefix) ? AF_INET : AF_INET6);
		(void)rtnl_route_set_dst(out, dst);
		rtnl_route_set_table(out, r->table);
		rtnl_route_set_scope(
			out, ip_addr_is_zero(&r->gateway) ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE);
		rtnl_route_set_protocol(out, RTPROT_STATIC);
		add_next_hop(out, r);
	}
	if (dst != NULL)
		nl_addr_put(dst);
	return out;
}

int kernel_route_replace(struct nl *nl, const struct kernel_route *r)
{
	struct rtnl_route *out = build(r);
	if (out == NULL)
		return -ENOMEM;
	int err = nl_errno(rtnl_route_add(nl->sock, out, NLM_F_CREATE | NLM_F_REPLACE));
	rtnl_route_put(out);
	return err;
}

int kernel_route_del(struct nl *nl, const struct kernel_route *r)
{
	struct rtnl_route *out = build(r);
	if (out == NULL)
		return -ENOMEM;
	int err = nl_errno(rtnl_route_delete(nl->sock, out, 0));
	rtnl_route_put(out);
	return err == -ENOENT ? 0 : err;
}

/* Of several ways the first is named: the dataplane keeps one a prefix. */
static bool read_route(struct rtnl_route *in, struct kernel_route *ret)
{
	struct rtnl_nexthop *hop = rtnl_route_nexthop_n(in, 0);
	struct ip_prefix gateway;
	memset(ret, 0, sizeof(*ret));
	if (rtnl_route_get_type(in) != RTN_UNICAST || hop == NULL
		|| !nl_addr_to_prefix(
			rtnl_route_get_dst(in), rtnl_route_get_family(in), &ret->prefix))
		return false;
	ret->ifindex = rtnl_route_nh_get_ifindex(hop);
	ret->table = rtnl_route_get_table(in);
	ret->priority = rtnl_route_get_priority(in);
	struct nl_addr *via = rtnl_route_nh_get_gateway(hop);
	if (via != NULL && nl_addr_get_len(via) > 0) {
		if (!nl_addr_to_prefix(via, nl_addr_get_family(via), &gateway))
			return false;
		ret->gateway = gateway.addr;
	}
	return true;
}

int kernel_route_each(struct nl *nl, uint32_t table,
	bool (*visit)(void *ctx, const struct kernel_route *r), void *ctx)
{
	struct nl_cache *all;
	int err = nl_errno(rtnl_route_alloc_cache(nl->sock, AF_UNSPEC, 0, &all));
	if (err != 0)
		return err;
	for (struct nl_object *o = nl_cache_get_first(all); o != NULL; o = nl_cache_get_next(o)) {
		struct kernel_route r;
		if (read_route((struct rtnl_route *)o, &r) && (table == 0 || r.table == table)
			&& !visit(ctx, &r))
			break;
	}
	nl_cache_free(all);
	return 0;
}
