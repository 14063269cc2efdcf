// SPDX-License-Identifier: Apache-2.0
#include "control/store/instance.h"

#include "control/http/api_internal.h"
#include "control/http/instance_json.h"
#include "control/http/json.h"
#include "control/http/outcome.h"
#include "control/http/page.h"
#include "control/http/problem.h"
#include "control/http/request.h"
#include "control/http/resources.h"
#include "control/http/value.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct json_field networks_fields[] = {
	{.name = "ipv4", .kind = JSON_KIND_STRING},
	{.name = "ipv6", .kind = JSON_KIND_STRING},
	{0},
};

static const struct json_field dns_fields[] = {
	{.name = "servers", .kind = JSON_KIND_STRINGS},
	{.name = "search_domains", .kind = JSON_KIND_STRINGS},
	{0},
};

static const struct json_field routing_fields[] = {
	{.name = "client_routes", .kind = JSON_KIND_STRING_OR_ARRAY},
	{0},
};

static const struct json_field access_fields[] = {
	{.name = "site_to_site", .kind = JSON_KIND_BOOLEAN},
	{.name = "client_to_site", .kind = JSON_KIND_BOOLEAN},
	{.name = "client_to_client", .kind = JSON_KIND_BOOLEAN},
	{0},
};

static const struct json_field listener_fields[] = {
	{.name = "wrap", .kind = JSON_KIND_STRING},
	{.name = "tls_minimum", .kind = JSON_KIND_STRING},
	{.name = "security_level", .kind = JSON_KIND_INTEGER},
	{.name = "renegotiate_seconds", .kind = JSON_KIND_INTEGER},
	{.name = "ciphers", .kind = JSON_KIND_STRINGS},
	{.name = "tls_auth_digest", .kind = JSON_KIND_STRING},
	{.name = "requires_certificate", .kind = JSON_KIND_BOOLEAN},
	{.name = "requires_password", .kind = JSON_KIND_BOOLEAN},
	{0},
};

static const struct json_field openvpn_fields[] = {
	{.name = "udp", .kind = JSON_KIND_OBJECT, .fields = listener_fields},
	{.name = "tcp", .kind = JSON_KIND_OBJECT, .fields = listener_fields},
	{0},
};

#define CHANGEABLE                                                                       \
	{.name = "networks", .kind = JSON_KIND_OBJECT, .fields = networks_fields},       \
		{.name = "mtu", .kind = JSON_KIND_INTEGER},                              \
		{.name = "dns", .kind = JSON_KIND_OBJECT, .fields = dns_fields},         \
		{.name = "routing", .kind = JSON_KIND_OBJECT, .fields = routing_fields}, \
		{.name = "access", .kind = JSON_KIND_OBJECT, .fields = access_fields},   \
		{.name = "openvpn", .kind = JSON_KIND_OBJECT, .fields = openvpn_fields}, \
	{                                                                                \
		.name = "labels", .kind = JSON_KIND_STRING_MAP                           \
	}

const struct json_field instance_create_fields[] = {
	{.name = "name", .kind = JSON_KIND_STRING, .required = true},
	{.name = "hostname", .kind = JSON_KIND_STRING, .required = true},
	{.name = "region", .kind = JSON_KIND_STRING, .required = true},
	CHANGEABLE,
	{0},
};

const struct json_field instance_patch_fields[] = {
	{.name = "name", .kind = JSON_KIND_STRING},
	CHANGEABLE,
	{0},
};

static bool find_instance(struct request *rq, struct instance *ret, int *ret_rc)
{
	struct uuid id;
	*ret_rc = 0;
	if (!request_uuid(rq, 0, &id))
		return false;
	*ret_rc = instance_find(rq->api->store, &id, ret);
	return *ret_rc == 0;
}

struct listing {
	struct page page;
	const char *state; /* NULL: any */
};

static int add_instance(void *ctx, const struct instance *i)
{
	struct listing *l = ctx;
	char id[UUID_TEXT];
	if (l->state != NULL && strcmp(instance_state_text(i->state), l->state) != 0)
		return 0;
	if (!page_wants(&l->page))
		return 1;
	return page_add(&l->page, instance_json(l->page.rq->api, i), uuid_format(&i->id, id));
}

int instances_list(struct request *rq)
{
	static const char *const states[] = {
		"provisioning", "ready", "degraded", "failed", "deleting", NULL};
	struct listing l = {0};
	if (!target_choice(&rq->target, "state", states, &l.state, &rq->rs)
		|| !page_begin(&l.page, rq))
		return 0;
	struct instance_filter filter = {
		.name = target_param(&rq->target, "name"),
		.hostname = target_param(&rq->target, "hostname"),
		.label_key = l.page.label_key,
		.label_value = l.page.label_value,
		.id = rq->who.has_instance ? &rq->who.instance : NULL,
		.after = page_after(&l.page),
	};
	return page_end(&l.page, instance_list(rq->api->store, &filter, add_instance, &l));
}

int instance_create(struct request *rq)
{
	struct instance i;
	struct model_errors errors = {0};
	char location[64], id[UUID_TEXT];
	instance_init(&i);
	(void)value_read_text(json_object_get(rq->json, "hostname"), "/hostname", i.hostname,
		sizeof(i.hostname), &errors);
	(void)value_read_text(json_object_get(rq->json, "region"), "/region", i.region,
		sizeof(i.region), &errors);
	instance_read(&i, rq->json, &errors);
	if (control_config_region(rq->api->config, i.region) == NULL)
		model_error_add(&errors, "/region", "there is no such region");
	int rc = instance_add(rq->api->store, &i, &rq->api->config->inner_pool, &errors);
	if (rc == 0) {
		(void)snprintf(
			location, sizeof(location), "/v1/instances/%s", uuid_format(&i.id, id));
		outcome_created(rq, 202, instance_json(rq->api, &i), i.version, location);
	}
	instance_fini(&i);
	return outcome_checked(rq, rc, &errors);
}

int instance_get(struct request *rq)
{
	struct instance i;
	int rc;
	if (!find_instance(rq, &i, &rc))
		return rc;
	outcome_object(rq, 200, instance_json(rq->api, &i), i.version);
	instance_fini(&i);
	return 0;
}

/* A merge patch is made on what a GET shows, and the result is read like a new one. */
static int patch(struct request *rq, struct instance *i)
{
	struct model_errors errors = {0};
	json_t *whole = instance_json(rq->api, i);
	int rc = whole != NULL ? json_merge(whole, rq->json) : -ENOMEM;
	if (rc == 0) {
		instance_read(i, whole, &errors);
		rc = instance_set(rq->api->store, i, &errors);
	}
	json_decref(whole);
	if (rc == 0)
		outcome_object(rq, 200, instance_json(rq->api, i), i->version);
	return outcome_checked(rq, rc, &errors);
}

static bool is_living(struct request *rq, const struct instance *i)
{
	if (i->state != INSTANCE_DELETING)
		return true;
	problem_set(&rq->rs, PROBLEM_CONFLICT, "The instance is being deleted.");
	return false;
}

int instance_patch(struct request *rq)
{
	struct instance i;
	int rc;
	if (!find_instance(rq, &i, &rc))
		return rc;
	if (outcome_matches(rq, i.version) && is_living(rq, &i))
		rc = patch(rq, &i);
	instance_fini(&i);
	return rc;
}

int instance_delete(struct request *rq)
{
	struct instance i;
	int rc;
	if (!find_instance(rq, &i, &rc))
		return rc;
	if (outcome_matches(rq, i.version)) {
		rc = instance_del(rq->api->store, &i);
		/* 202: its hub has yet to confirm; 204: there was nothing on any hub */
		if (rc == 0 && i.state == INSTANCE_DELETING)
			outcome_object(rq, 202, instance_json(rq->api, &i), i.version);
		else if (rc == 0)
			outcome_nothing(rq);
	}
	instance_fini(&i);
	return rc;
}

int instance_provision_again(struct request *rq)
{
	struct instance i;
	int rc;
	if (!find_instance(rq, &i, &rc))
		return rc;
	if (is_living(rq, &i)) {
		rc = instance_retry(rq->api->store, &i);
		if (rc == 0)
			outcome_object(rq, 202, instance_json(rq->api, &i), i.version);
	}
	instance_fini(&i);
	return rc;
}

const struct json_field instance_move_fields[] = {
	{.name = "hub_id", .kind = JSON_KIND_STRING, .required = true},
	{0},
};

static int move_to(struct request *rq, struct instance *i, const struct hub *h)
{
	if (uuid_is_zero(&i->hub_id) || key_is_zero(&i->public_key) || !h->is_enrolled) {
		problem_set(&rq->rs, PROBLEM_CONFLICT,
			h->is_enrolled
				? "The instance is on no hub yet. Look at its conditions."
				: "That hub has not come in yet; give its nave-node an enrol token.");
		return 0;
	}
	int rc = uuid_equal(&i->hub_id, &h->id) ? 0 : instance_move(rq->api->store, i, h);
	if (rc == -EEXIST) {
		problem_set(&rq->rs, PROBLEM_CONFLICT,
			"A port of this instance is taken on hub %s; profiles name it, so it cannot change.",
			h->name);
		return 0;
	}
	if (rc == 0)
		outcome_object(rq, 202, instance_json(rq->api, i), i->version);
	return rc;
}

int instance_move_hub(struct request *rq)
{
	struct instance i;
	struct model_errors errors = {0};
	struct uuid id = {0};
	struct hub h;
	int rc;
	if (!find_instance(rq, &i, &rc))
		return rc;
	if (is_living(rq, &i)) {
		rc = uuid_parse(json_text(rq->json, "hub_id", ""), &id) == 0
			? hub_find(rq->api->store, &id, &h)
			: -ENOENT;
		if (rc == -ENOENT) {
			model_error_add(&errors, "/hub_id", "there is no such hub");
			outcome_refused(rq, &errors);
			rc = 0;
		} else if (rc == 0) {
			rc = move_to(rq, &i, &h);
			hub_fini(&h);
		}
	}
	instance_fini(&i);
	return rc;
}
