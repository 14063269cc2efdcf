// SPDX-License-Identifier: Apache-2.0
/* Share links as operators make and revoke them. What a person does with one is in share_visit.c. */
#include "control/store/share_link.h"

#include "control/http/api_internal.h"
#include "control/http/json.h"
#include "control/http/outcome.h"
#include "control/http/page.h"
#include "control/http/peer_json.h"
#include "control/http/problem.h"
#include "control/http/profile_make.h"
#include "control/http/request.h"
#include "control/http/resources.h"
#include "control/http/value.h"
#include "control/store/instance.h"
#include "control/store/peer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

const struct json_field share_link_create_fields[] = {
	{.name = "expires_in", .kind = JSON_KIND_INTEGER},
	{.name = "expires_at", .kind = JSON_KIND_STRING},
	{0},
};

static json_t *link_json(struct request *rq, const struct share_link *l)
{
	enum share_link_state state = share_link_state_at(l, store_now(rq->api->store));
	return json_pack("{s:o, s:o, s:s, s:o, s:o, s:o, s:o}", "id", value_uuid(&l->id), "peer_id",
		value_uuid(&l->peer_id), "state", share_link_state_text(state), "created_at",
		value_time(l->created_at), "expires_at", value_time(l->expires_at), "opened_at",
		value_time(l->opened_at), "revealed_at", value_time(l->revealed_at));
}

/* The peer of the path and its link. true: peer_fini is due. */
static bool find_link(struct request *rq, struct peer *p, struct share_link *ret, int *ret_rc)
{
	struct uuid id;
	if (!peer_of_path(rq, p, ret_rc))
		return false;
	if (request_uuid(rq, 2, &id))
		*ret_rc = share_link_find(rq->api->store, &p->id, &id, ret);
	if (*ret_rc == 0 && !rq->rs.is_problem)
		return true;
	peer_fini(p);
	return false;
}

static int add_link(void *ctx, const struct share_link *l)
{
	struct page *page = ctx;
	char id[UUID_TEXT];
	if (!page_wants(page))
		return 1;
	return page_add(page, link_json(page->rq, l), uuid_format(&l->id, id));
}

int share_links_list(struct request *rq)
{
	struct page page;
	struct peer p;
	int rc;
	if (!peer_of_path(rq, &p, &rc))
		return rc;
	if (page_begin(&page, rq)) {
		struct uuid after = page_after(&page);
		rc = page_end(
			&page, share_link_list(rq->api->store, &p.id, &after, add_link, &page));
	}
	peer_fini(&p);
	return rc;
}

/* By one of two members; returned is a pointer to the one that said it. */
static const char *read_end(struct request *rq, struct share_link *l, struct model_errors *errors)
{
	const json_t *in = json_object_get(rq->json, "expires_in");
	const json_t *at = json_object_get(rq->json, "expires_at");
	int64_t now = store_now(rq->api->store);
	l->expires_at = now + SHARE_LINK_LIFE_S;
	if (in != NULL && at != NULL)
		model_error_add(errors, "/expires_at", "and expires_in exclude each other");
	else if (at != NULL)
		(void)value_read_time(at, "/expires_at", &l->expires_at, errors);
	else if (in != NULL) {
		json_int_t life = json_integer_value(in);
		bool fits = life >= 0 && life <= SHARE_LINK_LIFE_MAX_S;
		l->expires_at = fits ? now + life : now; /* refused by its check */
	}
	return at != NULL ? "/expires_at" : "/expires_in";
}

/* The link is this once an address that somebody can open. */
static void answer_created(
	struct request *rq, const struct peer *p, const struct share_link *l, const char *token)
{
	char location[192], instance[UUID_TEXT], peer[UUID_TEXT], id[UUID_TEXT];
	char url[CONFIG_URL_TEXT + SHARE_LINK_TOKEN_TEXT + 4];
	json_t *j = link_json(rq, l);
	(void)snprintf(url, sizeof(url), "%s/p/%s", rq->api->config->public_url, token);
	(void)json_object_set_new(j, "url", json_string(url));
	(void)snprintf(location, sizeof(location), "/v1/instances/%s/peers/%s/share-links/%s",
		uuid_format(&p->instance_id, instance), uuid_format(&p->id, peer),
		uuid_format(&l->id, id));
	outcome_created(rq, 201, j, l->version, location);
	explicit_bzero(url, sizeof(url));
}

static int create(struct request *rq, const struct peer *p)
{
	struct model_errors errors = {0};
	struct share_link l = {0};
	char token[SHARE_LINK_TOKEN_TEXT] = "";
	const char *pointer = read_end(rq, &l, &errors);
	int rc = share_link_add(rq->api->store, p, &l, pointer, token, &errors);
	if (rc == 0)
		answer_created(rq, p, &l, token);
	explicit_bzero(token, sizeof(token));
	return outcome_checked(rq, rc, &errors);
}

int share_link_create(struct request *rq)
{
	struct instance i;
	struct peer p;
	int rc;
	if (!peer_of_path(rq, &p, &rc))
		return rc;
	rc = instance_find(rq->api->store, &p.instance_id, &i);
	if (rc == 0) {
		if (i.state == INSTANCE_DELETING)
			problem_set(&rq->rs, PROBLEM_CONFLICT, "The instance is being deleted.");
		else if (!profile_is_unrevealed(&i, &p))
			problem_set(&rq->rs, PROBLEM_CONFLICT,
				"There is nothing to share: the private key was revealed before, or is"
				" forgotten. Make a new peer.");
		else
			rc = create(rq, &p);
		instance_fini(&i);
	}
	peer_fini(&p);
	return rc;
}

int share_link_get(struct request *rq)
{
	struct share_link l = {0};
	struct peer p;
	int rc;
	if (!find_link(rq, &p, &l, &rc))
		return rc;
	outcome_object(rq, 200, link_json(rq, &l), l.version);
	peer_fini(&p);
	return 0;
}

int share_link_delete(struct request *rq)
{
	struct share_link l = {0};
	struct peer p;
	int rc;
	if (!find_link(rq, &p, &l, &rc))
		return rc;
	if (outcome_matches(rq, l.version)) {
		rc = share_link_del(rq->api->store, &p, &l);
		if (rc == 0)
			outcome_nothing(rq);
	}
	peer_fini(&p);
	return rc;
}
