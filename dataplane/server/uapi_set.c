// SPDX-License-Identifier: Apache-2.0
/*
 * What wg(8) says, as WireGuard's own interfaces take it: an allowed address moves to whom it was
 * given last, an interface has no peer with its own key, a private key of zero is none.
 */
#include "dataplane/server/uapi_set.h"

#include "dataplane/base/random.h"
#include "dataplane/keying/keying.h"
#include "dataplane/server/bounds.h"
#include "dataplane/server/quota.h"
#include "dataplane/server/state.h"
#include "dataplane/server/uapi_request.h"
#include "dataplane/table/instance.h"
#include "dataplane/table/peer.h"
#include "dataplane/table/route.h"
#include "dataplane/table/tables.h"
#include "dataplane/table/underlay.h"

#include <errno.h>

enum {
	PORT_TRIES = 64,
	PORT_FIRST = 32768, /* where Linux takes ports for anybody, too */
};

int uapi_choose_port(const struct server *s, uint16_t *ret)
{
	for (unsigned int tries = 0; tries < PORT_TRIES; tries++) {
		int err = random_bytes(ret, sizeof(*ret));
		if (err != 0)
			return err;
		*ret |= PORT_FIRST;
		if (s->tables->listener[*ret] == NULL)
			return 0;
	}
	return -EADDRINUSE;
}

/* Any of those. */
static bool has(uint16_t fields, unsigned int wanted)
{
	return (fields & wanted) != 0;
}

static int check_peers(
	const struct server *s, const struct instance *i, const struct uapi_request *r)
{
	for (uint32_t n = 0; n < r->peers; n++) {
		const struct uapi_peer *p = &r->peer[n];
		if (has(p->fields, UAPI_ENDPOINT)
			&& underlay_is_local(s->tables, &p->endpoint.addr))
			return -EADDRINUSE;
	}
	for (uint32_t n = 0; n < r->alloweds; n++) {
		const struct route *old = route_find(i, &r->allowed[n]);
		if (old != NULL && old->target != ROUTE_PEER)
			return -EADDRINUSE;
	}
	return 0;
}

/* By how much the tables may grow: what goes is counted only when all peers go. */
static bool has_room(const struct server *s, const struct instance *i, const struct uapi_request *r)
{
	bool replaces = has(r->fields, UAPI_REPLACE_PEERS);
	size_t peers = s->tables->peer_count, routes = i->route_by_prefix.count;
	for (const struct peer *p = i->peers; replaces && p != NULL; p = p->instance_next) {
		peers--;
		routes -= p->route_count;
	}
	for (uint32_t n = 0; n < r->peers; n++) {
		const struct uapi_peer *p = &r->peer[n];
		if (!has(p->fields, UAPI_REMOVE | UAPI_UPDATE_ONLY)
			&& (replaces || peer_find_key(s->tables, i, &p->public_key) == NULL))
			peers++;
	}
	for (uint32_t n = 0; n < r->alloweds; n++) {
		if (replaces || route_find(i, &r->allowed[n]) == NULL)
			routes++;
	}
	return peers <= TABLE_MAX_PEERS && routes <= INSTANCE_ROUTES_MAX;
}

/* *ret_port: that of the request, or the one that is chosen for it. */
static int check_whole(const struct server *s, const struct instance *i,
	const struct uapi_request *r, uint16_t *ret_port)
{
	*ret_port = r->listen_port;
	if (has(r->fields, UAPI_LISTEN_PORT) && *ret_port == 0) {
		int err = uapi_choose_port(s, ret_port);
		if (err != 0)
			return err;
	}
	const struct instance *holder = s->tables->listener[*ret_port];
	if (has(r->fields, UAPI_LISTEN_PORT) && holder != NULL && holder != i)
		return -EADDRINUSE;
	return has_room(s, i, r) ? check_peers(s, i, r) : -ENOSPC;
}

static int set_private_key(struct server *s, struct instance *i, const struct key *private_key)
{
	struct instance_settings settings = {
		.id = i->id,
		.private_key = key_is_zero(private_key) ? NULL : private_key,
		.number = i->number,
		.wireguard_port = i->wireguard_port,
		.mtu = i->mtu,
		.flags = i->flags,
		.address4 = i->address4,
		.address6 = i->address6,
	};
	int err = instance_set(s->tables, &settings, &i);
	struct peer *self = err == 0 ? peer_find_key(s->tables, i, &i->public_key) : NULL;
	if (self != NULL)
		peer_unlink(s->tables, self);
	return err;
}

/* Keying is told of both, key and port, in one. */
static int set_device(
	struct server *s, struct instance *i, const struct uapi_request *r, uint16_t port)
{
	struct key private_key;
	if (has(r->fields, UAPI_REPLACE_PEERS)) {
		while (i->peers != NULL)
			peer_unlink(s->tables, i->peers);
	}
	int err = has(r->fields, UAPI_LISTEN_PORT) ? instance_move(s->tables, i, port) : 0;
	if (err == 0 && has(r->fields, UAPI_PRIVATE_KEY))
		err = set_private_key(s, i, &r->private_key);
	if (err != 0 || !has(r->fields, UAPI_PRIVATE_KEY | UAPI_LISTEN_PORT))
		return err;
	keying_settle(s->keying);
	keying_private_key(i, &private_key);
	if (has(r->fields, UAPI_PRIVATE_KEY))
		private_key = r->private_key;
	err = keying_instance_set(s->keying, i, &private_key);
	key_wipe(&private_key);
	return err;
}

static int make_peer(struct server *s, struct instance *i, const struct key *key, struct peer **ret)
{
	bool created;
	struct peer_settings settings = {
		.instance = i,
		.type = PEER_TYPE_SITE,
		.public_key = *key,
		.allowed_any = true,
	};
	int err = uuid_generate(&settings.id);
	return err == 0 ? peer_set(s->tables, &settings, ret, &created) : err;
}

static int tell_keying(struct server *s, struct peer *p, const struct uapi_peer *from)
{
	struct keying_peer k = {
		.peer = p,
		.keeps_credential = true,
		.keeps_preshared_key = !has(from->fields, UAPI_PRESHARED_KEY),
		.has_preshared_key = !key_is_zero(&from->preshared_key),
		.preshared_key = from->preshared_key,
		.keeps_keepalive = !has(from->fields, UAPI_KEEPALIVE),
		.keepalive_s = from->keepalive_s,
		.endpoint = from->endpoint,
		.moves = has(from->fields, UAPI_ENDPOINT),
	};
	int err = keying_peer_set(s->keying, &k);
	key_wipe(&k.preshared_key);
	return err;
}

static int set_allowed(struct instance *i, struct peer *p, const struct uapi_peer *from,
	const struct ip_prefix *allowed)
{
	if (has(from->fields, UAPI_REPLACE_ALLOWED)) {
		while (p->routes != NULL)
			route_del(p->routes);
	}
	int err = 0;
	for (uint32_t n = 0; err == 0 && n < from->allowed_count; n++) {
		const struct ip_prefix *prefix = &allowed[from->allowed_at + n];
		char why[QUOTA_TEXT]; /* wg(8) takes a number alone */
		err = quota_route(i, p, route_find(i, prefix), why);
		if (err == 0)
			err = route_set(i, prefix, ROUTE_PEER, p);
	}
	return err;
}

static int set_peer(struct server *s, struct instance *i, const struct uapi_peer *from,
	const struct ip_prefix *allowed)
{
	struct peer *p = peer_find_key(s->tables, i, &from->public_key);
	bool created = p == NULL;
	if (has(from->fields, UAPI_REMOVE)) {
		if (p != NULL)
			peer_unlink(s->tables, p);
		return 0;
	}
	if (created && has(from->fields, UAPI_UPDATE_ONLY))
		return 0;
	int err = created ? make_peer(s, i, &from->public_key, &p) : 0;
	if (err == 0)
		err = tell_keying(s, p, from);
	if (err == 0)
		err = set_allowed(i, p, from, allowed);
	if (err != 0 && created && p != NULL)
		peer_unlink(s->tables, p);
	return err;
}

int uapi_set(struct server *s, struct instance *i, const struct uapi_request *r)
{
	uint16_t port;
	int err = check_whole(s, i, r, &port);
	if (err == 0)
		err = set_device(s, i, r, port);
	for (uint32_t n = 0; err == 0 && n < r->peers; n++) {
		if (!key_equal(&r->peer[n].public_key, &i->public_key))
			err = set_peer(s, i, &r->peer[n], r->allowed);
	}
	return err;
}
