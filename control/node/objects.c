// SPDX-License-Identifier: Apache-2.0
#include "control/node/objects.h"

#include "control/node/id_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Doubles the room of an array when it is full. */
static int make_room(void **array, unsigned int count, unsigned int *room, size_t size)
{
	if (count < *room)
		return 0;
	unsigned int more = *room == 0 ? 16 : *room * 2;
	void *new = calloc(more, size); /* realloc would leave keys behind */
	if (new == NULL)
		return -ENOMEM;
	if (count > 0) {
		memcpy(new, *array, count * size);
		explicit_bzero(*array, count * size);
	}
	free(*array);
	*array = new;
	*room = more;
	return 0;
}

int objects_add_instance(struct objects *o, const struct dp_instance_set *i)
{
	int err = make_room((void **)&o->instance, o->instances, &o->instance_room, sizeof(*i));
	if (err == 0)
		o->instance[o->instances++] = *i;
	return err;
}

int objects_add_peer(struct objects *o, const struct dp_peer_set *p)
{
	size_t size = dp_peer_set_size(p);
	struct dp_peer_set *copy = malloc(size);
	int err = copy == NULL ? -ENOMEM
			       : make_room((void **)&o->peer, o->peers, &o->peer_room,
				       sizeof(struct dp_peer_set *));
	if (err != 0) {
		free(copy);
		return err;
	}
	memcpy(copy, p, size);
	o->peer[o->peers++] = copy;
	return 0;
}

int objects_add_route(struct objects *o, const struct dp_route_set *r)
{
	int err = make_room((void **)&o->route, o->routes, &o->route_room, sizeof(*r));
	if (err == 0)
		o->route[o->routes++] = *r;
	return err;
}

static int compare_peer(const void *a, const void *b)
{
	const struct dp_peer_set *const *x = a, *const *y = b;
	return memcmp(&(*x)->id, &(*y)->id, sizeof((*x)->id));
}

int objects_compare_route(const struct dp_route_set *a, const struct dp_route_set *b)
{
	int c = memcmp(&a->instance, &b->instance, sizeof(a->instance));
	return c != 0 ? c : memcmp(&a->prefix, &b->prefix, sizeof(a->prefix));
}

static int compare_route(const void *a, const void *b)
{
	return objects_compare_route(a, b);
}

void objects_sort(struct objects *o)
{
	if (o->instances > 0)
		qsort(o->instance, o->instances, sizeof(o->instance[0]), id_compare);
	if (o->peers > 0)
		qsort(o->peer, o->peers, sizeof(struct dp_peer_set *), compare_peer);
	if (o->routes > 0)
		qsort(o->route, o->routes, sizeof(o->route[0]), compare_route);
}

void objects_fini(struct objects *o)
{
	if (o->instance != NULL)
		explicit_bzero(o->instance, o->instances * sizeof(o->instance[0]));
	for (unsigned int i = 0; i < o->peers; i++) {
		explicit_bzero(o->peer[i], dp_peer_set_size(o->peer[i]));
		free(o->peer[i]);
	}
	free(o->instance);
	free(o->peer);
	free(o->route);
	memset(o, 0, sizeof(*o));
}

static uint32_t flags_of(const struct desired_instance *i, const struct hub_state *hub)
{
	return (i->site_to_site ? DP_INSTANCE_SITE_TO_SITE : 0U)
		| (i->client_to_site ? DP_INSTANCE_CLIENT_TO_SITE : 0U)
		| (i->client_to_client ? DP_INSTANCE_CLIENT_TO_CLIENT : 0U)
		| (i->egress4 && hub->egress4 ? DP_INSTANCE_EGRESS_V4 : 0U)
		| (i->egress6 && hub->egress6 ? DP_INSTANCE_EGRESS_V6 : 0U);
}

static int add_host_route(struct objects *o, const struct uuid *instance,
	const struct ip_addr *addr, enum dp_route_target target, const struct uuid *peer)
{
	struct dp_route_set r = {
		.instance = *instance, .prefix = ip_prefix_of(addr), .target = (uint8_t)target};
	if (peer != NULL)
		r.peer = *peer;
	return objects_add_route(o, &r);
}

static int add_default_route(struct objects *o, const struct uuid *instance, bool v4)
{
	struct dp_route_set r = {.instance = *instance, .target = DP_ROUTE_EGRESS};
	(void)ip_prefix_parse(v4 ? "0.0.0.0/0" : "::/0", &r.prefix);
	return objects_add_route(o, &r);
}

/* What lies in the instance's own network and is nobody's must not go out to the internet. */
static int add_network_route(
	struct objects *o, const struct uuid *instance, const struct ip_prefix *address)
{
	struct dp_route_set r = {.instance = *instance,
		.prefix = ip_prefix_canonical(address),
		.target = DP_ROUTE_DROP};
	return ip_addr_is_zero(&address->addr) ? 0 : objects_add_route(o, &r);
}

static int add_instance(
	struct objects *o, const struct desired_instance *i, const struct hub_state *hub)
{
	struct dp_instance_set set = {
		.id = i->id,
		.wireguard_private_key = i->private_key,
		.number = i->number,
		.flags = flags_of(i, hub),
		.wireguard_port = i->port,
		.mtu = i->mtu,
		.address4 = i->address4,
		.address6 = i->address6,
	};
	int err = objects_add_instance(o, &set);
	explicit_bzero(&set.wireguard_private_key, sizeof(set.wireguard_private_key));
	if (err == 0)
		err = add_host_route(o, &i->id, &i->address4.addr, DP_ROUTE_HOST, NULL);
	if (err == 0)
		err = add_host_route(o, &i->id, &i->address6.addr, DP_ROUTE_HOST, NULL);
	if (err == 0)
		err = add_network_route(o, &i->id, &i->address4);
	if (err == 0)
		err = add_network_route(o, &i->id, &i->address6);
	if (err == 0 && i->egress4 && hub->egress4)
		err = add_default_route(o, &i->id, true);
	if (err == 0 && i->egress6 && hub->egress6)
		err = add_default_route(o, &i->id, false);
	return err;
}

static int add_peer_routes(struct objects *o, const struct desired_peer *p)
{
	int err = 0;
	for (unsigned int i = 0; err == 0 && i < p->addresses; i++)
		err = add_host_route(o, &p->instance, &p->address[i], DP_ROUTE_PEER, &p->id);
	for (unsigned int i = 0; err == 0 && i < p->subnets.count; i++) {
		struct dp_route_set r = {
			.instance = p->instance,
			.peer = p->id,
			.prefix = ip_prefix_canonical(&p->subnets.prefix[i]),
			.target = DP_ROUTE_PEER,
		};
		err = objects_add_route(o, &r);
	}
	return err;
}

static int add_peer(struct objects *o, const struct desired_peer *p)
{
	struct dp_peer_set set = {
		.id = p->id,
		.instance = p->instance,
		.public_key = p->public_key,
		.expires_at = p->expires_at,
		.endpoint = p->endpoint,
		.keepalive_s = p->keepalive,
		.allowed_count = DP_ALLOWED_ALL,
		.type = p->is_site ? DP_PEER_SITE : DP_PEER_CLIENT,
		.route_all = p->route_all,
		.has_preshared_key = p->has_preshared_key,
	};
	if (p->has_preshared_key)
		set.preshared_key = p->preshared_key;
	if (!p->allowed_any) {
		/* more than the dataplane takes is cut: it refuses what is left out */
		set.allowed_count = (uint16_t)(p->allowed.count < DP_ALLOWED_MAX ? p->allowed.count
										 : DP_ALLOWED_MAX);
		for (unsigned int i = 0; i < set.allowed_count; i++)
			set.allowed[i] = ip_prefix_canonical(&p->allowed.prefix[i]);
	}
	int err = objects_add_peer(o, &set);
	explicit_bzero(&set.preshared_key, sizeof(set.preshared_key));
	return err == 0 ? add_peer_routes(o, p) : err;
}

/* A site that advertises 0.0.0.0/0 takes the place of the hub's own way out. */
static void keep_peers_routes(struct objects *o)
{
	unsigned int kept = 0;
	for (unsigned int i = 0; i < o->routes; i++) {
		bool same =
			kept > 0 && objects_compare_route(&o->route[kept - 1], &o->route[i]) == 0;
		if (!same)
			o->route[kept++] = o->route[i];
		else if (o->route[i].target == DP_ROUTE_PEER)
			o->route[kept - 1] = o->route[i];
	}
	o->routes = kept;
}

int objects_from_desired(const struct desired *d, const struct hub_state *hub, struct objects *ret)
{
	struct objects o = {.complete = true};
	int err = 0;
	for (unsigned int i = 0; err == 0 && i < d->instances; i++)
		err = add_instance(&o, &d->instance[i], hub);
	for (unsigned int i = 0; err == 0 && i < d->peers; i++)
		err = add_peer(&o, &d->peer[i]);
	if (err != 0) {
		objects_fini(&o);
		return err;
	}
	objects_sort(&o);
	keep_peers_routes(&o);
	*ret = o;
	return 0;
}
