// SPDX-License-Identifier: Apache-2.0
#include "control/store/api_key.h"

#include "control/http/api_internal.h"
#include "control/http/json.h"
#include "control/http/outcome.h"
#include "control/http/page.h"
#include "control/http/request.h"
#include "control/http/resources.h"
#include "control/http/value.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

const struct json_field api_key_create_fields[] = {
	{.name = "name", .kind = JSON_KIND_STRING, .required = true},
	{.name = "role", .kind = JSON_KIND_STRING, .required = true},
	{.name = "instance_id", .kind = JSON_KIND_STRING, .nullable = true},
	{.name = "expires_at", .kind = JSON_KIND_STRING, .nullable = true},
	{.name = "labels", .kind = JSON_KIND_STRING_MAP},
	{0},
};

static json_t *key_json(const struct api_key *k)
{
	return json_pack("{s:o, s:s, s:s, s:o, s:O, s:o, s:o, s:o}", "id", value_uuid(&k->id),
		"name", k->name, "role", api_key_role_text(k->role), "instance_id",
		value_uuid(&k->instance_id), "labels", k->labels, "created_at",
		value_time(k->created_at), "expires_at", value_time(k->expires_at), "last_used_at",
		value_time(k->last_used_at));
}

static int add_key(void *ctx, const struct api_key *k)
{
	struct page *page = ctx;
	char id[UUID_TEXT];
	if (!page_wants(page))
		return 1;
	return page_add(page, key_json(k), uuid_format(&k->id, id));
}

int api_keys_list(struct request *rq)
{
	struct page page;
	if (!page_begin(&page, rq))
		return 0;
	struct api_key_filter filter = {
		.name = target_param(&rq->target, "name"),
		.label_key = page.label_key,
		.label_value = page.label_value,
		.after = page_after(&page),
	};
	return page_end(&page, api_key_list(rq->api->store, &filter, add_key, &page));
}

static void read_role(struct api_key *k, const json_t *json, struct model_errors *errors)
{
	const char *text = json_text(json, "role", "");
	for (int role = API_KEY_VIEWER; role <= API_KEY_OWNER; role++) {
		if (strcmp(api_key_role_text((enum api_key_role)role), text) == 0) {
			k->role = (enum api_key_role)role;
			return;
		}
	}
	model_error_add(errors, "/role", "must be \"viewer\", \"operator\" or \"owner\"");
}

static void read_key(
	struct api_key *k, const json_t *json, int64_t now, struct model_errors *errors)
{
	json_t *labels = json_object_get(json, "labels");
	const json_t *expires = json_object_get(json, "expires_at");
	read_role(k, json, errors);
	(void)value_read_text(
		json_object_get(json, "name"), "/name", k->name, sizeof(k->name), errors);
	(void)value_read_uuid(
		json_object_get(json, "instance_id"), "/instance_id", &k->instance_id, errors);
	/* absent: a quarter of a year; null: never */
	k->expires_at = now + API_KEY_LIFE_S;
	if (expires != NULL)
		(void)value_read_time(expires, "/expires_at", &k->expires_at, errors);
	k->labels = labels != NULL ? json_deep_copy(labels) : json_object();
}

int api_key_create(struct request *rq)
{
	struct api_key k = {0};
	struct model_errors errors = {0};
	char location[64], id[UUID_TEXT], token[API_KEY_TEXT];
	read_key(&k, rq->json, store_now(rq->api->store), &errors);
	int rc = api_key_add(rq->api->store, &k, token, &errors);
	if (rc == 0) {
		json_t *j = key_json(&k);
		(void)json_object_set_new(j, "key", json_string(token));
		(void)snprintf(
			location, sizeof(location), "/v1/api-keys/%s", uuid_format(&k.id, id));
		outcome_created(rq, 201, j, k.version, location);
	}
	explicit_bzero(token, sizeof(token));
	api_key_fini(&k);
	return outcome_checked(rq, rc, &errors);
}

static bool find_key(struct request *rq, struct api_key *ret, int *ret_rc)
{
	struct uuid id;
	*ret_rc = 0;
	if (!request_uuid(rq, 0, &id))
		return false;
	*ret_rc = api_key_find(rq->api->store, &id, ret);
	return *ret_rc == 0;
}

int api_key_get(struct request *rq)
{
	struct api_key k;
	int rc;
	if (!find_key(rq, &k, &rc))
		return rc;
	outcome_object(rq, 200, key_json(&k), k.version);
	api_key_fini(&k);
	return 0;
}

int api_key_delete(struct request *rq)
{
	struct api_key k;
	int rc;
	if (!find_key(rq, &k, &rc))
		return rc;
	if (outcome_matches(rq, k.version)) {
		rc = api_key_del(rq->api->store, &k);
		if (rc == 0)
			outcome_nothing(rq);
	}
	api_key_fini(&k);
	return rc;
}
