// SPDX-License-Identifier: Apache-2.0
#include "control/http/peer_json.h"

#include "control/http/api_internal.h"
#include "control/http/request.h"
#include "control/http/value.h"
#include "control/model/peer_trouble.h"
#include "control/store/hub.h"
#include "control/store/peer.h"

#include <string.h>

/* A profile that was never fetched is not outdated. */
static bool is_outdated(struct peer_view *v, const struct peer *p)
{
	char digest[PROFILE_DIGEST_TEXT];
	struct profile_source *source = &v->source;
	if (p->profile_digest[0] == '\0'
		|| (!source->is_loaded && profile_source_init(source, v->api, v->instance) < 0))
		return false;
	profile_source_choose(source, p);
	return profile_digest(&source->profile, digest) == 0
		&& strcmp(digest, p->profile_digest) != 0;
}

static json_t *failure_json(const struct peer_status *s)
{
	if (s->failure_at == 0)
		return json_null();
	return json_pack("{s:s, s:o}", "reason", s->failure, "at", value_time(s->failure_at));
}

static json_t *addresses_json(const struct peer *p)
{
	char v4[IP_ADDR_TEXT], v6[IP_ADDR_TEXT];
	return json_pack("{s:s, s:s}", "ipv4", ip_addr_format(&p->addresses[0], v4), "ipv6",
		ip_addr_format(&p->addresses[1], v6));
}

static json_t *public_key_json(const struct peer *p)
{
	char key[KEY_BASE64_TEXT];
	return peer_speaks_wireguard(p) ? json_string(key_to_base64(&p->public_key, key))
					: json_null();
}

/* A hub of an earlier version does not tell: then it is the only one that it can be. */
static const char *protocol_in_use(const struct peer *p)
{
	if (p->status.protocol[0] != '\0')
		return p->status.protocol;
	return p->protocol == PROTOCOL_WIREGUARD ? "wireguard" : NULL;
}

static json_t *settings_json(const struct peer *p)
{
	return json_pack(
		"{s:o, s:o, s:s, s:s, s:s, s:o, s:o, s:o, s:b, s:b, s:o, s:i, s:o, s:o, s:o}", "id",
		value_uuid(&p->id), "instance_id", value_uuid(&p->instance_id), "type",
		p->type == PEER_SITE ? "site" : "client", "protocol",
		peer_protocol_text(p->protocol), "name", p->name, "site_id",
		value_uuid(&p->site_id), "user_id", value_uuid(&p->user_id), "subnets",
		value_prefixes(&p->subnets), "allow_broad_routes", (int)p->allow_broad_routes,
		"route_all", (int)p->route_all, "allowed_destinations",
		p->has_allowed ? value_prefixes(&p->allowed) : json_null(), "keepalive",
		(int)p->keepalive, "expires_at", value_time(p->expires_at), "public_key",
		public_key_json(p), "username", value_text(p->username));
}

static json_t *status_json(struct peer_view *v, const struct peer *p)
{
	int64_t now = store_now(v->api->store);
	char trouble[PEER_TROUBLE_TEXT];
	bool connected = !peer_trouble(p, v->instance, v->hub_is_connected, now, trouble);
	const struct peer_status *s = &p->status;
	return json_pack("{s:o, s:s, s:b, s:s?, s:o, s:s?, s:o, s:o, s:I, s:I, s:b, s:O, s:o}",
		"addresses", addresses_json(p), "state", peer_state_text(peer_state_at(p, now)),
		"connected", (int)connected, "why_not_connected", connected ? NULL : trouble,
		"connected_from", connected ? value_text(s->endpoint) : json_null(),
		"protocol_in_use", connected ? protocol_in_use(p) : NULL, "last_handshake_at",
		value_time(s->last_handshake_at), "last_failure", failure_json(s), "rx_bytes",
		(json_int_t)s->rx_bytes, "tx_bytes", (json_int_t)s->tx_bytes, "profile_outdated",
		(int)is_outdated(v, p), "labels", p->labels, "created_at",
		value_time(p->created_at));
}

int peer_view_init(struct peer_view *v, struct api *api, const struct instance *i)
{
	struct hub h;
	*v = (struct peer_view){.api = api, .instance = i};
	if (uuid_is_zero(&i->hub_id))
		return 0;
	int rc = hub_find(api->store, &i->hub_id, &h);
	if (rc < 0)
		return rc;
	v->hub_is_connected = hub_is_connected(&h, store_now(api->store));
	hub_fini(&h);
	return 0;
}

void peer_view_fini(struct peer_view *v)
{
	profile_source_fini(&v->source);
}

json_t *peer_json(struct peer_view *v, const struct peer *p)
{
	json_t *j = settings_json(p);
	json_t *status = status_json(v, p);
	if (j == NULL || status == NULL || json_object_update(j, status) < 0) {
		json_decref(j);
		j = NULL;
	}
	json_decref(status);
	return j;
}

static void read_allowed(struct peer *p, const json_t *v, struct model_errors *errors)
{
	p->has_allowed = json_is_array(v);
	p->allowed.count = 0;
	if (p->has_allowed)
		(void)value_read_prefixes(v, "allowed_destinations", &p->allowed, errors);
}

static void read_keepalive(struct peer *p, const json_t *v)
{
	json_int_t value = json_is_integer(v) ? json_integer_value(v) : KEEPALIVE_DEFAULT_S;
	/* what does not fit is refused by its check */
	p->keepalive =
		value >= 0 && value <= KEEPALIVE_MAX_S ? (uint32_t)value : KEEPALIVE_MAX_S + 1;
}

void peer_read(struct peer *p, const json_t *json, struct model_errors *errors)
{
	json_t *labels = json_object_get(json, "labels");
	(void)value_read_text(
		json_object_get(json, "name"), "/name", p->name, sizeof(p->name), errors);
	(void)value_read_uuid(json_object_get(json, "site_id"), "/site_id", &p->site_id, errors);
	(void)value_read_uuid(json_object_get(json, "user_id"), "/user_id", &p->user_id, errors);
	(void)value_read_prefixes(json_object_get(json, "subnets"), "subnets", &p->subnets, errors);
	read_allowed(p, json_object_get(json, "allowed_destinations"), errors);
	read_keepalive(p, json_object_get(json, "keepalive"));
	(void)value_read_time(
		json_object_get(json, "expires_at"), "/expires_at", &p->expires_at, errors);
	p->allow_broad_routes = json_is_true(json_object_get(json, "allow_broad_routes"));
	p->route_all = json_is_true(json_object_get(json, "route_all"));
	json_decref(p->labels);
	p->labels = labels != NULL ? json_deep_copy(labels) : json_object();
}

bool peer_of_path(struct request *rq, struct peer *ret, int *ret_rc)
{
	struct uuid instance, peer;
	*ret_rc = 0;
	if (!request_uuid(rq, 0, &instance) || !request_uuid(rq, 1, &peer))
		return false;
	*ret_rc = peer_find(rq->api->store, &instance, &peer, ret);
	return *ret_rc == 0;
}
