// SPDX-License-Identifier: Apache-2.0
/*
 * Which addresses a peer sends to the hub.
 *
 * A route-all client: everything, IPv6 as well even where the hub has no IPv6 egress, so that
 * nothing leaks around the tunnel. A split client: what the instance's routing says. A site: the
 * instance's networks and what the other sites advertise, exactly, because wider routes would take
 * a router's other private networks away from it.
 *
 * A default route that a site advertises is never passed on here: it would make a split tunnel a
 * full one.
 */
#include "control/profile/routes.h"

#include <errno.h>
#include <stdlib.h>

static const char *const everything[] = {"0.0.0.0/0", "::/0"};

struct routes {
	struct ip_prefix *list; /* room for all that could be added */
	size_t count;
};

static void add(struct routes *r, const struct ip_prefix *prefix)
{
	r->list[r->count++] = *prefix;
}

static void add_texts(struct routes *r, const char *const texts[], size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (ip_prefix_parse(texts[i], &r->list[r->count]) == 0)
			r->count++;
	}
}

static void add_networks(struct routes *r, const struct instance *i)
{
	for (unsigned int n = 0; n < 2; n++) {
		if (i->networks[n].len != 0)
			add(r, &i->networks[n]);
	}
}

static void add_advertised(struct routes *r, const struct profile *p)
{
	for (size_t i = 0; i < p->advertised_count; i++) {
		if (ip_prefix_len(&p->advertised[i]) != 0)
			add(r, &p->advertised[i]);
	}
}

static void collect(struct routes *r, const struct profile *p)
{
	const struct instance *i = p->instance;
	if (p->peer->type == PEER_CLIENT && p->peer->route_all) {
		add_texts(r, everything, sizeof(everything) / sizeof(everything[0]));
		return;
	}
	if (p->peer->type == PEER_CLIENT && i->client_routes == CLIENT_ROUTES_LIST) {
		for (size_t n = 0; n < i->route_list.count; n++)
			add(r, &i->route_list.list[n]);
		return;
	}
	if (p->peer->type == PEER_CLIENT && i->client_routes == CLIENT_ROUTES_PRIVATE)
		add_texts(r, subnet_private, SUBNET_PRIVATE_COUNT);
	add_networks(r, i);
	add_advertised(r, p);
}

static int compare(const void *a, const void *b)
{
	return ip_prefix_compare(a, b);
}

static bool contains(const struct ip_prefix *outer, const struct ip_prefix *inner)
{
	return outer->len <= inner->len && ip_prefix_is_v4(outer) == ip_prefix_is_v4(inner)
		&& ip_prefix_contains(outer, &inner->addr);
}

/* A prefix sorts before what it contains, so one look back at what was kept is enough. */
static void drop_contained(struct routes *r)
{
	size_t kept = 0;
	for (size_t i = 0; i < r->count; i++) {
		if (kept == 0 || !contains(&r->list[kept - 1], &r->list[i]))
			r->list[kept++] = r->list[i];
	}
	r->count = kept;
}

int profile_routes(const struct profile *p, struct ip_prefix **ret, size_t *ret_count)
{
	size_t room = (size_t)SUBNET_PRIVATE_COUNT + 2 + SUBNETS_MAX + p->advertised_count;
	struct routes r = {.list = calloc(room, sizeof(*r.list))};
	if (r.list == NULL)
		return -ENOMEM;
	collect(&r, p);
	qsort(r.list, r.count, sizeof(*r.list), compare);
	drop_contained(&r);
	*ret = r.list;
	*ret_count = r.count;
	return 0;
}
