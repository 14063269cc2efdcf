// SPDX-License-Identifier: Apache-2.0
/*
 * Each round compares the kernel with what is wanted and changes the difference, so it makes no
 * odds who died in between. naveN is the instance's number N: its device, its table 10000 + N, its
 * mark and its zone. A device lives as long as somebody holds a queue; ours is detached, because
 * an attached queue that nobody reads loses packets.
 */
#include "control/node/egress.h"

#include "control/node/egress_private.h"
#include "dataplane/api/instance.h"
#include "dataplane/api/port.h"
#include "dataplane/base/clock.h"
#include "kernel/addr.h"
#include "kernel/link.h"
#include "kernel/nft.h"
#include "kernel/rule.h"
#include "kernel/sysctl.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
	RULE_PRIORITY_MARK = 1000,
	RULE_PRIORITY_OIF = 1001,
	LEFTOVER_ROUNDS = 2048, /* each takes 64 away */
	RULES_AGE_S = 10, /* somebody may have flushed them: told again with the next change */
};

void egress_init(struct egress *e, const struct node_config *config, struct nl *nl)
{
	memset(e, 0, sizeof(*e));
	e->config = config;
	e->nl = nl;
}

static void close_device(struct egress_device *d)
{
	device_close(&d->tun);
	if (d->port != 0)
		udp_port_release(&d->held);
	d->port = 0;
}

void egress_fini(struct egress *e)
{
	for (unsigned int i = 0; i < e->devices; i++)
		close_device(&e->device[i]);
	listener_ports_fini(&e->ports);
	free(e->device);
	free(e->rules);
	memset(e, 0, sizeof(*e));
}

static void device_name(uint32_t number, char ret[IFNAMSIZ])
{
	(void)snprintf(ret, IFNAMSIZ, "nave%u", (unsigned int)number);
}

/* The number in "naveN"; 0: not one of ours. The TAP nave0 is none. */
static uint32_t device_number(const char *name)
{
	unsigned int number;
	char canonical[IFNAMSIZ];
	if (sscanf(name, "nave%5u", &number) != 1) // NOLINT(cert-err34-c): checked below
		return 0;
	device_name(number, canonical);
	return strcmp(name, canonical) == 0 ? number : 0;
}

static struct egress_device *find_device(const struct egress *e, uint32_t number)
{
	for (unsigned int i = 0; i < e->devices; i++) {
		if (e->device[i].number == number)
			return &e->device[i];
	}
	return NULL;
}

/* The two rules of an instance, in both families. */
static int each_rule(
	struct nl *nl, uint32_t number, int (*change)(struct nl *nl, const struct kernel_rule *r))
{
	static const int families[] = {AF_INET, AF_INET6};
	char name[IFNAMSIZ];
	int first = 0;
	device_name(number, name);
	for (unsigned int i = 0; i < 2; i++) {
		struct kernel_rule mark = {.family = families[i],
			.mark = number,
			.table = EGRESS_TABLE_FIRST + number,
			.priority = RULE_PRIORITY_MARK};
		struct kernel_rule oif = {.family = families[i],
			.oif = name,
			.table = EGRESS_TABLE_FIRST + number,
			.priority = RULE_PRIORITY_OIF};
		int err = change(nl, &mark);
		if (err == 0)
			err = change(nl, &oif);
		if (first == 0 && err != -EAFNOSUPPORT)
			first = err;
	}
	return first;
}

/* Before the first device: what the kernel must do for all of them. */
static void write_sysctls(void)
{
	static const char *const settings[] = {
		"net/ipv4/fwmark_reflect", "net/ipv6/fwmark_reflect", "net/ipv4/tcp_fwmark_accept",
		"net/ipv4/ip_forward",
		"net/ipv6/conf/all/forwarding", /* after accept_ra=2 of underlay.c */
	};
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
		(void)sysctl_write(settings[i], "1");
}

static int set_up_device(struct egress *e, const struct egress_device *d, uint16_t mtu)
{
	char setting[64];
	(void)snprintf(setting, sizeof(setting), "net/ipv4/conf/%s/rp_filter", d->tun.name);
	(void)sysctl_write(setting, "0");
	(void)snprintf(setting, sizeof(setting), "net/ipv6/conf/%s/addr_gen_mode", d->tun.name);
	(void)sysctl_write(setting, "1"); /* no link-local address */
	int err = link_set_up(e->nl, d->tun.ifindex, mtu);
	return err == 0 ? each_rule(e->nl, d->number, rule_add) : err;
}

bool egress_is_whole(const struct egress *e)
{
	for (unsigned int i = 0; i < e->devices; i++) {
		if (!device_is_there(&e->device[i].tun))
			return false;
	}
	return true;
}

static int open_device(struct egress *e, struct egress_device *d, uint16_t mtu)
{
	if (!device_is_there(&d->tun))
		d->mtu = 0;
	int err = device_open(&d->tun);
	if (err != 0 || d->mtu == mtu)
		return err;
	err = set_up_device(e, d, mtu);
	d->mtu = err == 0 ? mtu : 0;
	return err;
}

struct address_round {
	const struct dp_instance_set *wanted;
	struct ip_prefix stale[8];
	unsigned int stales;
};

static bool collect_stale(void *ctx, const struct ip_prefix *p)
{
	struct address_round *r = ctx;
	bool wanted = ip_prefix_equal(p, &r->wanted->address4)
		|| ip_prefix_equal(p, &r->wanted->address6);
	if (!wanted && r->stales < sizeof(r->stale) / sizeof(r->stale[0]))
		r->stale[r->stales++] = *p;
	return true;
}

static int set_addresses(
	struct egress *e, const struct egress_device *d, const struct dp_instance_set *i)
{
	struct address_round r = {.wanted = i};
	int err = addr_each(e->nl, d->tun.ifindex, collect_stale, &r);
	for (unsigned int n = 0; err == 0 && n < r.stales; n++)
		err = addr_del(e->nl, d->tun.ifindex, &r.stale[n]);
	if (err == 0 && !ip_addr_is_zero(&i->address4.addr))
		err = addr_add(e->nl, d->tun.ifindex, &i->address4, true);
	if (err == 0 && !ip_addr_is_zero(&i->address6.addr))
		err = addr_add(e->nl, d->tun.ifindex, &i->address6, true);
	return err;
}

/* Of all instances before any takes its new one: two may have swapped theirs. */
static void release_ports(struct egress *e, const struct objects *wanted)
{
	for (unsigned int i = 0; i < e->devices; i++) {
		struct egress_device *d = &e->device[i];
		if (d->port == 0 || d->port == wanted->instance[i].wireguard_port)
			continue;
		udp_port_release(&d->held);
		d->port = 0;
	}
}

static int hold_port(struct egress_device *d, uint16_t port)
{
	if (d->port == port)
		return 0;
	int err = udp_port_hold(&d->held, port);
	if (err == 0)
		d->port = port;
	return err;
}

static int compare_device(const void *a, const void *b)
{
	const struct egress_device *x = a, *y = b;
	return memcmp(&x->instance, &y->instance, sizeof(x->instance));
}

/* The devices of what is wanted, with what is open already; closes the others. */
static int match_devices(struct egress *e, const struct objects *wanted)
{
	struct egress_device *new = calloc(wanted->instances + 1, sizeof(*new));
	if (new == NULL)
		return -ENOMEM;
	for (unsigned int i = 0; i < wanted->instances; i++) {
		struct egress_device key = {
			.instance = wanted->instance[i].id, .number = wanted->instance[i].number};
		struct egress_device *known = find_device(e, key.number);
		char name[IFNAMSIZ];
		device_name(key.number, name);
		device_init(&key.tun, name, TUN_KIND_TUN);
		new[i] = key;
		if (known == NULL || compare_device(known, &key) != 0)
			continue;
		new[i] = *known;
		known->tun.keeper = -1; /* taken over */
		known->port = 0;
	}
	for (unsigned int i = 0; i < e->devices; i++)
		close_device(&e->device[i]);
	free(e->device);
	e->device = new;
	e->devices = wanted->instances;
	return 0;
}

static int set_up_instance(struct egress *e, struct egress_device *d,
	const struct dp_instance_set *i, struct faults *faults)
{
	int err = open_device(e, d, i->mtu);
	if (err == 0)
		err = set_addresses(e, d, i);
	if (err != 0)
		faults_add(faults, &d->instance, "cannot set nave%u up: %s",
			(unsigned int)d->number, strerrordesc_np(-err));
	err = hold_port(d, i->wireguard_port);
	if (err != 0)
		faults_add(faults, &d->instance, "UDP port %u: %s", (unsigned int)i->wireguard_port,
			err == -EADDRINUSE ? "another program on this hub has it; stop that one"
					     " (ss -lunp tells which it is)"
					   : strerrordesc_np(-err));
	return err;
}

/* Devices that nobody wants: from before a restart. */
struct leftovers {
	const struct egress *e; /* NULL: all are */
	uint32_t number[64];
	unsigned int count;
};

static void note_leftover(struct leftovers *l, uint32_t number)
{
	bool wanted = l->e != NULL && find_device(l->e, number) != NULL;
	if (number != 0 && !wanted && l->count < sizeof(l->number) / sizeof(l->number[0]))
		l->number[l->count++] = number;
}

static bool note_link(void *ctx, int ifindex, const char *name)
{
	note_leftover(ctx, device_number(name));
	return true;
}

/* Only a rule that we would have made: others may use such tables too. */
static bool note_rule(void *ctx, const struct kernel_rule *r)
{
	if (r->table > EGRESS_TABLE_FIRST && r->table <= EGRESS_TABLE_FIRST + DP_INSTANCE_NUMBER_MAX
		&& r->mark == r->table - EGRESS_TABLE_FIRST)
		note_leftover(ctx, r->mark);
	return true;
}

/* 0 or the first -errno; goes on whatever happens. */
static int remove_leftovers(struct nl *nl, const struct egress *e)
{
	struct leftovers l;
	int first = 0, rounds = 0;
	do {
		l = (struct leftovers){.e = e};
		(void)link_each(nl, note_link, &l);
		(void)rule_each(nl, RULE_PRIORITY_MARK, note_rule, &l);
		for (unsigned int i = 0; i < l.count; i++) {
			char name[IFNAMSIZ];
			device_name(l.number[i], name);
			int err = each_rule(nl, l.number[i], rule_del);
			int ifindex = link_find(name);
			if (ifindex >= 0 && err == 0)
				err = link_del(nl, ifindex);
			if (first == 0)
				first = err;
		}
	} while (first == 0 && l.count > 0 && ++rounds < LEFTOVER_ROUNDS);
	return first;
}

struct tun_list {
	struct egress *e;
	struct uuid *missing; /* instances that the dataplane has no queue of */
	unsigned int count;
};

static int take_instance(void *ctx, const uint8_t *payload, size_t len)
{
	struct tun_list *l = ctx;
	struct dp_instance i;
	memcpy(&i, payload, sizeof(i));
	const struct egress_device *d = find_device(l->e, i.number);
	bool wants = i.has_tun == 0 || (d != NULL && d->tun.wants_queue);
	if (wants && l->count < l->e->devices)
		l->missing[l->count++] = i.id;
	return 0;
}

static int give_queue(
	struct egress *e, const struct uuid *id, struct dp_client *dp, struct faults *faults)
{
	struct egress_device key = {.instance = *id};
	struct egress_device *d = bsearch(&key, e->device, e->devices, sizeof(key), compare_device);
	struct dp_tun_set set = {.instance = *id};
	if (d == NULL || d->tun.keeper < 0)
		return 0;
	int err = device_give_queue(&d->tun, dp, DP_MSG_TUN_SET, &set, sizeof(set));
	if (err != 0)
		faults_add(faults, id, "cannot hand a queue of %s to the dataplane: %s",
			d->tun.name, strerrordesc_np(-err));
	return dp_client_is_broken(dp) ? err : 0;
}

static int give_queues(struct egress *e, struct dp_client *dp, struct faults *faults)
{
	struct tun_list l = {.e = e, .missing = calloc(e->devices + 1, sizeof(struct uuid))};
	if (l.missing == NULL)
		return -ENOMEM;
	int err = dp_client_list(dp, DP_MSG_INSTANCE_LIST, NULL, 0, take_instance, &l);
	for (unsigned int i = 0; err == 0 && i < l.count; i++)
		err = give_queue(e, &l.missing[i], dp, faults);
	free(l.missing);
	return err;
}

static int set_rules(struct egress *e)
{
	uint32_t *numbers = calloc(e->devices + 1, sizeof(*numbers));
	unsigned int count = 0;
	for (unsigned int i = 0; numbers != NULL && i < e->devices; i++) {
		if (e->device[i].tun.keeper >= 0)
			numbers[count++] = e->device[i].number;
	}
	char *rules = numbers != NULL ? egress_rules(e->config, numbers, count) : NULL;
	free(numbers);
	if (rules == NULL)
		return -ENOMEM;
	uint64_t now = clock_monotonic_ns();
	bool told = e->rules != NULL && strcmp(e->rules, rules) == 0
		&& now - e->rules_at_ns < RULES_AGE_S * NS_PER_SEC;
	int err = told ? 0 : nft_apply(rules);
	if (err != 0) {
		free(rules);
		return err;
	}
	e->rules_at_ns = told ? e->rules_at_ns : now;
	free(e->rules);
	e->rules = rules;
	return 0;
}

static void note_all(const struct egress *e, const char *what, int err, struct faults *faults)
{
	for (unsigned int i = 0; err != 0 && i < e->devices; i++)
		faults_add(faults, &e->device[i].instance, "%s: %s", what, strerrordesc_np(-err));
}

int egress_apply(
	struct egress *e, const struct objects *wanted, struct dp_client *dp, struct faults *faults)
{
	if (e->rules == NULL)
		write_sysctls();
	int err = match_devices(e, wanted);
	if (err != 0)
		return err;
	(void)remove_leftovers(e->nl, e);
	release_ports(e, wanted);
	listener_ports_release(&e->ports, wanted);
	for (unsigned int i = 0; i < e->devices; i++)
		(void)set_up_instance(e, &e->device[i], &wanted->instance[i], faults);
	err = listener_ports_hold(&e->ports, wanted, faults);
	if (err != 0)
		return err;
	/* without rules no packet may go through a device: then nobody gets a queue */
	err = set_rules(e);
	note_all(e, "nft refused the rules", err, faults);
	if (err != 0)
		return 0;
	note_all(e, "cannot set routes", egress_routes_apply(e, wanted, faults), faults);
	return give_queues(e, dp, faults);
}

int egress_remove(struct nl *nl)
{
	int err = nft_delete_table("inet", EGRESS_NFT_TABLE);
	int left = remove_leftovers(nl, NULL);
	return err != 0 ? err : left;
}
