// SPDX-License-Identifier: Apache-2.0
#include "control/store/hub.h"

#include "control/http/api_internal.h"
#include "control/http/outcome.h"
#include "control/http/page.h"
#include "control/http/problem.h"
#include "control/http/request.h"
#include "control/http/resources.h"
#include "control/http/value.h"
#include "control/model/name.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static json_t *hub_json(const struct request *rq, const struct hub *h)
{
	json_t *addresses = json_array();
	for (size_t i = 0; i < h->address_count; i++) {
		char text[IP_ADDR_TEXT];
		(void)json_array_append_new(
			addresses, json_string(ip_addr_format(&h->addresses[i], text)));
	}
	return json_pack("{s:o, s:s, s:s, s:b, s:b, s:o, s:o, s:o, s:{s:b, s:b}, s:o}", "id",
		value_uuid(&h->id), "name", h->name, "region", h->region, "enrolled",
		(int)h->is_enrolled, "connected",
		(int)hub_is_connected(h, store_now(rq->api->store)), "last_seen_at",
		value_time(h->last_report_at), "version", value_text(h->version), "addresses",
		addresses, "egress", "ipv4", (int)h->egress_v4, "ipv6", (int)h->egress_v6,
		"created_at", value_time(h->created_at));
}

static int add_hub(void *ctx, const struct hub *h)
{
	struct page *page = ctx;
	char id[UUID_TEXT];
	if (!page_wants(page))
		return 1;
	return page_add(page, hub_json(page->rq, h), uuid_format(&h->id, id));
}

int hubs_list(struct request *rq)
{
	struct page page;
	if (!page_begin(&page, rq))
		return 0;
	struct uuid after = page_after(&page);
	return page_end(&page, hub_list(rq->api->store, &after, add_hub, &page));
}

static bool find_hub(struct request *rq, struct hub *ret, int *ret_rc)
{
	struct uuid id;
	*ret_rc = 0;
	if (!request_uuid(rq, 0, &id))
		return false;
	*ret_rc = hub_find(rq->api->store, &id, ret);
	return *ret_rc == 0;
}

/* It changes with every report, so it has no tag that would mean anything. */
int hub_get(struct request *rq)
{
	struct hub h;
	int rc;
	if (!find_hub(rq, &h, &rc))
		return rc;
	response_json(&rq->rs, 200, hub_json(rq, &h));
	hub_fini(&h);
	return 0;
}

const struct json_field hub_create_fields[] = {
	{.name = "name", .kind = JSON_KIND_STRING, .required = true},
	{.name = "region", .kind = JSON_KIND_STRING, .required = true},
	{0},
};

static void answer_created(struct request *rq, const struct uuid *id)
{
	struct hub h;
	char location[64], text[UUID_TEXT];
	if (hub_find(rq->api->store, id, &h) < 0)
		return;
	(void)snprintf(location, sizeof(location), "/v1/hubs/%s", uuid_format(id, text));
	response_json(&rq->rs, 201, hub_json(rq, &h));
	response_header(&rq->rs, "Location", location);
	hub_fini(&h);
}

bool hub_words(struct request *rq, const char **ret_name, const char **ret_region)
{
	struct model_errors errors = {0};
	*ret_name = json_text(rq->json, "name", "");
	*ret_region = json_text(rq->json, "region", "");
	name_check(*ret_name, "/name", &errors);
	if (control_config_region(rq->api->config, *ret_region) == NULL)
		model_error_add(&errors, "/region", "there is no such region in control.conf");
	if (errors.count > 0)
		outcome_refused(rq, &errors);
	return errors.count == 0;
}

int hub_create(struct request *rq)
{
	const char *name, *region;
	struct uuid id;
	if (!hub_words(rq, &name, &region))
		return 0;
	int rc = hub_add(rq->api->store, name, region, &id);
	if (rc == -EEXIST) {
		problem_set(&rq->rs, PROBLEM_CONFLICT, "Another hub has this name.");
		return 0;
	}
	if (rc == 0)
		answer_created(rq, &id);
	return rc;
}

int hub_delete(struct request *rq)
{
	struct hub h;
	int rc;
	if (!find_hub(rq, &h, &rc))
		return rc;
	rc = hub_del(rq->api->store, &h);
	hub_fini(&h);
	if (rc == -EBUSY) {
		problem_set(
			&rq->rs, PROBLEM_CONFLICT, "Instances are on this hub; delete them first.");
		return 0;
	}
	if (rc == 0)
		outcome_nothing(rq);
	return rc;
}

int hub_enrol_token_create(struct request *rq)
{
	char token[HUB_TOKEN_TEXT];
	struct hub h;
	int rc;
	if (!find_hub(rq, &h, &rc))
		return rc;
	rc = hub_make_enrol_token(rq->api->store, &h, token);
	hub_fini(&h);
	if (rc == 0)
		response_json(&rq->rs, 201,
			json_pack("{s:s, s:o}", "token", token, "expires_at",
				value_time(store_now(rq->api->store) + HUB_ENROL_S)));
	explicit_bzero(token, sizeof(token));
	return rc;
}
