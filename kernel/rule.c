// SPDX-License-Identifier: Apache-2.0
#include "kernel/rule.h"

#include "kernel/nl.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/netlink.h>
#include <stddef.h>

#include <netlink/route/rule.h>

enum {
	MARK_MASK = 0xffff,
};

static struct rtnl_rule *build(const struct kernel_rule *r)
{
	struct rtnl_rule *out = rtnl_rule_alloc();
	if (out == NULL)
		return NULL;
	rtnl_rule_set_family(out, r->family);
	rtnl_rule_set_table(out, r->table);
	rtnl_rule_set_prio(out, r->priority);
	rtnl_rule_set_action(out, FR_ACT_TO_TBL);
	if (r->mark != 0) {
		rtnl_rule_set_mark(out, r->mark);
		rtnl_rule_set_mask(out, MARK_MASK);
	}
	if (r->oif != NULL)
		(void)rtnl_rule_set_oif(out, r->oif);
	return out;
}

/* The kernel lets the same rule in twice unless asked not to. */
int rule_add(struct nl *nl, const struct kernel_rule *r)
{
	struct rtnl_rule *out = build(r);
	if (out == NULL)
		return -ENOMEM;
	int err = nl_errno(rtnl_rule_add(nl->sock, out, NLM_F_EXCL));
	rtnl_rule_put(out);
	return err == -EEXIST ? 0 : err;
}

int rule_del(struct nl *nl, const struct kernel_rule *r)
{
	struct rtnl_rule *out = build(r);
	if (out == NULL)
		return -ENOMEM;
	int err = nl_errno(rtnl_rule_delete(nl->sock, out, 0));
	rtnl_rule_put(out);
	return err == -ENOENT ? 0 : err;
}

int rule_each(struct nl *nl, uint32_t priority,
	bool (*visit)(void *ctx, const struct kernel_rule *r), void *ctx)
{
	struct nl_cache *all;
	int err = nl_errno(rtnl_rule_alloc_cache(nl->sock, AF_UNSPEC, &all));
	if (err != 0)
		return err;
	for (struct nl_object *o = nl_cache_get_first(all); o != NULL; o = nl_cache_get_next(o)) {
		struct rtnl_rule *in = (struct rtnl_rule *)o;
		struct kernel_rule r = {
			.family = rtnl_rule_get_family(in),
			.mark = rtnl_rule_get_mark(in),
			.oif = rtnl_rule_get_oif(in),
			.table = rtnl_rule_get_table(in),
			.priority = rtnl_rule_get_prio(in),
		};
		if (r.priority == priority && !visit(ctx, &r))
			break;
	}
	nl_cache_free(all);
	return 0;
}
