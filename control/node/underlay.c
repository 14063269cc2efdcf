// SPDX-License-Identifier: Apache-2.0
/*
 * The dataplane owns the port, Linux owns the addresses (DECISIONS.md, "TAP"). What Linux knows is
 * mirrored as a whole after each change: a dump cannot have missed anything, and a network of
 * some hundred routes is small. Order matters in two places: accept_ra=2 comes before forwarding
 * (egress.c), or the default route of a router advertisement is lost; and the filter on the port's
 * interface comes before the TAP has an address, or Linux answers everything twice.
 */
#include "control/node/underlay.h"

#include "control/node/pipeline.h"
#include "dataplane/api/address.h"
#include "dataplane/api/neighbour.h"
#include "dataplane/api/port.h"
#include "dataplane/api/sync.h"
#include "dataplane/api/underlay_route.h"
#include "dataplane/base/log.h"
#include "kernel/addr.h"
#include "kernel/link.h"
#include "kernel/neigh.h"
#include "kernel/nft.h"
#include "kernel/route.h"
#include "kernel/sysctl.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char nft_table[] = "nave_underlay";

void underlay_init(struct underlay *u, const struct node_config *config, struct nl *nl)
{
	memset(u, 0, sizeof(*u));
	u->nl = nl;
	u->ports = config->ports;
	for (unsigned int i = 0; i < u->ports; i++) {
		u->port[i].config = &config->port[i];
		device_init(&u->port[i].tap, config->port[i].tap, TUN_KIND_TAP);
	}
}

void underlay_fini(struct underlay *u)
{
	for (unsigned int i = 0; i < u->ports; i++)
		device_close(&u->port[i].tap);
}

static int fail(struct underlay *u, int err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int fail(struct underlay *u, int err, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	(void)vsnprintf(u->error, sizeof(u->error), format, args);
	va_end(args);
	return err;
}

/* af_packet copies frames: without this Linux would answer each of them a second time. */
static int set_filter(struct underlay *u)
{
	json_t *steps = json_pack("[{s{s{ssss}}},{s{s{ssss}}},{s{s{ssss}}}]", "add", "table",
		"family", "netdev", "name", nft_table, "delete", "table", "family", "netdev",
		"name", nft_table, "add", "table", "family", "netdev", "name", nft_table);
	for (unsigned int i = 0; i < u->ports; i++) {
		const struct node_port *p = u->port[i].config;
		if (p->interface[0] == '\0')
			continue;
		(void)json_array_append_new(steps,
			json_pack("{s{s{sssssssssssssiss}}}", "add", "chain", "family", "netdev",
				"table", nft_table, "name", p->tap, "type", "filter", "hook",
				"ingress", "dev", p->interface, "prio", -500, "policy", "drop"));
	}
	json_t *all = json_pack("{so}", "nftables", steps);
	char *text = all != NULL ? json_dumps(all, JSON_COMPACT) : NULL;
	int err = text != NULL ? nft_apply(text) : -ENOMEM;
	free(text);
	json_decref(all);
	return err == 0 ? 0 : fail(u, err, "nft refused the filter of the ports' interfaces");
}

static int write_ipv6(const char *interface, const char *setting, const char *value)
{
	char name[128];
	(void)snprintf(name, sizeof(name), "net/ipv6/conf/%s/%s", interface, setting);
	int err = sysctl_write(name, value);
	return err == -ENOENT ? 0 : err; /* a machine without IPv6 */
}

static int set_up_addresses(struct underlay *u, const struct underlay_port *p)
{
	char text[IP_PREFIX_TEXT];
	for (unsigned int i = 0; i < p->config->addresses; i++) {
		const struct ip_prefix *a = &p->config->address[i];
		int err = addr_add(u->nl, p->tap.ifindex, a, false);
		if (err != 0)
			return fail(u, err, "%s: cannot add address %s: %s", p->config->tap,
				ip_prefix_format(a, text), strerrordesc_np(-err));
	}
	for (unsigned int i = 0; i < p->config->gateways; i++) {
		const struct ip_addr *g = &p->config->gateway[i];
		struct kernel_route r = {
			.gateway = *g, .ifindex = p->tap.ifindex, .table = KERNEL_ROUTE_TABLE_MAIN};
		(void)ip_prefix_parse(ip_addr_is_v4(g) ? "0.0.0.0/0" : "::/0", &r.prefix);
		int err = kernel_route_replace(u->nl, &r);
		if (err == 0)
			err = neigh_resolve(u->nl, p->tap.ifindex, g, true);
		if (err != 0)
			return fail(u, err, "%s: cannot use gateway %s: %s", p->config->tap,
				ip_addr_format(g, text), strerrordesc_np(-err));
	}
	return 0;
}

static int set_up_tap(struct underlay *u, struct underlay_port *p, const struct dp_port *d)
{
	const char *tap = p->config->tap;
	int err = device_open(&p->tap);
	if (err != 0)
		return fail(
			u, err, "%s: cannot make the TAP device: %s", tap, strerrordesc_np(-err));
	err = link_set_mac(u->nl, p->tap.ifindex, d->mac);
	if (err == 0)
		err = write_ipv6(tap, "accept_ra", "2");
	if (err == 0 && p->config->interface[0] != '\0')
		err = write_ipv6(p->config->interface, "disable_ipv6", "1");
	if (err == 0)
		err = link_set_up(u->nl, p->tap.ifindex, d->mtu);
	return err == 0
		? 0
		: fail(u, err, "%s: cannot set the device up: %s", tap, strerrordesc_np(-err));
}

struct port_list {
	struct dp_port port[DP_PORT_MAX];
	unsigned int count;
};

static int take_port(void *ctx, const uint8_t *payload, size_t len)
{
	struct port_list *l = ctx;
	if (l->count == DP_PORT_MAX)
		return -ENOSPC;
	memcpy(&l->port[l->count++], payload, sizeof(l->port[0]));
	return 0;
}

static const struct dp_port *find_port(const struct port_list *l, const char *name)
{
	for (unsigned int i = 0; i < l->count; i++) {
		if (strncmp(l->port[i].name, name, sizeof(l->port[i].name)) == 0)
			return &l->port[i];
	}
	return NULL;
}

static int connect_port(
	struct underlay *u, struct underlay_port *p, const struct dp_port *d, struct dp_client *dp)
{
	if (d == NULL)
		return fail(u, -ENODEV,
			"the dataplane has no port \"%s\": compare dataplane.conf with node.conf",
			p->config->name);
	struct dp_tap_set set = {.port = d->id};
	p->is_known = true;
	p->id = d->id;
	int err = set_up_tap(u, p, d);
	if (err != 0)
		return err;
	if (p->tap.wants_queue || d->has_tap == 0)
		err = device_give_queue(&p->tap, dp, DP_MSG_TAP_SET, &set, sizeof(set));
	if (err != 0)
		return fail(u, err, "%s: cannot hand a queue to the dataplane: %s", p->config->tap,
			strerrordesc_np(-err));
	/* with a queue to go through: the question for the gateway's address is repeated late */
	return set_up_addresses(u, p);
}

int underlay_connect(struct underlay *u, struct dp_client *dp)
{
	struct port_list list = {.count = 0};
	int err = dp_client_list(dp, DP_MSG_PORT_LIST, NULL, 0, take_port, &list);
	if (err != 0)
		return fail(u, err, "cannot list the dataplane's ports");
	err = set_filter(u);
	for (unsigned int i = 0; err == 0 && i < u->ports; i++)
		err = connect_port(u, &u->port[i], find_port(&list, u->port[i].config->name), dp);
	return err;
}

/* One round of the mirror. */
struct mirror {
	struct underlay *u;
	const struct underlay_port *port;
	struct pipeline pipeline;
	struct kernel_route *route; /* of this port; owned */
	unsigned int routes, room;
	struct ip_prefix *told; /* what each request is about, by its number; owned */
	unsigned int told_room;
	unsigned int refused;
	char refusal[UNDERLAY_ERROR_TEXT]; /* of the first one */
	int err;
};

static void note_refusal(void *ctx, unsigned int number, int status, const char *why)
{
	struct mirror *m = ctx;
	char thing[IP_PREFIX_TEXT];
	if (m->refused++ == 0)
		(void)snprintf(m->refusal, sizeof(m->refusal), "%s: %s",
			ip_prefix_format(&m->told[number], thing), why);
}

static int tell(struct mirror *m, enum dp_msg_type type, const void *payload, size_t len,
	const struct ip_prefix *thing)
{
	if (m->pipeline.sent == m->told_room) {
		unsigned int room = m->told_room == 0 ? 64 : m->told_room * 2;
		struct ip_prefix *new = reallocarray(m->told, room, sizeof(*new));
		if (new == NULL)
			return -ENOMEM;
		m->told = new;
		m->told_room = room;
	}
	m->told[m->pipeline.sent] = *thing;
	return pipeline_send(&m->pipeline, type, payload, len);
}

/* Each mirror tells everything again: a refusal is news once. */
static void tell_refusals(struct underlay *u, const struct mirror *m)
{
	if (m->refused > 0 && strcmp(u->refusal, m->refusal) != 0)
		log_message(LOG_LEVEL_WARNING,
			"the dataplane refused %u of the network's addresses, routes and neighbours"
			" (the first: %s): the hub does without; look at ip address, route and"
			" neighbour of the ports' TAP devices",
			m->refused, m->refusal);
	(void)snprintf(u->refusal, sizeof(u->refusal), "%s", m->refusal);
}

static bool mirror_address(void *ctx, const struct ip_prefix *p)
{
	struct mirror *m = ctx;
	struct underlay *u = m->u;
	struct dp_address_set set = {.prefix = *p, .port = m->port->id};
	m->err = tell(m, DP_MSG_ADDRESS_SET, &set, sizeof(set), p);
	if (!ip_addr_is_link_local(&p->addr) && u->addresses < UNDERLAY_ADDRESSES_MAX)
		u->address[u->addresses++] = p->addr;
	return m->err == 0;
}

static bool collect_route(void *ctx, const struct kernel_route *r)
{
	struct mirror *m = ctx;
	if (r->ifindex != m->port->tap.ifindex)
		return true;
	if (m->routes == m->room) {
		unsigned int room = m->room == 0 ? 32 : m->room * 2;
		struct kernel_route *new = reallocarray(m->route, room, sizeof(*new));
		if (new == NULL) {
			m->err = -ENOMEM;
			return false;
		}
		m->route = new;
		m->room = room;
	}
	m->route[m->routes++] = *r;
	return true;
}

/* The best of a prefix first. */
static int compare_route(const void *a, const void *b)
{
	const struct kernel_route *x = a, *y = b;
	int c = ip_prefix_compare(&x->prefix, &y->prefix);
	if (c != 0 || x->priority == y->priority)
		return c;
	return x->priority < y->priority ? -1 : 1;
}

static int mirror_route(struct mirror *m, const struct kernel_route *r)
{
	struct dp_underlay_route_set set = {
		.prefix = r->prefix, .port = m->port->id, .gateway = r->gateway};
	if (ip_prefix_len(&r->prefix) == 0 && ip_prefix_is_v4(&r->prefix))
		m->u->hub.egress4 = true;
	else if (ip_prefix_len(&r->prefix) == 0)
		m->u->hub.egress6 = true;
	return tell(m, DP_MSG_UNDERLAY_ROUTE_SET, &set, sizeof(set), &r->prefix);
}

static int mirror_routes(struct mirror *m)
{
	m->routes = 0;
	int err = kernel_route_each(m->u->nl, KERNEL_ROUTE_TABLE_MAIN, collect_route, m);
	if (err != 0 || m->err != 0)
		return err != 0 ? err : m->err;
	if (m->routes > 0)
		qsort(m->route, m->routes, sizeof(m->route[0]), compare_route);
	for (unsigned int i = 0; err == 0 && i < m->routes; i++) {
		if (i == 0 || !ip_prefix_equal(&m->route[i].prefix, &m->route[i - 1].prefix))
			err = mirror_route(m, &m->route[i]);
	}
	return err;
}

static bool is_gateway(const struct node_port *p, const struct ip_addr *addr)
{
	for (unsigned int i = 0; i < p->gateways; i++) {
		if (ip_addr_equal(&p->gateway[i], addr))
			return true;
	}
	return false;
}

static bool mirror_neighbour(void *ctx, const struct kernel_neigh *n)
{
	struct mirror *m = ctx;
	bool usable = n->state == KERNEL_NEIGH_USABLE;
	struct dp_neighbour_set set = {
		.addr = n->addr,
		.port = m->port->id,
		.state = usable ? DP_NEIGHBOUR_REACHABLE : DP_NEIGHBOUR_FAILED,
	};
	if (n->state == KERNEL_NEIGH_RESOLVING) {
		m->u->is_settled &= !is_gateway(m->port->config, &n->addr);
		return true;
	}
	if (usable)
		memcpy(set.mac, n->mac, sizeof(set.mac));
	struct ip_prefix thing = ip_prefix_of(&n->addr);
	m->err = tell(m, DP_MSG_NEIGHBOUR_SET, &set, sizeof(set), &thing);
	return m->err == 0;
}

static int mirror_port(struct mirror *m)
{
	/* a device that somebody deleted is made again by the next connection */
	if (!device_is_there(&m->port->tap))
		return -ENODEV;
	int err = addr_each(m->u->nl, m->port->tap.ifindex, mirror_address, m);
	if (err == 0 && m->err == 0)
		err = mirror_routes(m);
	if (err == 0 && m->err == 0)
		err = neigh_each(m->u->nl, m->port->tap.ifindex, mirror_neighbour, m);
	return err != 0 ? err : m->err;
}

/* A default route alone is no way out: the hub needs an address of that family. */
static void check_egress(struct underlay *u)
{
	bool has4 = false, has6 = false;
	for (unsigned int i = 0; i < u->addresses; i++) {
		has4 |= ip_addr_is_v4(&u->address[i]);
		has6 |= !ip_addr_is_v4(&u->address[i]);
	}
	u->hub.egress4 &= has4;
	u->hub.egress6 &= has6;
}

static bool is_own(const struct underlay *u, const struct ip_addr *addr)
{
	for (unsigned int i = 0; i < u->addresses; i++) {
		if (ip_addr_equal(&u->address[i], addr))
			return true;
	}
	return false;
}

void underlay_clear_hints(const struct underlay *u, struct objects *wanted)
{
	for (unsigned int i = 0; i < wanted->peers; i++) {
		struct dp_peer_set *p = wanted->peer[i];
		if (p->endpoint.port != 0 && is_own(u, &p->endpoint.addr))
			memset(&p->endpoint, 0, sizeof(p->endpoint));
	}
}

int underlay_mirror(struct underlay *u, struct dp_client *dp)
{
	struct dp_sync_begin begin = {.scope = DP_SYNC_UNDERLAY};
	struct dp_sync_end end = {.scope = DP_SYNC_UNDERLAY, .allow_empty = 1};
	struct mirror m = {.u = u, .pipeline = {.dp = dp, .refused = note_refusal, .ctx = &m}};
	u->addresses = 0;
	u->is_settled = true;
	u->hub = (struct hub_state){0};
	int err = dp_client_call(dp, DP_MSG_SYNC_BEGIN, &begin, sizeof(begin), -1, NULL);
	for (unsigned int i = 0; err == 0 && i < u->ports; i++) {
		m.port = &u->port[i];
		err = mirror_port(&m);
	}
	int finished = pipeline_finish(&m.pipeline);
	free(m.route);
	free(m.told);
	if (err == 0)
		err = finished;
	if (err == 0)
		err = dp_client_call(dp, DP_MSG_SYNC_END, &end, sizeof(end), -1, NULL);
	check_egress(u);
	tell_refusals(u, &m);
	return err == 0 ? 0 : fail(u, err, "cannot mirror the network: %s", strerrordesc_np(-err));
}

void underlay_resolve(struct underlay *u, uint16_t port, const struct ip_addr *addr)
{
	for (unsigned int i = 0; i < u->ports; i++) {
		if (u->port[i].is_known && u->port[i].id == port)
			(void)neigh_resolve(u->nl, u->port[i].tap.ifindex, addr, false);
	}
}

int underlay_remove(const struct node_config *config, struct nl *nl)
{
	int first = nft_delete_table("netdev", nft_table);
	for (unsigned int i = 0; i < config->ports; i++) {
		int ifindex = link_find(config->port[i].tap);
		int err = ifindex < 0 ? 0 : link_del(nl, ifindex);
		if (first == 0)
			first = err;
	}
	return first;
}
