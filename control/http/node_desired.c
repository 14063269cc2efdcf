// SPDX-License-Identifier: Apache-2.0
/*
 * What a hub is to do: whole objects that changed since a generation, and what is gone. A hub that
 * has everything waits for news; whatever is written wakes it.
 */
#include "control/http/api_internal.h"
#include "control/http/problem.h"
#include "control/http/profile_source.h"
#include "control/http/request.h"
#include "control/http/resources.h"
#include "control/http/value.h"
#include "control/http/wait.h"
#include "control/model/openvpn_json.h"
#include "control/profile/routes.h"
#include "control/store/credential.h"
#include "control/store/hub.h"
#include "control/store/openvpn.h"
#include "dataplane/base/clock.h"
#include "dataplane/base/hex.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	PUSH_DOMAIN_MAX = 127, /* characters: an option that is pushed is no longer than 255 */
};

struct desired {
	struct api *api; /* borrowed */
	json_t *instances, *peers, *captures, *deleted; /* owned */
};

static json_t *hex_json(const uint8_t *data, size_t len)
{
	char text[2 * OPENVPN_WRAP_KEY_LEN + 1];
	hex_encode(data, len, text);
	json_t *j = json_string(text);
	explicit_bzero(text, sizeof(text));
	return j;
}

/* The key that its wrapping needs, of those that the listener has. */
static json_t *wrap_key_json(const struct openvpn_listener *l, const uint8_t *keys)
{
	switch (l->wrap) {
	case OPENVPN_WRAP_TLS_AUTH:
	case OPENVPN_WRAP_TLS_CRYPT:
		return hex_json(keys, OPENVPN_WRAP_KEY_LEN);
	case OPENVPN_WRAP_TLS_CRYPT_V2:
		return hex_json(keys + OPENVPN_WRAP_KEY_LEN, OPENVPN_WRAP_KEY_V2_LEN);
	case OPENVPN_WRAP_NONE:
	case OPENVPN_WRAP__COUNT:
		break;
	}
	return json_string("");
}

static json_t *listeners_json(const struct instance *i, const struct openvpn_keys *keys)
{
	json_t *list = json_array();
	for (int t = 0; t < OPENVPN__TRANSPORTS; t++) {
		const struct openvpn_listener *l = &i->openvpn[t];
		json_t *j = openvpn_listener_json(l);
		(void)json_object_set_new(j, "id", value_uuid(&l->id));
		(void)json_object_set_new(j, "transport",
			json_string(openvpn_transport_text((enum openvpn_transport)t)));
		(void)json_object_set_new(j, "port", json_integer(l->port));
		(void)json_object_set_new(j, "wrap_key", wrap_key_json(l, keys->wrap[t]));
		(void)json_array_append_new(list, j);
	}
	return list;
}

/* What any split client of the instance may be told; a site never takes routes from the hub. */
static json_t *routes_json(struct api *api, const struct instance *i)
{
	const struct peer split = {.type = PEER_CLIENT};
	struct profile_source source;
	struct ip_prefix *routes = NULL;
	size_t count = 0;
	if (profile_source_init_routes(&source, api, i) < 0)
		return NULL;
	profile_source_choose(&source, &split);
	int rc = profile_routes(&source.profile, &routes, &count);
	profile_source_fini(&source);
	json_t *list = rc == 0 ? json_array() : NULL;
	for (size_t n = 0; n < count; n++)
		(void)json_array_append_new(list, value_prefix(&routes[n]));
	free(routes);
	return list;
}

static json_t *push_json(struct api *api, const struct instance *i)
{
	json_t *dns = json_array(), *domains = json_array();
	for (size_t n = 0; n < i->dns.server_count; n++) {
		char text[IP_ADDR_TEXT];
		(void)json_array_append_new(
			dns, json_string(ip_addr_format(&i->dns.servers[n], text)));
	}
	for (size_t n = 0; n < i->dns.domain_count; n++) {
		if (strlen(i->dns.domains[n]) <= PUSH_DOMAIN_MAX)
			(void)json_array_append_new(domains, json_string(i->dns.domains[n]));
	}
	return json_pack(
		"{s:o, s:o, s:o}", "routes", routes_json(api, i), "dns", dns, "domains", domains);
}

/* null until it has its certificates; NULL when the store fails, or there is no memory. */
static json_t *openvpn_json(struct api *api, const struct instance *i)
{
	struct openvpn_keys keys;
	int rc = openvpn_find_keys(api->store, &i->id, &keys);
	if (rc < 0) {
		explicit_bzero(&keys, sizeof(keys));
		return rc == -ENOENT ? json_null() : NULL;
	}
	json_t *j = json_pack("{s:s, s:s, s:s, s:o, s:o}", "ca", keys.authority, "certificate",
		keys.server.text, "private_key", keys.server.private_key, "push", push_json(api, i),
		"listeners", listeners_json(i, &keys));
	explicit_bzero(&keys, sizeof(keys));
	return j;
}

static int add_instance(void *ctx, const struct instance *i, const struct key *private_key)
{
	const struct desired *d = ctx;
	char key[KEY_BASE64_TEXT], v4[IP_PREFIX_TEXT], v6[IP_PREFIX_TEXT];
	struct ip_prefix hub[2];
	for (unsigned int n = 0; n < 2; n++)
		hub[n] = (struct ip_prefix){instance_hub_address(i, n), i->networks[n].len};
	json_t *j = json_pack("{s:o, s:i, s:{s:s, s:i}, s:{s:s, s:s}, s:i, s:{s:b, s:b, s:b},"
			      " s:{s:b, s:b}, s:o}",
		"id", value_uuid(&i->id), "number", (int)i->number, "wireguard", "private_key",
		key_to_base64(private_key, key), "port", (int)i->wireguard_port, "addresses",
		"ipv4", ip_prefix_format(&hub[0], v4), "ipv6", ip_prefix_format(&hub[1], v6), "mtu",
		(int)i->mtu, "access", "site_to_site", (int)i->access.site_to_site,
		"client_to_site", (int)i->access.client_to_site, "client_to_client",
		(int)i->access.client_to_client, "egress", "ipv4", 1, "ipv6", 1, "openvpn",
		openvpn_json(d->api, i));
	explicit_bzero(key, sizeof(key));
	return json_array_append_new(d->instances, j) == 0 ? 0 : -ENOMEM;
}

static json_t *addresses_json(const struct peer *p)
{
	json_t *list = json_array();
	for (unsigned int n = 0; n < 2; n++) {
		char text[IP_ADDR_TEXT];
		if (!ip_addr_is_zero(&p->addresses[n]))
			(void)json_array_append_new(
				list, json_string(ip_addr_format(&p->addresses[n], text)));
	}
	return list;
}

/* null for one that does not speak it, and for one whose instance has no authority yet. */
static json_t *credential_json(const struct desired *d, const struct peer *p)
{
	struct credential c;
	int rc = peer_speaks_openvpn(p) ? credential_find(d->api->store, &p->id, &c) : -ENOENT;
	if (rc < 0)
		return rc == -ENOENT ? json_null() : NULL;
	return json_pack("{s:o, s:s, s:o, s:o}", "certificate_sha256",
		c.certificate[0] != '\0' ? hex_json(c.certificate_hash, CERTIFICATE_HASH_LEN)
					 : json_null(),
		"username", c.username, "password_salt", hex_json(c.salt, OPENVPN_SALT_LEN),
		"password_sha256", hex_json(c.hash, OPENVPN_HASH_LEN));
}

/* A hub that knows the peer already knows better. */
static json_t *timestamp_json(const struct peer *p)
{
	bool is_none = strspn(p->status.timestamp, "0") == strlen(p->status.timestamp);
	return is_none ? json_null() : json_string(p->status.timestamp);
}

static int add_peer(void *ctx, const struct peer *p, const struct key *preshared_key)
{
	const struct desired *d = ctx;
	char key[KEY_BASE64_TEXT], psk[KEY_BASE64_TEXT];
	json_t *j = json_pack(
		"{s:o, s:o, s:s, s:s?, s:s, s:b, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:s, s:o}",
		"id", value_uuid(&p->id), "instance_id", value_uuid(&p->instance_id), "type",
		p->type == PEER_SITE ? "site" : "client", "public_key",
		peer_speaks_wireguard(p) ? key_to_base64(&p->public_key, key) : NULL,
		"preshared_key", key_to_base64(preshared_key, psk), "route_all", (int)p->route_all,
		"keepalive", (int)p->keepalive, "addresses", addresses_json(p), "subnets",
		value_prefixes(&p->subnets), "allowed_destinations",
		p->has_allowed ? value_prefixes(&p->allowed) : json_null(), "expires_at",
		p->expires_at == 0 ? json_null() : json_integer(p->expires_at), "endpoint",
		strcmp(p->status.protocol, "openvpn") == 0 ? json_null()
							   : value_text(p->status.endpoint),
		"timestamp", timestamp_json(p), "timestamp_reset", (json_int_t)p->clock_resets,
		"protocol", peer_protocol_text(p->protocol), "openvpn", credential_json(d, p));
	explicit_bzero(psk, sizeof(psk));
	return json_array_append_new(d->peers, j) == 0 ? 0 : -ENOMEM;
}

static int add_capture(void *ctx, const struct capture *c)
{
	const struct desired *d = ctx;
	json_t *j = json_pack("{s:o, s:o, s:s, s:i, s:i}", "id", value_uuid(&c->id), "peer_id",
		value_uuid(&c->peer_id), "side", capture_side_text(c->side), "seconds",
		(int)c->seconds, "max_bytes", (int)c->max_bytes);
	return json_array_append_new(d->captures, j) == 0 ? 0 : -ENOMEM;
}

static int add_deleted(void *ctx, const char *kind, const struct uuid *id)
{
	const struct desired *d = ctx;
	json_t *j = json_pack("{s:s, s:o}", "kind", kind, "id", value_uuid(id));
	return json_array_append_new(d->deleted, j) == 0 ? 0 : -ENOMEM;
}

static bool is_empty(const struct desired *d)
{
	return json_array_size(d->instances) + json_array_size(d->peers)
		+ json_array_size(d->captures) + json_array_size(d->deleted)
		== 0;
}

/* true: nothing is answered yet. */
static bool waits(struct request *rq, uint64_t wait_s)
{
	uint64_t now = clock_monotonic_ns();
	if (rq->wait_until_ns == 0 && wait_s > 0)
		rq->wait_until_ns = now + wait_s * NS_PER_SEC;
	return rq->wait_until_ns > now;
}

static void answer(struct request *rq, const struct hub *h, const struct desired *d, bool all)
{
	response_json(&rq->rs, 200,
		json_pack("{s:o, s:I, s:b, s:O, s:O, s:O, s:O}", "epoch",
			value_uuid(store_epoch(rq->api->store)), "generation",
			(json_int_t)h->generation, "full", (int)all, "instances", d->instances,
			"peers", d->peers, "captures", d->captures, "deleted", d->deleted));
}

struct question {
	struct uuid epoch;
	uint64_t after, wait_s;
};

static bool read_question(struct request *rq, struct question *q)
{
	static const uint64_t generations[2] = {0, INT64_MAX};
	static const uint64_t seconds[2] = {0, HTTP_LONG_POLL_MAX_S};
	const char *epoch = target_param(&rq->target, "epoch");
	if (epoch != NULL && uuid_parse(epoch, &q->epoch) != 0) {
		problem_set(&rq->rs, PROBLEM_MALFORMED_REQUEST, "epoch must be a UUID.");
		return false;
	}
	return target_number(&rq->target, "after", generations, &q->after, &rq->rs)
		&& target_number(&rq->target, "wait", seconds, &q->wait_s, &rq->rs);
}

static int look(struct request *rq, const struct hub *h, const struct question *q)
{
	struct desired d = {rq->api, json_array(), json_array(), json_array(), json_array()};
	const struct hub_desired sink = {add_instance, add_peer, add_capture, add_deleted, &d};
	bool all = hub_needs_all(rq->api->store, h, &q->epoch, (int64_t)q->after);
	int rc = hub_desired_list(rq->api->store, h, (int64_t)q->after, all, &sink);
	if (rc == 0 && (all || !is_empty(&d) || !waits(rq, q->wait_s)))
		answer(rq, h, &d, all);
	json_decref(d.instances);
	json_decref(d.peers);
	json_decref(d.captures);
	json_decref(d.deleted);
	return rc;
}

int node_desired(struct request *rq)
{
	struct question q = {0};
	struct hub h;
	if (!read_question(rq, &q))
		return 0;
	/* before the look: what is written after it is news */
	rq->wait_news = wait_list_news(rq->api->waits);
	int rc = hub_find(rq->api->store, &rq->who.id, &h);
	if (rc < 0)
		return rc;
	rc = look(rq, &h, &q);
	hub_fini(&h);
	return rc;
}
