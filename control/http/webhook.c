// SPDX-License-Identifier: Apache-2.0
#include "control/store/webhook.h"

#include "control/http/api_internal.h"
#include "control/http/json.h"
#include "control/http/outcome.h"
#include "control/http/page.h"
#include "control/http/request.h"
#include "control/http/resources.h"
#include "control/http/value.h"
#include "control/webhook/target.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHANGEABLE                                              \
	{.name = "types", .kind = JSON_KIND_STRINGS},           \
		{.name = "enabled", .kind = JSON_KIND_BOOLEAN}, \
	{                                                       \
		.name = "labels", .kind = JSON_KIND_STRING_MAP  \
	}

const struct json_field webhook_create_fields[] = {
	{.name = "name", .kind = JSON_KIND_STRING, .required = true},
	{.name = "url", .kind = JSON_KIND_STRING, .required = true},
	CHANGEABLE,
	{0},
};

const struct json_field webhook_patch_fields[] = {
	{.name = "name", .kind = JSON_KIND_STRING},
	{.name = "url", .kind = JSON_KIND_STRING},
	CHANGEABLE,
	{0},
};

static json_t *failure_json(const struct webhook *w)
{
	return w->failed_at == 0
		? json_null()
		: json_pack("{s:s, s:o}", "reason", w->failure, "at", value_time(w->failed_at));
}

static json_t *webhook_json(const struct webhook *w)
{
	return json_pack("{s:o, s:s, s:s, s:O, s:b, s:O, s:o, s:o, s:I, s:I, s:o}", "id",
		value_uuid(&w->id), "name", w->name, "url", w->url, "types", w->types, "enabled",
		(int)w->is_enabled, "labels", w->labels, "last_delivered_at",
		value_time(w->delivered_at), "last_failure", failure_json(w), "pending",
		(json_int_t)w->pending, "dead", (json_int_t)w->dead, "created_at",
		value_time(w->created_at));
}

static int add_webhook(void *ctx, const struct webhook *w)
{
	struct page *page = ctx;
	char id[UUID_TEXT];
	if (!page_wants(page))
		return 1;
	return page_add(page, webhook_json(w), uuid_format(&w->id, id));
}

int webhooks_list(struct request *rq)
{
	struct page page;
	if (!page_begin(&page, rq))
		return 0;
	struct webhook_filter filter = {
		.name = target_param(&rq->target, "name"),
		.label_key = page.label_key,
		.label_value = page.label_value,
		.after = page_after(&page),
	};
	return page_end(&page, webhook_list(rq->api->store, &filter, add_webhook, &page));
}

static json_t *copy_or(const json_t *json, const char *name, json_t *otherwise)
{
	json_t *value = json_object_get(json, name);
	if (value == NULL || json_is_null(value))
		return otherwise;
	json_decref(otherwise);
	return json_deep_copy(value);
}

static void read_webhook(
	struct request *rq, struct webhook *w, const json_t *json, struct model_errors *errors)
{
	(void)value_read_text(
		json_object_get(json, "name"), "/name", w->name, sizeof(w->name), errors);
	if (value_read_text(json_object_get(json, "url"), "/url", w->url, sizeof(w->url), errors))
		webhook_url_check(rq->api->config, w->url, errors);
	w->is_enabled = json_flag(json, "enabled", true);
	json_decref(w->types);
	json_decref(w->labels);
	w->types = copy_or(json, "types", json_array());
	w->labels = copy_or(json, "labels", json_object());
}

int webhook_create(struct request *rq)
{
	struct webhook w = {0};
	struct model_errors errors = {0};
	char location[64], id[UUID_TEXT], secret[WEBHOOK_SECRET_TEXT] = "";
	read_webhook(rq, &w, rq->json, &errors);
	int rc = webhook_add(rq->api->store, &w, secret, &errors);
	if (rc == 0) {
		json_t *j = webhook_json(&w);
		(void)json_object_set_new(j, "secret", json_string(secret));
		(void)snprintf(
			location, sizeof(location), "/v1/webhooks/%s", uuid_format(&w.id, id));
		outcome_created(rq, 201, j, w.version, location);
	}
	explicit_bzero(secret, sizeof(secret));
	webhook_fini(&w);
	return outcome_checked(rq, rc, &errors);
}

static bool find_webhook(struct request *rq, struct webhook *ret, int *ret_rc)
{
	struct uuid id;
	*ret_rc = 0;
	if (!request_uuid(rq, 0, &id))
		return false;
	*ret_rc = webhook_find(rq->api->store, &id, ret);
	return *ret_rc == 0;
}

int webhook_get(struct request *rq)
{
	struct webhook w;
	int rc;
	if (!find_webhook(rq, &w, &rc))
		return rc;
	outcome_object(rq, 200, webhook_json(&w), w.version);
	webhook_fini(&w);
	return 0;
}

static int merge_webhook(struct request *rq, struct webhook *w)
{
	struct model_errors errors = {0};
	json_t *whole = webhook_json(w);
	int rc = whole != NULL ? json_merge(whole, rq->json) : -ENOMEM;
	if (rc == 0) {
		read_webhook(rq, w, whole, &errors);
		rc = webhook_set(rq->api->store, w, &errors);
	}
	json_decref(whole);
	if (rc == 0)
		outcome_object(rq, 200, webhook_json(w), w->version);
	return outcome_checked(rq, rc, &errors);
}

int webhook_patch(struct request *rq)
{
	struct webhook w;
	int rc;
	if (!find_webhook(rq, &w, &rc))
		return rc;
	if (outcome_matches(rq, w.version))
		rc = merge_webhook(rq, &w);
	webhook_fini(&w);
	return rc;
}

int webhook_delete(struct request *rq)
{
	struct webhook w;
	int rc;
	if (!find_webhook(rq, &w, &rc))
		return rc;
	if (outcome_matches(rq, w.version)) {
		rc = webhook_del(rq->api->store, &w);
		if (rc == 0)
			outcome_nothing(rq);
	}
	webhook_fini(&w);
	return rc;
}

static json_t *delivery_json(const struct delivery *d)
{
	return json_pack("{s:o, s:I, s:s, s:s, s:I, s:o, s:o, s:o}", "id", value_uuid(&d->id),
		"event_id", (json_int_t)d->event_seq, "type", d->type, "state",
		d->is_dead ? "dead" : "pending", "attempts", (json_int_t)d->attempts, "next_at",
		value_time(d->is_dead ? 0 : d->next_at), "last_failure", value_text(d->failure),
		"created_at", value_time(d->created_at));
}

static int add_delivery(void *ctx, const struct delivery *d)
{
	struct page *page = ctx;
	char position[32];
	if (!page_wants(page))
		return 1;
	(void)snprintf(position, sizeof(position), "%lld", (long long)d->seq);
	return page_add(page, delivery_json(d), position);
}

int deliveries_list(struct request *rq)
{
	static const char *const states[] = {"pending", "dead", NULL};
	struct webhook w;
	struct page page;
	const char *state;
	int rc;
	if (!find_webhook(rq, &w, &rc))
		return rc;
	if (target_choice(&rq->target, "state", states, &state, &rq->rs) && page_begin(&page, rq)) {
		int64_t after = strtoll(page.position, NULL, 10);
		int dead = state == NULL ? -1 : strcmp(state, "dead") == 0;
		rc = page_end(&page,
			delivery_list(rq->api->store, &w.id, dead, after, add_delivery, &page));
	}
	webhook_fini(&w);
	return rc;
}

int delivery_redeliver(struct request *rq)
{
	struct webhook w;
	struct delivery d;
	struct uuid id;
	int rc = 0;
	if (!request_uuid(rq, 1, &id) || !find_webhook(rq, &w, &rc))
		return rc;
	rc = delivery_find(rq->api->store, &w.id, &id, &d);
	if (rc == 0)
		rc = delivery_again(rq->api->store, &w, &d);
	if (rc == 0)
		response_json(&rq->rs, 202, delivery_json(&d));
	webhook_fini(&w);
	return rc;
}
