// SPDX-License-Identifier: Apache-2.0
/*
 * What a hub is to do: whole objects that changed since a generation, and what is gone. A hub that
 * has everything waits for news; whatever is written wakes it.
 */
#include "control/http/api_internal.h"
#include "control/http/problem.h"
#include "control/http/request.h"
#include "control/http/resources.h"
#include "control/http/value.h"
#include "control/http/wait.h"
#include "control/store/hub.h"
#include "dataplane/base/clock.h"

#include <errno.h>
#include <string.h>

struct desired {
	json_t *instances, *peers, *captures, *deleted; /* owned */
};

static int add_instance(void *ctx, const struct instance *i, const struct key *private_key)
{
	const struct desired *d = ctx;
	char key[KEY_BASE64_TEXT], v4[IP_PREFIX_TEXT], v6[IP_PREFIX_TEXT];
	struct ip_prefix hub[2];
	for (unsigned int n = 0; n < 2; n++)
		hub[n] = (struct ip_prefix){instance_hub_address(i, n), i->networks[n].len};
	json_t *j = json_pack("{s:o, s:i, s:{s:s, s:i}, s:{s:s, s:s}, s:i, s:{s:b, s:b, s:b},"
			      " s:{s:b, s:b}}",
		"id", value_uuid(&i->id), "number", (int)i->number, "wireguard", "private_key",
		key_to_base64(private_key, key), "port", (int)i->wireguard_port, "addresses",
		"ipv4", ip_prefix_format(&hub[0], v4), "ipv6", ip_prefix_format(&hub[1], v6), "mtu",
		(int)i->mtu, "access", "site_to_site", (int)i->access.site_to_site,
		"client_to_site", (int)i->access.client_to_site, "client_to_client",
		(int)i->access.client_to_client, "egress", "ipv4", 1, "ipv6", 1);
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

static int add_peer(void *ctx, const struct peer *p, const struct key *preshared_key)
{
	const struct desired *d = ctx;
	char key[KEY_BASE64_TEXT], psk[KEY_BASE64_TEXT];
	json_t *j = json_pack("{s:o, s:o, s:s, s:s, s:s, s:b, s:i, s:o, s:o, s:o, s:o, s:o, s:I}",
		"id", value_uuid(&p->id), "instance_id", value_uuid(&p->instance_id), "type",
		p->type == PEER_SITE ? "site" : "client", "public_key",
		key_to_base64(&p->public_key, key), "preshared_key",
		key_to_base64(preshared_key, psk), "route_all", (int)p->route_all, "keepalive",
		(int)p->keepalive, "addresses", addresses_json(p), "subnets",
		value_prefixes(&p->subnets), "allowed_destinations",
		p->has_allowed ? value_prefixes(&p->allowed) : json_null(), "expires_at",
		p->expires_at == 0 ? json_null() : json_integer(p->expires_at), "endpoint",
		value_text(p->status.endpoint), "timestamp_reset", (json_int_t)p->clock_resets);
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
	struct desired d = {json_array(), json_array(), json_array(), json_array()};
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
