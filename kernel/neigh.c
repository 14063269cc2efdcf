// SPDX-License-Identifier: Apache-2.0
/*
 * The message is built by hand, because libnl 3.7 knows no NDA_FLAGS_EXT. CREATE and REPLACE with
 * NTF_USE and no state is what starts resolution: NUD_INCOMPLETE alone is acknowledged and does
 * nothing.
 */
#include "kernel/neigh.h"

#include "kernel/nl.h"
#include "kernel/nl_addr.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <string.h>
#include <sys/socket.h>

#include <netlink/addr.h>
#include <netlink/cache.h>
#include <netlink/msg.h>
#include <netlink/route/neighbour.h>

static int send_request(
	struct nl *nl, const struct ndmsg *header, const struct ip_addr *addr, uint32_t extended)
{
	bool v4 = header->ndm_family == AF_INET;
	struct nl_msg *m = nlmsg_alloc_simple(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE);
	if (m == NULL)
		return -ENOMEM;
	struct ndmsg copy = *header;
	int err = nlmsg_append(m, &copy, sizeof(copy), NLMSG_ALIGNTO);
	if (err == 0)
		err = nla_put(m, NDA_DST, v4 ? 4 : 16, addr->bytes + (v4 ? IP_V4_OFFSET / 8 : 0));
	if (err == 0 && extended != 0)
		err = nla_put_u32(m, NDA_FLAGS_EXT, extended);
	if (err != 0) {
		nlmsg_free(m);
		return nl_errno(err);
	}
	return nl_errno(nl_send_sync(nl->sock, m)); /* frees the message */
}

int neigh_resolve(struct nl *nl, int ifindex, const struct ip_addr *addr, bool managed)
{
	struct ndmsg header = {
		.ndm_family = ip_addr_is_v4(addr) ? AF_INET : AF_INET6,
		.ndm_ifindex = ifindex,
		.ndm_state = NUD_NONE,
	};
	int err = -EINVAL;
	if (managed)
		err = send_request(nl, &header, addr, NTF_EXT_MANAGED);
	if (err == 0)
		return 0;
	header.ndm_flags = NTF_USE;
	return send_request(nl, &header, addr, 0);
}

static enum kernel_neigh_state read_state(int nud)
{
	if ((nud & (NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT | NUD_NOARP))
		!= 0)
		return KERNEL_NEIGH_USABLE;
	return (nud & NUD_FAILED) != 0 ? KERNEL_NEIGH_FAILED : KERNEL_NEIGH_RESOLVING;
}

static bool read_neigh(struct rtnl_neigh *in, struct kernel_neigh *ret)
{
	struct ip_prefix p;
	const struct nl_addr *dst = rtnl_neigh_get_dst(in), *mac = rtnl_neigh_get_lladdr(in);
	memset(ret, 0, sizeof(*ret));
	if (dst == NULL || !nl_addr_to_prefix(dst, rtnl_neigh_get_family(in), &p)
		|| ip_addr_is_multicast(&p.addr))
		return false;
	ret->addr = p.addr;
	ret->state = read_state(rtnl_neigh_get_state(in));
	if (ret->state != KERNEL_NEIGH_USABLE)
		return true;
	if (mac == NULL || nl_addr_get_len(mac) != sizeof(ret->mac))
		return false;
	memcpy(ret->mac, nl_addr_get_binary_addr(mac), sizeof(ret->mac));
	return (ret->mac[0] & 1) == 0;
}

int neigh_each(struct nl *nl, int ifindex, bool (*visit)(void *ctx, const struct kernel_neigh *n),
	void *ctx)
{
	struct nl_cache *all;
	int err = nl_errno(rtnl_neigh_alloc_cache(nl->sock, &all));
	if (err != 0)
		return err;
	for (struct nl_object *o = nl_cache_get_first(all); o != NULL; o = nl_cache_get_next(o)) {
		struct rtnl_neigh *n = (struct rtnl_neigh *)o;
		struct kernel_neigh k;
		if (rtnl_neigh_get_ifindex(n) == ifindex && read_neigh(n, &k) && !visit(ctx, &k))
			break;
	}
	nl_cache_free(all);
	return 0;
}
