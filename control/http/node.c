// SPDX-License-Identifier: Apache-2.0
/* The node API: who is a hub, and what it reports. What it is to do is in node_desired.c. */
#include "control/http/api_internal.h"
#include "control/http/json.h"
#include "control/http/outcome.h"
#include "control/http/problem.h"
#include "control/http/request.h"
#include "control/http/resources.h"
#include "control/http/value.h"
#include "control/model/peer_trouble.h"
#include "control/provision/step.h"
#include "control/store/hub.h"
#include "control/store/report.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

const struct json_field node_enrol_fields[] = {
	{.name = "name", .kind = JSON_KIND_STRING, .required = true},
	{.name = "region", .kind = JSON_KIND_STRING, .required = true},
	{0},
};

static const struct json_field egress_fields[] = {
	{.name = "ipv4", .kind = JSON_KIND_BOOLEAN, .required = true},
	{.name = "ipv6", .kind = JSON_KIND_BOOLEAN, .required = true},
	{0},
};

static const struct json_field instance_fields[] = {
	{.name = "id", .kind = JSON_KIND_STRING, .required = true},
	{.name = "state", .kind = JSON_KIND_STRING, .required = true},
	{.name = "reason", .kind = JSON_KIND_STRING, .required = true},
	{0},
};

static const struct json_field failure_fields[] = {
	{.name = "reason", .kind = JSON_KIND_STRING, .required = true},
	{.name = "at", .kind = JSON_KIND_INTEGER, .required = true},
	{.name = "detail", .kind = JSON_KIND_INTEGER},
	{0},
};

static const struct json_field peer_fields[] = {
	{.name = "id", .kind = JSON_KIND_STRING, .required = true},
	{.name = "endpoint", .kind = JSON_KIND_STRING, .required = true, .nullable = true},
	{.name = "last_handshake_at",
		.kind = JSON_KIND_INTEGER,
		.required = true,
		.nullable = true},
	{.name = "last_seen_at", .kind = JSON_KIND_INTEGER, .required = true, .nullable = true},
	{.name = "rx_bytes", .kind = JSON_KIND_INTEGER, .required = true},
	{.name = "tx_bytes", .kind = JSON_KIND_INTEGER, .required = true},
	{.name = "rx_packets", .kind = JSON_KIND_INTEGER, .required = true},
	{.name = "tx_packets", .kind = JSON_KIND_INTEGER, .required = true},
	{.name = "timestamp", .kind = JSON_KIND_STRING, .required = true},
	{.name = "protocol_in_use", .kind = JSON_KIND_STRING, .nullable = true},
	{.name = "last_failure",
		.kind = JSON_KIND_OBJECT,
		.required = true,
		.nullable = true,
		.fields = failure_fields},
	{0},
};

const struct json_field node_report_fields[] = {
	{.name = "boot_id", .kind = JSON_KIND_STRING, .required = true},
	{.name = "epoch", .kind = JSON_KIND_STRING, .required = true},
	{.name = "generation", .kind = JSON_KIND_INTEGER, .required = true},
	{.name = "version", .kind = JSON_KIND_STRING, .required = true},
	{.name = "addresses", .kind = JSON_KIND_STRINGS, .required = true},
	{.name = "egress", .kind = JSON_KIND_OBJECT, .required = true, .fields = egress_fields},
	{.name = "instances",
		.kind = JSON_KIND_OBJECTS,
		.required = true,
		.fields = instance_fields},
	{.name = "peers", .kind = JSON_KIND_OBJECTS, .required = true, .fields = peer_fields},
	{.name = "counters", .kind = JSON_KIND_INTEGER_MAP, .required = true},
	{0},
};

/* What node.conf says must be what the operator made, or it is not the hub that was meant. */
static int enrol_once(struct request *rq, const char *name, const char *region, struct uuid *ret_id,
	char ret_token[HUB_TOKEN_TEXT])
{
	struct hub h;
	int rc = hub_find(rq->api->store, &rq->who.id, &h);
	if (rc < 0)
		return rc;
	*ret_id = h.id;
	if (strcmp(h.name, name) != 0 || strcmp(h.region, region) != 0)
		problem_set(&rq->rs, PROBLEM_CONFLICT,
			"This token is for hub %s in region %s; set name and region of node.conf so.",
			h.name, h.region);
	else
		rc = hub_enrol_once(rq->api->store, &h.id, h.name, ret_token);
	hub_fini(&h);
	return rc;
}

int node_enrol(struct request *rq)
{
	const char *name, *region;
	char token[HUB_TOKEN_TEXT];
	struct uuid id;
	if (!hub_words(rq, &name, &region))
		return 0;
	int rc = rq->who.role == ROLE_ENROL ? enrol_once(rq, name, region, &id, token)
					    : hub_enrol(rq->api->store, name, region, &id, token);
	if (rc == 0 && rq->rs.status == 0)
		response_json(&rq->rs, 200,
			json_pack("{s:o, s:s}", "hub_id", value_uuid(&id), "token", token));
	explicit_bzero(token, sizeof(token));
	return rc;
}

static uint64_t count_of(const json_t *o, const char *name)
{
	json_int_t v = json_number(o, name, 0);
	return v > 0 ? (uint64_t)v : 0;
}

static int take_peer(struct peer_report *report, const json_t *o)
{
	const json_t *failure = json_member(o, "last_failure");
	struct peer_status s = {
		.last_handshake_at = (int64_t)count_of(o, "last_handshake_at"),
		.last_seen_at = (int64_t)count_of(o, "last_seen_at"),
		.rx_bytes = count_of(o, "rx_bytes"),
		.tx_bytes = count_of(o, "tx_bytes"),
		.rx_packets = count_of(o, "rx_packets"),
		.tx_packets = count_of(o, "tx_packets"),
	};
	struct uuid id;
	struct ip_endpoint endpoint;
	const char *text = json_text(o, "endpoint", "");
	if (uuid_parse(json_text(o, "id", ""), &id) != 0)
		return 0;
	if (ip_endpoint_parse(text, &endpoint) == 0)
		(void)ip_endpoint_format(&endpoint, s.endpoint);
	text = json_text(o, "timestamp", "");
	if (strlen(text) == TIMESTAMP_TEXT - 1 && strspn(text, "0123456789abcdef") == strlen(text))
		memcpy(s.timestamp, text, TIMESTAMP_TEXT);
	text = json_text(o, "protocol_in_use", "");
	if (strcmp(text, "wireguard") == 0 || strcmp(text, "openvpn") == 0)
		(void)snprintf(s.protocol, sizeof(s.protocol), "%s", text);
	if (failure != NULL) {
		s.failure_at = (int64_t)count_of(failure, "at");
		peer_failure_describe(json_text(failure, "reason", ""),
			(int64_t)json_number(failure, "detail", 0), s.failure);
	}
	return peer_report_take(report, &id, &s);
}

static int take_instance(struct request *rq, const struct hub *h, const json_t *o)
{
	struct uuid id;
	bool is_ready = strcmp(json_text(o, "state", ""), "ready") == 0;
	if (uuid_parse(json_text(o, "id", ""), &id) != 0)
		return 0;
	return step_confirm(
		rq->api->store, rq->api->config, h, &id, is_ready, json_text(o, "reason", ""));
}

static bool read_report(const json_t *o, struct hub_report *r, struct model_errors *errors)
{
	size_t i;
	json_t *item;
	const json_t *egress = json_member(o, "egress");
	(void)value_read_uuid(json_member(o, "boot_id"), "/boot_id", &r->boot_id, errors);
	(void)value_read_uuid(json_member(o, "epoch"), "/epoch", &r->epoch, errors);
	r->generation = (int64_t)count_of(o, "generation");
	r->version = json_text(o, "version", "");
	r->egress_v4 = json_flag(egress, "ipv4", false);
	r->egress_v6 = json_flag(egress, "ipv6", false);
	r->counters = json_member(o, "counters");
	json_array_foreach(json_member(o, "addresses"), i, item)
	{
		if (r->address_count < HUB_ADDRESSES_MAX
			&& ip_addr_parse(json_string_value(item), &r->addresses[r->address_count])
				== 0)
			r->address_count++;
	}
	return errors->count == 0;
}

static int take_peers(struct request *rq, const struct hub *h, const struct hub_report *r)
{
	struct peer_report *report = NULL;
	size_t i;
	json_t *item;
	int rc = peer_report_begin(rq->api->store, h, &r->boot_id, &report);
	json_array_foreach(json_member(rq->json, "peers"), i, item)
	{
		if (rc == 0)
			rc = take_peer(report, item);
	}
	return peer_report_end(report, rc);
}

static int take_report(struct request *rq, const struct hub *h, struct hub_report *r)
{
	size_t i;
	json_t *item;
	bool is_ours = uuid_equal(&r->epoch, store_epoch(rq->api->store));
	if (!is_ours)
		r->generation = 0; /* of another database: says nothing about this one */
	int rc = hub_set_report(rq->api->store, h, r);
	if (rc == 0 && is_ours)
		rc = hub_remove_confirmed(rq->api->store, h, r->generation);
	json_array_foreach(json_member(rq->json, "instances"), i, item)
	{
		if (rc >= 0 && is_ours)
			rc = take_instance(rq, h, item);
	}
	return rc < 0 ? rc : take_peers(rq, h, r);
}

int node_report(struct request *rq)
{
	struct hub h;
	struct hub_report r = {0};
	struct model_errors errors = {0};
	if (!read_report(rq->json, &r, &errors)) {
		outcome_refused(rq, &errors);
		return 0;
	}
	int rc = hub_find(rq->api->store, &rq->who.id, &h);
	if (rc < 0)
		return rc;
	rc = take_report(rq, &h, &r);
	hub_fini(&h);
	if (rc == 0)
		outcome_nothing(rq);
	return rc;
}
