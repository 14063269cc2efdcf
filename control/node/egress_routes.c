// SPDX-License-Identifier: Apache-2.0
/* The tables of the instances: what Linux sends into naveN. Compared with what the kernel has. */
#include "control/node/egress_private.h"
#include "kernel/route.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct route_set {
	struct kernel_route *route; /* owned; sorted by table and prefix */
	unsigned int count, room;
	int err;
	const struct egress *egress;
};

static int compare(const void *a, const void *b)
{
	const struct kernel_route *x = a, *y = b;
	if (x->table != y->table)
		return x->table < y->table ? -1 : 1;
	int c = ip_prefix_compare(&x->prefix, &y->prefix);
	return c != 0 ? c : x->ifindex - y->ifindex;
}

static void add(struct route_set *s, const struct kernel_route *r)
{
	if (s->count == s->room) {
		unsigned int room = s->room == 0 ? 64 : s->room * 2;
		struct kernel_route *new = reallocarray(s->route, room, sizeof(*new));
		if (new == NULL) {
			s->err = -ENOMEM;
			return;
		}
		s->route = new;
		s->room = room;
	}
	s->route[s->count++] = *r;
}

static void sort(struct route_set *s)
{
	unsigned int kept = 0;
	if (s->count == 0)
		return;
	qsort(s->route, s->count, sizeof(s->route[0]), compare);
	for (unsigned int i = 1; i < s->count; i++) {
		if (compare(&s->route[kept], &s->route[i]) != 0)
			s->route[++kept] = s->route[i];
	}
	s->count = kept + 1;
}

/* The tables of our instances only: others may use such numbers too. */
static bool is_ours(const struct egress *e, uint32_t table)
{
	for (unsigned int i = 0; i < e->devices; i++) {
		if (EGRESS_TABLE_FIRST + e->device[i].number == table)
			return true;
	}
	return false;
}

static bool collect(void *ctx, const struct kernel_route *r)
{
	struct route_set *s = ctx;
	/* IPv6 keeps some of its own in each table */
	if (is_ours(s->egress, r->table) && !ip_addr_is_multicast(&r->prefix.addr)
		&& !ip_addr_is_link_local(&r->prefix.addr))
		add(s, r);
	return s->err == 0;
}

static const struct egress_device *device_of(const struct egress *e, const struct uuid *instance)
{
	for (unsigned int i = 0; i < e->devices; i++) {
		if (uuid_equal(&e->device[i].instance, instance))
			return e->device[i].tun.keeper >= 0 ? &e->device[i] : NULL;
	}
	return NULL;
}

static void want(struct route_set *s, const struct egress_device *d, const struct ip_prefix *p)
{
	struct kernel_route r = {.prefix = ip_prefix_canonical(p),
		.ifindex = d->tun.ifindex,
		.table = EGRESS_TABLE_FIRST + d->number};
	if (!ip_addr_is_zero(&p->addr))
		add(s, &r);
}

/* Both are sorted by instance. */
static void want_all(struct route_set *s, const struct egress *e, const struct objects *wanted)
{
	for (unsigned int i = 0; i < wanted->instances; i++) {
		const struct egress_device *d = device_of(e, &wanted->instance[i].id);
		if (d == NULL)
			continue;
		want(s, d, &wanted->instance[i].address4);
		want(s, d, &wanted->instance[i].address6);
	}
	const struct egress_device *d = NULL;
	for (unsigned int i = 0; i < wanted->routes; i++) {
		const struct dp_route_set *r = &wanted->route[i];
		if (d == NULL || !uuid_equal(&d->instance, &r->instance))
			d = device_of(e, &r->instance);
		/* tunnel addresses lie in the networks above; the device takes them all */
		if (d != NULL && r->target == DP_ROUTE_PEER && r->prefix.len < 128)
			want(s, d, &r->prefix);
	}
}

static void note(
	const struct egress *e, const struct kernel_route *r, int err, struct faults *faults)
{
	char text[IP_PREFIX_TEXT];
	for (unsigned int i = 0; err != 0 && i < e->devices; i++) {
		if (EGRESS_TABLE_FIRST + e->device[i].number == r->table)
			faults_add(faults, &e->device[i].instance, "cannot route %s in Linux: %s",
				ip_prefix_format(&r->prefix, text), strerrordesc_np(-err));
	}
}

int egress_routes_apply(struct egress *e, const struct objects *wanted, struct faults *faults)
{
	struct route_set has = {.egress = e}, wants = {0};
	int err = kernel_route_each(e->nl, 0, collect, &has);
	want_all(&wants, e, wanted);
	if (err == 0)
		err = has.err != 0 ? has.err : wants.err;
	sort(&has);
	sort(&wants);
	unsigned int h = 0, w = 0;
	while (err == 0 && (h < has.count || w < wants.count)) {
		int c = h == has.count	   ? 1
			: w == wants.count ? -1
					   : compare(&has.route[h], &wants.route[w]);
		if (c < 0)
			(void)kernel_route_del(e->nl, &has.route[h]);
		if (c > 0)
			note(e, &wants.route[w], kernel_route_replace(e->nl, &wants.route[w]),
				faults);
		h += c <= 0;
		w += c >= 0;
	}
	free(has.route);
	free(wants.route);
	return err;
}
