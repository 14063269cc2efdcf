// SPDX-License-Identifier: Apache-2.0
/*
 * One table for all instances, replaced whole in one transaction. Two instances may have the same
 * inner networks, so a packet that leaves naveN is tracked in zone N of its original direction,
 * carries N as mark, and its answers get the mark back from the connection. Masquerade uses ports
 * that no listener has (port shadowing). Nothing is forwarded but naveN to a port and what answers
 * it; and the host itself offers nothing to the peers of an instance but ICMP.
 */
#include "control/node/egress_private.h"

#include <jansson.h>
#include <stdio.h>

enum {
	MASQUERADE_FIRST = 16384, /* below the listeners' ports and the ephemeral range's end */
	MASQUERADE_LAST = 32767,
	PRIORITY_RAW = -300, /* linux/netfilter_ipv4.h */
	PRIORITY_MANGLE = -150,
	PRIORITY_FILTER = 0,
	PRIORITY_SRCNAT = 100,
};

static const char table[] = EGRESS_NFT_TABLE;

struct rules {
	json_t *steps; /* owned array */
	json_t *tuns, *taps; /* owned: sets of names */
	json_t *marks; /* owned: map from name to number */
};

static void add_table(struct rules *r, const char *verb)
{
	(void)json_array_append_new(r->steps,
		json_pack("{s{s{ssss}}}", verb, "table", "family", "inet", "name", table));
}

static void add_chain(struct rules *r, const char *name, const char *type, const char *hook,
	int priority, const char *policy)
{
	(void)json_array_append_new(r->steps,
		json_pack("{s{s{sssssssssssiss}}}", "add", "chain", "family", "inet", "table",
			table, "name", name, "type", type, "hook", hook, "prio", priority, "policy",
			policy));
}

/* expr is taken over. */
static void add_rule(struct rules *r, const char *chain, json_t *expr)
{
	(void)json_array_append_new(r->steps,
		json_pack("{s{s{sssssssO}}}", "add", "rule", "family", "inet", "table", table,
			"chain", chain, "expr", expr));
	json_decref(expr);
}

static json_t *match_name(const char *key, json_t *names)
{
	return json_pack("{s{sss{s{ss}}s{sO}}}", "match", "op", "==", "left", "meta", "key", key,
		"right", "set", names);
}

static json_t *match_state(const char *first, const char *second)
{
	return json_pack("{s{sss{s{ss}}s[ss]}}", "match", "op", "in", "left", "ct", "key", "state",
		"right", first, second);
}

static json_t *match_protocols(const char *first, const char *second)
{
	return json_pack("{s{sss{s{ss}}s{s[ss]}}}", "match", "op", "==", "left", "meta", "key",
		"l4proto", "right", "set", first, second);
}

static json_t *verdict(const char *name)
{
	return json_pack("{sn}", name);
}

static json_t *number_of_name(const struct rules *r)
{
	return json_pack("{s{s{s{ss}}s{sO}}}", "map", "key", "meta", "key", "iifname", "data",
		"set", r->marks);
}

static void add_marks(struct rules *r)
{
	add_chain(r, "zones", "filter", "prerouting", PRIORITY_RAW, "accept");
	add_rule(r, "zones",
		json_pack("[{s{s{s{ssss}}so}}]", "mangle", "key", "ct", "key", "zone", "dir",
			"original", "value", number_of_name(r)));
	add_chain(r, "marks", "filter", "prerouting", PRIORITY_MANGLE, "accept");
	add_rule(r, "marks",
		json_pack("[o{s{s{s{ss}}so}}]", match_name("iifname", r->tuns), "mangle", "key",
			"meta", "key", "mark", "value", number_of_name(r)));
	add_rule(r, "marks",
		json_pack("[oo{s{s{s{ss}}s{s{ss}}}}]", match_name("iifname", r->tuns),
			match_state("new", "untracked"), "mangle", "key", "ct", "key", "mark",
			"value", "meta", "key", "mark"));
	add_rule(r, "marks",
		json_pack("[o{s{sss{s{ss}}si}}{s{s{s{ss}}s{s{ss}}}}]",
			match_name("iifname", r->taps), "match", "op", "!=", "left", "ct", "key",
			"mark", "right", 0, "mangle", "key", "meta", "key", "mark", "value", "ct",
			"key", "mark"));
}

static void add_masquerade(struct rules *r)
{
	add_chain(r, "masquerade_out", "nat", "postrouting", PRIORITY_SRCNAT, "accept");
	add_rule(r, "masquerade_out",
		json_pack("[ooo{s{s{s[ii]}}}]", match_name("iifname", r->tuns),
			match_name("oifname", r->taps), match_protocols("tcp", "udp"), "masquerade",
			"port", "range", MASQUERADE_FIRST, MASQUERADE_LAST));
	add_rule(r, "masquerade_out",
		json_pack("[oo{sn}]", match_name("iifname", r->tuns),
			match_name("oifname", r->taps), "masquerade"));
}

static void add_filter(struct rules *r)
{
	add_chain(r, "forwarded", "filter", "forward", PRIORITY_FILTER, "drop");
	add_rule(r, "forwarded",
		json_pack("[ooo]", match_name("iifname", r->tuns), match_name("oifname", r->taps),
			verdict("accept")));
	add_rule(r, "forwarded",
		json_pack("[oooo]", match_name("iifname", r->taps), match_name("oifname", r->tuns),
			match_state("established", "related"), verdict("accept")));
	add_chain(r, "to_host", "filter", "input", PRIORITY_FILTER, "accept");
	add_rule(r, "to_host",
		json_pack("[ooo]", match_name("iifname", r->tuns),
			match_protocols("icmp", "ipv6-icmp"), verdict("accept")));
	add_rule(r, "to_host",
		json_pack("[ooo]", match_name("iifname", r->tuns),
			match_state("established", "related"), verdict("accept")));
	add_rule(r, "to_host", json_pack("[oo]", match_name("iifname", r->tuns), verdict("drop")));
}

static void name_devices(struct rules *r, const struct node_config *config, const uint32_t *numbers,
	unsigned int instances)
{
	for (unsigned int i = 0; i < instances; i++) {
		char name[IFNAMSIZ];
		(void)snprintf(name, sizeof(name), "nave%u", (unsigned int)numbers[i]);
		(void)json_array_append_new(r->tuns, json_string(name));
		(void)json_array_append_new(r->marks, json_pack("[si]", name, (int)numbers[i]));
	}
	for (unsigned int i = 0; i < config->ports; i++)
		(void)json_array_append_new(r->taps, json_string(config->port[i].tap));
}

char *egress_rules(
	const struct node_config *config, const uint32_t *numbers, unsigned int instances)
{
	struct rules r = {json_array(), json_array(), json_array(), json_array()};
	name_devices(&r, config, numbers, instances);
	add_table(&r, "add"); /* so that there is one to delete */
	add_table(&r, "delete");
	add_table(&r, "add");
	if (instances > 0) {
		add_marks(&r);
		add_masquerade(&r);
		add_filter(&r);
	} else {
		add_chain(&r, "forwarded", "filter", "forward", PRIORITY_FILTER, "drop");
	}
	json_t *all = json_pack("{sO}", "nftables", r.steps);
	char *text = all != NULL ? json_dumps(all, JSON_COMPACT) : NULL;
	json_decref(all);
	json_decref(r.steps);
	json_decref(r.tuns);
	json_decref(r.taps);
	json_decref(r.marks);
	return text;
}
