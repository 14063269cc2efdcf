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

/* For an array of pointers: a copy of an object at its length on the wire, and room for it. */
static void *copy_of(
	const void *object, size_t size, void **array, unsigned int count, unsigned int *room)
{
	void *copy = malloc(size);
	if (copy == NULL || make_room(array, count, room, sizeof(void *)) != 0) {
		free(copy);
		return NULL;
	}
	return memcpy(copy, object, size);
}

int objects_add_peer(struct objects *o, const struct dp_peer_set *p)
{
	struct dp_peer_set *copy =
		copy_of(p, dp_peer_set_size(p), (void **)&o->peer, o->peers, &o->peer_room);
	if (copy == NULL)
		return -ENOMEM;
	o->peer[o->peers++] = copy;
	return 0;
}

int objects_add_push(struct objects *o, const struct dp_push_set *p)
{
	struct dp_push_set *copy =
		copy_of(p, dp_push_set_size(p), (void **)&o->push, o->pushes, &o->push_room);
	if (copy == NULL)
		return -ENOMEM;
	o->push[o->pushes++] = copy;
	return 0;
}

int objects_add_listener(struct objects *o, const struct dp_listener_set *l)
{
	struct dp_listener_set *copy = copy_of(
		l, dp_listener_set_size(l), (void **)&o->listener, o->listeners, &o->listener_room);
	if (copy == NULL)
		return -ENOMEM;
	o->listener[o->listeners++] = copy;
	return 0;
}

int objects_add_route(struct objects *o, const struct dp_route_set *r)
{
	int err = make_room((void **)&o->route, o->routes, &o->route_room, sizeof(*r));
	if (err == 0)
		o->route[o->routes++] = *r;
	return err;
}

/* Of pointers to objects that begin with what they are sorted by. */
static int compare_pointer(const void *a, const void *b)
{
	const void *const *x = a, *const *y = b;
	return id_compare(*x, *y);
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
		qsort(o->peer, o->peers, sizeof(struct dp_peer_set *), compare_pointer);
	if (o->pushes > 0)
		qsort(o->push, o->pushes, sizeof(struct dp_push_set *), compare_pointer);
	if (o->listeners > 0)
		qsort(o->listener, o->listeners, sizeof(struct dp_listener_set *), compare_pointer);
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
	for (unsigned int i = 0; i < o->pushes; i++)
		free(o->push[i]);
	for (unsigned int i = 0; i < o->listeners; i++) {
		explicit_bzero(o->listener[i], dp_listener_set_size(o->listener[i]));
		free(o->listener[i]);
	}
	free(o->push);
	free(o->listener);
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

static int add_host_route(
	struct objects *o, const struct uuid *instance, const struct ip_addr *addr)
{
	struct dp_route_set r = {
		.instance = *instance, .prefix = ip_prefix_of(addr), .target = DP_ROUTE_HOST};
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

static int add_push(struct objects *o, const struct desired_instance *i)
{
	const struct desired_openvpn *v = i->openvpn;
	struct dp_push_set set = {.instance = i->id};
	memcpy(set.dns, v->dns, sizeof(set.dns));
	memcpy(set.domain, v->domain, sizeof(set.domain));
	/* more than the dataplane takes is cut: a client does not find its way there */
	set.route_count = (uint16_t)(v->routes.count < DP_PUSH_ROUTES_MAX ? v->routes.count
									  : DP_PUSH_ROUTES_MAX);
	for (unsigned int n = 0; n < set.route_count; n++)
		set.route[n] = ip_prefix_canonical(&v->routes.prefix[n]);
	return objects_add_push(o, &set);
}

/* desired_merge() has seen to it that the three texts fit. */
static int add_listener(
	struct objects *o, const struct desired_instance *i, const struct desired_listener *l)
{
	const struct desired_openvpn *v = i->openvpn;
	struct dp_listener_set set = {
		.id = l->id,
		.instance = i->id,
		.renegotiate_s = l->renegotiate_s,
		.port = l->port,
		.transport = l->transport,
		.wrap = l->wrap,
		.wrap_digest = l->wrap_digest,
		.tls_minimum = l->tls_minimum,
		.security_level = l->security_level,
		.flags = l->flags,
		.ca_len = (uint16_t)(strlen(v->ca) + 1),
		.certificate_len = (uint16_t)(strlen(v->certificate) + 1),
		.private_key_len = (uint16_t)(strlen(v->private_key) + 1),
	};
	memcpy(set.wrap_key, l->wrap_key, sizeof(set.wrap_key));
	memcpy(set.cipher, l->cipher, sizeof(set.cipher));
	memcpy(set.pem, v->ca, set.ca_len);
	memcpy(set.pem + set.ca_len, v->certificate, set.certificate_len);
	memcpy(set.pem + set.ca_len + set.certificate_len, v->private_key, set.private_key_len);
	int err = objects_add_listener(o, &set);
	explicit_bzero(&set, sizeof(set));
	return err;
}

static int add_openvpn(struct objects *o, const struct desired_instance *i)
{
	int err = add_push(o, i);
	for (unsigned int n = 0; err == 0 && n < i->openvpn->listeners; n++)
		err = add_listener(o, i, &i->openvpn->listener[n]);
	return err;
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
		err = add_host_route(o, &i->id, &i->address4.addr);
	if (err == 0)
		err = add_host_route(o, &i->id, &i->address6.addr);
	if (err == 0)
		err = add_network_route(o, &i->id, &i->address4);
	if (err == 0)
		err = add_network_route(o, &i->id, &i->address6);
	if (err == 0 && i->egress4 && hub->egress4)
		err = add_default_route(o, &i->id, true);
	if (err == 0 && i->egress6 && hub->egress6)
		err = add_default_route(o, &i->id, false);
	if (err == 0 && i->openvpn != NULL)
		err = add_openvpn(o, i);
	return err;
}

/* What is behind a peer that has no way in must not go out to the internet meanwhile. */
static int add_peer_routes(struct objects *o, const struct desired_peer *p, bool has_way)
{
	struct dp_route_set r = {
		.instance = p->instance, .target = has_way ? DP_ROUTE_PEER : DP_ROUTE_DROP};
	int err = 0;
	if (has_way)
		r.peer = p->id;
	for (unsigned int i = 0; err == 0 && i < p->addresses; i++) {
		r.prefix = ip_prefix_of(&p->address[i]);
		err = objects_add_route(o, &r);
	}
	for (unsigned int i = 0; err == 0 && i < p->subnets.count; i++) {
		r.prefix = ip_prefix_canonical(&p->subnets.prefix[i]);
		err = objects_add_route(o, &r);
	}
	return err;
}

static void set_wireguard(struct dp_peer_set *set, const struct desired_peer *p)
{
	set->public_key = p->public_key;
	set->endpoint = p->endpoint;
	set->keepalive_s = p->keepalive;
	set->has_preshared_key = p->has_preshared_key;
	if (p->has_preshared_key)
		set->preshared_key = p->preshared_key;
}

/* Of each family its first address is the tunnel's. */
static void set_openvpn(struct dp_peer_set *set, const struct desired_peer *p)
{
	set->has_openvpn = 1;
	set->openvpn = *p->openvpn;
	for (unsigned int i = p->addresses; i-- > 0;) {
		if (ip_addr_is_v4(&p->address[i]))
			set->openvpn.address4 = p->address[i];
		else
			set->openvpn.address6 = p->address[i];
	}
}

static void set_allowed(struct dp_peer_set *set, const struct desired_peer *p)
{
	set->allowed_count = DP_ALLOWED_ALL;
	if (p->allowed_any)
		return;
	/* more than the dataplane takes is cut: it refuses what is left out */
	set->allowed_count =
		(uint16_t)(p->allowed.count < DP_ALLOWED_MAX ? p->allowed.count : DP_ALLOWED_MAX);
	for (unsigned int i = 0; i < set->allowed_count; i++)
		set->allowed[i] = ip_prefix_canonical(&p->allowed.prefix[i]);
}

static int add_peer(struct objects *o, const struct desired_peer *p)
{
	struct dp_peer_set set = {
		.id = p->id,
		.instance = p->instance,
		.expires_at = p->expires_at,
		.type = p->is_site ? DP_PEER_SITE : DP_PEER_CLIENT,
		.route_all = p->route_all,
	};
	bool has_wireguard = p->protocol != DESIRED_OPENVPN;
	bool has_openvpn = p->protocol != DESIRED_WIREGUARD && p->openvpn != NULL;
	int err = 0;
	set_allowed(&set, p);
	if (has_wireguard)
		set_wireguard(&set, p);
	if (has_openvpn)
		set_openvpn(&set, p);
	if (has_wireguard || has_openvpn)
		err = objects_add_peer(o, &set);
	explicit_bzero(&set.preshared_key, sizeof(set.preshared_key));
	explicit_bzero(&set.openvpn, sizeof(set.openvpn));
	return err == 0 ? add_peer_routes(o, p, has_wireguard || has_openvpn) : err;
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
