// SPDX-License-Identifier: Apache-2.0
/* Users and sites: their routes differ in names only, so each handler here says which it is for. */
#include "control/store/party.h"

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

const struct json_field user_create_fields[] = {
	{.name = "name", .kind = JSON_KIND_STRING, .required = true},
	{.name = "email", .kind = JSON_KIND_STRING, .nullable = true},
	{.name = "labels", .kind = JSON_KIND_STRING_MAP},
	{0},
};

const struct json_field user_patch_fields[] = {
	{.name = "name", .kind = JSON_KIND_STRING},
	{.name = "email", .kind = JSON_KIND_STRING, .nullable = true},
	{.name = "labels", .kind = JSON_KIND_STRING_MAP},
	{0},
};

const struct json_field site_create_fields[] = {
	{.name = "name", .kind = JSON_KIND_STRING, .required = true},
	{.name = "labels", .kind = JSON_KIND_STRING_MAP},
	{0},
};

const struct json_field site_patch_fields[] = {
	{.name = "name", .kind = JSON_KIND_STRING},
	{.name = "labels", .kind = JSON_KIND_STRING_MAP},
	{0},
};

static json_t *party_json(enum party_kind kind, const struct party *p)
{
	json_t *j = json_pack("{s:o, s:s, s:O, s:o}", "id", value_uuid(&p->id), "name", p->name,
		"labels", p->labels, "created_at", value_time(p->created_at));
	if (j == NULL || kind == PARTY_SITE)
		return j;
	(void)json_object_set_new(j, "email", value_text(p->email));
	(void)json_object_set_new(
		j, "state", json_string(p->is_suspended ? "suspended" : "active"));
	return j;
}

static void read_party(
	enum party_kind kind, struct party *p, const json_t *json, struct model_errors *errors)
{
	json_t *labels = json_object_get(json, "labels");
	(void)value_read_text(
		json_object_get(json, "name"), "/name", p->name, sizeof(p->name), errors);
	if (kind == PARTY_USER)
		(void)value_read_text(json_object_get(json, "email"), "/email", p->email,
			sizeof(p->email), errors);
	json_decref(p->labels);
	p->labels = labels != NULL ? json_deep_copy(labels) : json_object();
}

static bool find_party(struct request *rq, enum party_kind kind, struct party *ret, int *ret_rc)
{
	struct uuid id;
	*ret_rc = 0;
	if (!request_uuid(rq, 0, &id))
		return false;
	*ret_rc = party_find(rq->api->store, kind, &id, ret);
	return *ret_rc == 0;
}

struct listing {
	struct page page;
	enum party_kind kind;
};

static int add_party(void *ctx, const struct party *p)
{
	struct listing *l = ctx;
	char id[UUID_TEXT];
	if (!page_wants(&l->page))
		return 1;
	return page_add(&l->page, party_json(l->kind, p), uuid_format(&p->id, id));
}

static int list_parties(struct request *rq, enum party_kind kind)
{
	struct listing l = {.kind = kind};
	if (!page_begin(&l.page, rq))
		return 0;
	struct party_filter filter = {
		.name = target_param(&rq->target, "name"),
		.label_key = l.page.label_key,
		.label_value = l.page.label_value,
		.after = page_after(&l.page),
	};
	l.kind = kind;
	return page_end(&l.page, party_list(rq->api->store, kind, &filter, add_party, &l));
}

static int create_party(struct request *rq, enum party_kind kind)
{
	struct party p = {0};
	struct model_errors errors = {0};
	char location[64], id[UUID_TEXT];
	read_party(kind, &p, rq->json, &errors);
	int rc = party_add(rq->api->store, kind, &p, &errors);
	if (rc == 0) {
		(void)snprintf(location, sizeof(location), "/v1/%s/%s",
			kind == PARTY_USER ? "users" : "sites", uuid_format(&p.id, id));
		outcome_created(rq, 201, party_json(kind, &p), p.version, location);
	}
	party_fini(&p);
	return outcome_checked(rq, rc, &errors);
}

static int get_party(struct request *rq, enum party_kind kind)
{
	struct party p;
	int rc;
	if (!find_party(rq, kind, &p, &rc))
		return rc;
	outcome_object(rq, 200, party_json(kind, &p), p.version);
	party_fini(&p);
	return 0;
}

static int merge_party(struct request *rq, enum party_kind kind, struct party *p)
{
	struct model_errors errors = {0};
	json_t *whole = party_json(kind, p);
	int rc = whole != NULL ? json_merge(whole, rq->json) : -ENOMEM;
	if (rc == 0) {
		read_party(kind, p, whole, &errors);
		rc = party_set(rq->api->store, kind, p, &errors);
	}
	json_decref(whole);
	if (rc == 0)
		outcome_object(rq, 200, party_json(kind, p), p->version);
	return outcome_checked(rq, rc, &errors);
}

static int patch_party(struct request *rq, enum party_kind kind)
{
	struct party p;
	int rc;
	if (!find_party(rq, kind, &p, &rc))
		return rc;
	if (outcome_matches(rq, p.version))
		rc = merge_party(rq, kind, &p);
	party_fini(&p);
	return rc;
}

static int delete_party(struct request *rq, enum party_kind kind)
{
	struct party p;
	int rc;
	if (!find_party(rq, kind, &p, &rc))
		return rc;
	if (outcome_matches(rq, p.version)) {
		rc = party_del(rq->api->store, kind, &p);
		if (rc == 0)
			outcome_nothing(rq);
	}
	party_fini(&p);
	return rc;
}

static int suspend_user(struct request *rq, bool is_suspended)
{
	struct party p;
	int rc;
	if (!find_party(rq, PARTY_USER, &p, &rc))
		return rc;
	rc = user_set_suspended(rq->api->store, &p, is_suspended);
	if (rc == 0)
		outcome_object(rq, 200, party_json(PARTY_USER, &p), p.version);
	party_fini(&p);
	return rc;
}

int users_list(struct request *rq)
{
	return list_parties(rq, PARTY_USER);
}

int user_create(struct request *rq)
{
	return create_party(rq, PARTY_USER);
}

int user_get(struct request *rq)
{
	return get_party(rq, PARTY_USER);
}

int user_patch(struct request *rq)
{
	return patch_party(rq, PARTY_USER);
}

int user_delete(struct request *rq)
{
	return delete_party(rq, PARTY_USER);
}

int user_suspend(struct request *rq)
{
	return suspend_user(rq, true);
}

int user_resume(struct request *rq)
{
	return suspend_user(rq, false);
}

int sites_list(struct request *rq)
{
	return list_parties(rq, PARTY_SITE);
}

int site_create(struct request *rq)
{
	return create_party(rq, PARTY_SITE);
}

int site_get(struct request *rq)
{
	return get_party(rq, PARTY_SITE);
}

int site_patch(struct request *rq)
{
	return patch_party(rq, PARTY_SITE);
}

int site_delete(struct request *rq)
{
	return delete_party(rq, PARTY_SITE);
}
