// SPDX-License-Identifier: Apache-2.0
/*
 * What a client is told of its network: its own addresses, what its instance pushes, and whether the
 * internet is behind the hub, too. Clients that know PUSH_UPDATE hear of a change at once.
 */
#include "dataplane/keying/openvpn_private.h"

#include <stdlib.h>
#include <string.h>

enum {
	PING_S = 10,
	PING_RESTART_S = 60,
};

static void write_addresses(const struct client *c, struct push *ret)
{
	const struct keying_credential *who = c->peer->credential;
	const struct instance *i = c->instance;
	if (!ip_addr_is_zero(&who->address4)) {
		ret->address_v4 = (struct ip_prefix){who->address4, i->address4.len};
		ret->gateway_v4 = i->address4.addr;
	}
	ret->has_v6 = !ip_addr_is_zero(&who->address6);
	if (ret->has_v6) {
		ret->address_v6 = (struct ip_prefix){who->address6, i->address6.len};
		ret->gateway_v6 = i->address6.addr;
	}
}

void keying_push_write(const struct client *c, struct push *ret)
{
	const struct keying_push *shared =
		((const struct keying_instance *)c->instance->keying)->push;
	*ret = (struct push){
		.ping_s = PING_S,
		.ping_restart_s = PING_RESTART_S,
		.exit_notify = c->listener->config.is_tcp ? 0 : 1,
		.peer_id = c->tunnel->id,
		.tun_mtu = c->listener->config.tun_mtu,
		.redirect_v4 = c->peer->route_all != 0,
		.redirect_v6 = c->peer->route_all != 0,
		.allows_key_export = true,
	};
	write_addresses(c, ret);
	ret->redirect_v6 = ret->redirect_v6 && ret->has_v6;
	ret->block_ipv6 = c->peer->route_all != 0 && !ret->has_v6;
	/* a router has its routes in its own configuration: one of ours could lead its own LAN to us */
	if (shared == NULL || c->peer->type == PEER_TYPE_SITE)
		return;
	ret->routes = shared->route;
	ret->route_count = shared->route_count;
	memcpy(ret->dns, shared->dns, sizeof(shared->dns));
	ret->dns_count = shared->dns_count;
	for (unsigned int n = 0; n < shared->domain_count; n++)
		ret->domains[n] = shared->domain[n];
	ret->domain_count = shared->domain_count;
}

/* A full sync says again what was said: no client is to hear of that. Both came from calloc(). */
static bool says_the_same(const struct keying_push *a, const struct keying_push *b)
{
	return a != NULL && a->route_count == b->route_count
		&& memcmp(a, b, sizeof(*a) + a->route_count * sizeof(a->route[0])) == 0;
}

void keying_push_apply(struct keying *k, struct instance *i, struct keying_push *push)
{
	struct keying_instance *ki = i->keying;
	if (ki == NULL) {
		free(push);
		return;
	}
	if (says_the_same(ki->push, push)) {
		free(push);
		return;
	}
	free(ki->push);
	ki->push = push;
	keying_clients_push(k, i);
}
