// SPDX-License-Identifier: Apache-2.0
#include "control/model/peer.h"

#include "control/model/wireguard_key.h"

#include <string.h>

void peer_init(struct peer *p)
{
	memset(p, 0, sizeof(*p));
	p->keepalive = KEEPALIVE_DEFAULT_S;
	p->labels = json_object();
}

void peer_fini(struct peer *p)
{
	json_decref(p->labels);
	p->labels = NULL;
}

static void check_site(const struct peer *p, const struct instance *i, struct model_errors *errors)
{
	if (p->protocol == PROTOCOL_ANY)
		model_error_add(errors, "/protocol", "a site has one protocol");
	if (!uuid_is_zero(&p->user_id))
		model_error_add(errors, "/user_id", "a site peer belongs to no user");
	if (p->route_all)
		model_error_add(errors, "/route_all", "is for client peers");
	if (p->subnets.count == 0)
		model_error_add(errors, "/subnets", "a site advertises at least one subnet");
	subnets_check(&p->subnets, i->networks, p->allow_broad_routes, errors);
}

static void check_client(const struct peer *p, struct model_errors *errors)
{
	if (!uuid_is_zero(&p->site_id))
		model_error_add(errors, "/site_id", "a client peer belongs to no site");
	if (p->subnets.count > 0)
		model_error_add(errors, "/subnets", "is for site peers");
	if (p->allow_broad_routes)
		model_error_add(errors, "/allow_broad_routes", "is for site peers");
}

void peer_check(const struct peer *p, const struct instance *i, struct model_errors *errors)
{
	name_check(p->name, "/name", errors);
	labels_check(p->labels, errors);
	if (p->type == PEER_SITE)
		check_site(p, i, errors);
	else
		check_client(p, errors);
	if (p->keepalive > KEEPALIVE_MAX_S)
		model_error_add(errors, "/keepalive", "must be 0 to %d seconds", KEEPALIVE_MAX_S);
	if (p->username[0] != '\0' && openvpn_username_check(p->username) != NULL)
		model_error_add(errors, "/username", "%s", openvpn_username_check(p->username));
	if (p->key_is_ours || !peer_speaks_wireguard(p))
		return;
	const char *weak = wireguard_public_key_check(&p->public_key);
	if (weak != NULL)
		model_error_add(errors, "/public_key", "%s", weak);
	else if (key_equal(&p->public_key, &i->public_key))
		model_error_add(errors, "/public_key", "is the instance's own key");
}

enum peer_state peer_state_at(const struct peer *p, int64_t now)
{
	if (p->is_suspended || p->user_is_suspended)
		return PEER_SUSPENDED;
	return p->expires_at != 0 && p->expires_at <= now ? PEER_EXPIRED : PEER_ACTIVE;
}

bool peer_is_connected(const struct peer *p, int64_t now)
{
	int64_t window = 3 * (int64_t)p->keepalive;
	if (window < CONNECTED_MIN_S)
		window = CONNECTED_MIN_S;
	return p->status.last_seen_at != 0 && p->status.last_seen_at + window >= now
		&& peer_state_at(p, now) == PEER_ACTIVE;
}

const char *peer_state_text(enum peer_state state)
{
	switch (state) {
	case PEER_ACTIVE:
		return "active";
	case PEER_SUSPENDED:
		return "suspended";
	case PEER_EXPIRED:
		return "expired";
	}
	return "expired";
}

const char *peer_protocol_text(enum peer_protocol protocol)
{
	switch (protocol) {
	case PROTOCOL_WIREGUARD:
		return "wireguard";
	case PROTOCOL_ANY:
		return "any";
	case PROTOCOL_OPENVPN:
		return "openvpn";
	}
	return "wireguard";
}

bool peer_speaks_wireguard(const struct peer *p)
{
	return p->protocol != PROTOCOL_OPENVPN;
}

bool peer_speaks_openvpn(const struct peer *p)
{
	return p->protocol != PROTOCOL_WIREGUARD;
}
