// SPDX-License-Identifier: Apache-2.0
#include "control/store/peer.h"

#include "control/http/api_internal.h"
#include "control/http/json.h"
#include "control/http/outcome.h"
#include "control/http/page.h"
#include "control/http/peer_json.h"
#include "control/http/problem.h"
#include "control/http/request.h"
#include "control/http/resources.h"
#include "control/http/value.h"
#include "control/model/wireguard_key.h"
#include "control/store/instance.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define CHANGEABLE                                                                             \
	{.name = "site_id", .kind = JSON_KIND_STRING, .nullable = true},                       \
		{.name = "user_id", .kind = JSON_KIND_STRING, .nullable = true},               \
		{.name = "subnets", .kind = JSON_KIND_STRINGS},                                \
		{.name = "allow_broad_routes", .kind = JSON_KIND_BOOLEAN},                     \
		{.name = "route_all", .kind = JSON_KIND_BOOLEAN},                              \
		{.name = "allowed_destinations", .kind = JSON_KIND_STRINGS, .nullable = true}, \
		{.name = "keepalive", .kind = JSON_KIND_INTEGER},                              \
		{.name = "expires_at", .kind = JSON_KIND_STRING, .nullable = true},            \
	{                                                                                      \
		.name = "labels", .kind = JSON_KIND_STRING_MAP                                 \
	}

const struct json_field peer_create_fields[] = {
	{.name = "type", .kind = JSON_KIND_STRING, .required = true},
	{.name = "protocol", .kind = JSON_KIND_STRING},
	{.name = "name", .kind = JSON_KIND_STRING, .required = true},
	{.name = "public_key", .kind = JSON_KIND_STRING, .nullable = true},
	{.name = "username", .kind = JSON_KIND_STRING, .nullable = true},
	CHANGEABLE,
	{0},
};

const struct json_field peer_patch_fields[] = {
	{.name = "name", .kind = JSON_KIND_STRING},
	CHANGEABLE,
	{0},
};

/* The instance of the path, and where the path goes on, its peer. */
struct place {
	struct instance instance;
	struct peer peer;
	bool has_peer;
};

static void leave(struct place *at)
{
	if (at->has_peer)
		peer_fini(&at->peer);
	instance_fini(&at->instance);
}

static bool enter(struct request *rq, struct place *at, bool wants_peer, int *ret_rc)
{
	struct uuid instance, peer;
	*ret_rc = 0;
	memset(at, 0, sizeof(*at));
	if (!request_uuid(rq, 0, &instance) || (wants_peer && !request_uuid(rq, 1, &peer)))
		return false;
	*ret_rc = instance_find(rq->api->store, &instance, &at->instance);
	if (*ret_rc < 0)
		return false;
	if (!wants_peer)
		return true;
	*ret_rc = peer_find(rq->api->store, &instance, &peer, &at->peer);
	at->has_peer = *ret_rc == 0;
	if (!at->has_peer)
		leave(at);
	return at->has_peer;
}

/* As a GET shows it; NULL: the store failed, or there is no memory. */
static json_t *show(struct request *rq, const struct place *at)
{
	struct peer_view view;
	if (peer_view_init(&view, rq->api, &at->instance) < 0)
		return NULL;
	json_t *j = peer_json(&view, &at->peer);
	peer_view_fini(&view);
	return j;
}

static void answer(struct request *rq, unsigned int status, const struct place *at)
{
	outcome_object(rq, status, show(rq, at), at->peer.version);
}

struct listing {
	struct page page;
	struct peer_view view;
	const char *state; /* NULL: any; so below */
	const char *connected;
};

static int add_peer(void *ctx, const struct peer *p)
{
	struct listing *l = ctx;
	char id[UUID_TEXT];
	int64_t now = store_now(l->page.rq->api->store);
	const char *connected = peer_is_connected(p, now) ? "true" : "false";
	if (l->state != NULL && strcmp(peer_state_text(peer_state_at(p, now)), l->state) != 0)
		return 0;
	if (l->connected != NULL && strcmp(connected, l->connected) != 0)
		return 0;
	if (!page_wants(&l->page))
		return 1;
	return page_add(&l->page, peer_json(&l->view, p), uuid_format(&p->id, id));
}

/* A filter by an id: what is no id has no peers. */
static bool read_filter(
	struct request *rq, const char *name, struct uuid *storage, const struct uuid **ret)
{
	const char *text = target_param(&rq->target, name);
	if (text == NULL)
		return true;
	*ret = storage;
	if (uuid_parse(text, storage) == 0)
		return true;
	problem_set(&rq->rs, PROBLEM_MALFORMED_REQUEST, "%s must be a UUID.", name);
	return false;
}

static bool read_words(struct request *rq, struct listing *l)
{
	static const char *const states[] = {
		"pending", "active", "suspended", "expired", "deleting", NULL};
	static const char *const flags[] = {"true", "false", NULL};
	return target_choice(&rq->target, "state", states, &l->state, &rq->rs)
		&& target_choice(&rq->target, "connected", flags, &l->connected, &rq->rs);
}

int peers_list(struct request *rq)
{
	struct place at;
	struct listing l = {0};
	struct uuid user, site;
	struct peer_filter filter = {.name = target_param(&rq->target, "name")};
	int rc;
	if (!enter(rq, &at, false, &rc))
		return rc;
	if (read_words(rq, &l) && read_filter(rq, "user_id", &user, &filter.user_id)
		&& read_filter(rq, "site_id", &site, &filter.site_id) && page_begin(&l.page, rq)) {
		rc = peer_view_init(&l.view, rq->api, &at.instance);
		filter.instance_id = &at.instance.id;
		filter.label_key = l.page.label_key;
		filter.label_value = l.page.label_value;
		filter.after = page_after(&l.page);
		if (rc == 0)
			rc = peer_list(rq->api->store, &filter, add_peer, &l);
		rc = page_end(&l.page, rc);
		peer_view_fini(&l.view);
	}
	leave(&at);
	return rc;
}

static void read_kind(struct peer *p, const json_t *json, struct model_errors *errors)
{
	const char *type = json_text(json, "type", "");
	const char *protocol = json_text(json, "protocol", "wireguard");
	p->type = strcmp(type, "site") == 0 ? PEER_SITE : PEER_CLIENT;
	if (p->type == PEER_CLIENT && strcmp(type, "client") != 0)
		model_error_add(errors, "/type", "must be \"site\" or \"client\"");
	p->protocol = strcmp(protocol, "any") == 0 ? PROTOCOL_ANY
		: strcmp(protocol, "openvpn") == 0 ? PROTOCOL_OPENVPN
						   : PROTOCOL_WIREGUARD;
	if (p->protocol == PROTOCOL_WIREGUARD && strcmp(protocol, "wireguard") != 0)
		model_error_add(errors, "/protocol",
			"must be \"wireguard\", \"openvpn\" or, for clients, \"any\"");
}

/* What a request says about a protocol that the peer does not speak would be lost without a word. */
static void read_username(struct peer *p, const json_t *json, struct model_errors *errors)
{
	const json_t *v = json_object_get(json, "username");
	if (!json_is_string(v))
		return; /* made of the name */
	if (!peer_speaks_openvpn(p))
		model_error_add(errors, "/username", "is for peers that speak OpenVPN");
	else if (value_read_text(v, "/username", p->username, sizeof(p->username), errors)
		&& p->username[0] == '\0')
		model_error_add(errors, "/username", "%s", openvpn_username_check(""));
}

/* The peer's own, or a pair made here. */
static int read_key(
	struct peer *p, const json_t *json, struct key *ret_private, struct model_errors *errors)
{
	const char *text = json_text(json, "public_key", NULL);
	if (!peer_speaks_wireguard(p)) {
		p->key_is_ours = true;
		if (text != NULL)
			model_error_add(errors, "/public_key", "is for peers that speak WireGuard");
		return 0;
	}
	p->key_is_ours = text == NULL;
	p->has_private_key = p->key_is_ours;
	if (text == NULL)
		return wireguard_key_generate(ret_private, &p->public_key);
	if (key_from_base64(text, &p->public_key) != 0) {
		model_error_add(errors, "/public_key", "must be 32 bytes in base64: 44 characters");
		p->key_is_ours = true; /* nothing more to say about it */
	}
	return 0;
}

/* The peer as it lies in the store now, with what the store makes of it. */
static int read_again(struct request *rq, struct place *at)
{
	struct uuid id = at->peer.id;
	peer_fini(&at->peer);
	int rc = peer_find(rq->api->store, &at->instance.id, &id, &at->peer);
	at->has_peer = rc == 0;
	return rc;
}

int peer_create(struct request *rq)
{
	struct place at;
	struct key private_key = {0};
	struct model_errors errors = {0};
	char location[128], instance[UUID_TEXT], id[UUID_TEXT];
	int rc;
	if (!enter(rq, &at, false, &rc))
		return rc;
	if (at.instance.state == INSTANCE_DELETING) {
		problem_set(&rq->rs, PROBLEM_CONFLICT, "The instance is being deleted.");
		leave(&at);
		return 0;
	}
	peer_init(&at.peer);
	at.has_peer = true;
	read_kind(&at.peer, rq->json, &errors);
	read_username(&at.peer, rq->json, &errors);
	peer_read(&at.peer, rq->json, &errors);
	rc = read_key(&at.peer, rq->json, &private_key, &errors);
	if (rc == 0)
		rc = peer_add(rq->api->store, &at.instance, &at.peer,
			at.peer.has_private_key ? &private_key : NULL, &errors);
	key_wipe(&private_key);
	if (rc == 0)
		rc = read_again(rq, &at);
	if (rc == 0) {
		(void)snprintf(location, sizeof(location), "/v1/instances/%s/peers/%s",
			uuid_format(&at.instance.id, instance), uuid_format(&at.peer.id, id));
		outcome_created(rq, 201, show(rq, &at), at.peer.version, location);
	}
	leave(&at);
	return outcome_checked(rq, rc, &errors);
}

int peer_get(struct request *rq)
{
	struct place at;
	int rc;
	if (!enter(rq, &at, true, &rc))
		return rc;
	answer(rq, 200, &at);
	leave(&at);
	return 0;
}

/* A merge patch is made on what a GET shows, and the result is read like a new one. */
static int patch(struct request *rq, struct place *at)
{
	struct model_errors errors = {0};
	json_t *whole = show(rq, at);
	int rc = whole != NULL ? json_merge(whole, rq->json) : -ENOMEM;
	if (rc == 0) {
		peer_read(&at->peer, whole, &errors);
		rc = peer_set(rq->api->store, &at->instance, &at->peer, &errors);
	}
	json_decref(whole);
	if (rc == 0)
		rc = read_again(rq, at);
	if (rc == 0)
		answer(rq, 200, at);
	return outcome_checked(rq, rc, &errors);
}

int peer_patch(struct request *rq)
{
	struct place at;
	int rc;
	if (!enter(rq, &at, true, &rc))
		return rc;
	if (outcome_matches(rq, at.peer.version))
		rc = patch(rq, &at);
	leave(&at);
	return rc;
}

int peer_delete(struct request *rq)
{
	struct place at;
	int rc;
	if (!enter(rq, &at, true, &rc))
		return rc;
	if (outcome_matches(rq, at.peer.version)) {
		rc = peer_del(rq->api->store, &at.instance, &at.peer);
		if (rc == 0)
			outcome_nothing(rq);
	}
	leave(&at);
	return rc;
}

static int set_suspended(struct request *rq, bool is_suspended)
{
	struct place at;
	int rc;
	if (!enter(rq, &at, true, &rc))
		return rc;
	rc = peer_set_suspended(rq->api->store, &at.peer, is_suspended);
	if (rc == 0)
		answer(rq, 200, &at);
	leave(&at);
	return rc;
}

int peer_clock_reset(struct request *rq)
{
	struct place at;
	int rc;
	if (!enter(rq, &at, true, &rc))
		return rc;
	rc = peer_reset_clock(rq->api->store, &at.peer);
	if (rc == 0)
		answer(rq, 200, &at);
	leave(&at);
	return rc;
}

int peer_suspend(struct request *rq)
{
	return set_suspended(rq, true);
}

int peer_resume(struct request *rq)
{
	return set_suspended(rq, false);
}
