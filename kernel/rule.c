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
