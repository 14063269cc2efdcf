// SPDX-License-Identifier: Apache-2.0
#include "control/http/auth.h"

#include "control/http/api_internal.h"
#include "control/http/problem.h"
#include "control/http/request.h"
#include "control/http/router.h"
#include "control/store/api_key.h"
#include "control/store/hub.h"
#include "control/store/store.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
	USE_NOTED_S = 60, /* "last used" is no finer than that */
};

bool role_covers(enum role has, enum role needs)
{
	bool of_workspace = has >= ROLE_VIEWER && has <= ROLE_OWNER;
	return of_workspace && needs >= ROLE_VIEWER && needs <= has;
}

static bool refuse(struct request *rq, const char *detail)
{
	problem_set(&rq->rs, PROBLEM_UNAUTHENTICATED, "%s", detail);
	return false;
}

static enum role role_of(enum api_key_role role)
{
	switch (role) {
	case API_KEY_VIEWER:
		return ROLE_VIEWER;
	case API_KEY_OPERATOR:
		return ROLE_OPERATOR;
	case API_KEY_OWNER:
		return ROLE_OWNER;
	}
	return ROLE_NONE;
}

static void become_api_key(struct principal *who, const struct api_key *k)
{
	who->role = role_of(k->role);
	who->id = k->id;
	who->has_instance = !uuid_is_zero(&k->instance_id);
	who->instance = k->instance_id;
	(void)snprintf(who->name, sizeof(who->name), "%.*s", PRINCIPAL_NAME_TEXT - 1, k->name);
}

/* mode WRITE also notes the use. */
static int find_api_key(
	struct request *rq, const char *token, enum store_mode mode, bool *ret_stale)
{
	struct api_key k;
	struct store *store = rq->api->store;
	int rc = store_begin(store, mode);
	if (rc < 0)
		return rc;
	rc = api_key_find_token(store, token, &k);
	if (rc == 0) {
		become_api_key(&rq->who, &k);
		*ret_stale = k.last_used_at + USE_NOTED_S <= store_now(store);
		api_key_fini(&k);
	}
	int ended = store_end(store, rc == 0 && mode == STORE_WRITE);
	/* a full disk must not keep anybody out who only wants to read */
	return mode == STORE_WRITE ? rc : rc < 0 ? rc : ended;
}

static int identify_api_key(struct request *rq, const char *token)
{
	bool is_stale = false;
	int rc = find_api_key(rq, token, STORE_READ, &is_stale);
	if (rc == 0 && is_stale)
		(void)find_api_key(rq, token, STORE_WRITE, &is_stale);
	return rc;
}

static int identify_hub(struct request *rq, const char *token, enum role role,
	int (*find)(struct store *store, const char *token, struct hub *ret))
{
	struct hub h;
	int rc = store_begin(rq->api->store, STORE_READ);
	if (rc < 0)
		return rc;
	rc = find(rq->api->store, token, &h);
	if (rc == 0) {
		rq->who.role = role;
		rq->who.id = h.id;
		(void)snprintf(rq->who.name, sizeof(rq->who.name), "%.*s", PRINCIPAL_NAME_TEXT - 1,
			h.name);
		hub_fini(&h);
	}
	(void)store_end(rq->api->store, false);
	return rc;
}

static int identify_kind(struct request *rq, const char *token)
{
	if (strncmp(token, "nave_nk_", 8) == 0)
		return identify_hub(rq, token, ROLE_NODE, hub_find_token);
	if (strncmp(token, "nave_et_", 8) == 0)
		return identify_hub(rq, token, ROLE_ENROL, hub_find_enrol_token);
	return identify_api_key(rq, token);
}

static bool identify_token(struct request *rq, const char *token)
{
	int rc = identify_kind(rq, token);
	if (rc == -ENOENT)
		return refuse(rq, "The token is unknown, was revoked, or has expired.");
	if (rc < 0)
		problem_from_errno(&rq->rs, rc);
	return rc == 0;
}

/* Root, and whoever the daemon runs as, own it anyway. */
static void identify_local(struct request *rq)
{
	if (!rq->is_local || (rq->peer_uid != 0 && rq->peer_uid != geteuid()))
		return;
	rq->who.role = ROLE_OWNER;
	rq->who.is_local = true;
	(void)snprintf(rq->who.name, sizeof(rq->who.name), "uid %u", (unsigned int)rq->peer_uid);
}

bool auth_identify(struct request *rq)
{
	const char *header = rq->headers.authorization;
	if (rq->route->role == ROLE_PUBLIC)
		return true;
	if (header == NULL) {
		identify_local(rq);
		return rq->who.role != ROLE_NONE
			|| refuse(rq, "Send Authorization: Bearer with an API key.");
	}
	if (strncasecmp(header, "Bearer ", 7) != 0)
		return refuse(rq, "Authorization must be: Bearer and an API key.");
	return identify_token(rq, header + 7 + strspn(header + 7, " "));
}

static bool forbid(struct request *rq, const char *detail)
{
	problem_set(&rq->rs, PROBLEM_FORBIDDEN, "%s", detail);
	return false;
}

/* A key of one instance must not learn which others there are: theirs are not found. */
static bool reaches(struct request *rq)
{
	struct uuid instance;
	if (!rq->who.has_instance)
		return true;
	switch (rq->route->reach) {
	case ROUTE_REACH_ANY:
		return true;
	case ROUTE_REACH_WORKSPACE:
		return forbid(rq, "This key reaches only its own instance.");
	case ROUTE_REACH_INSTANCE:
		break;
	}
	if (uuid_parse(rq->params[0], &instance) == 0 && uuid_equal(&instance, &rq->who.instance))
		return true;
	problem_set(&rq->rs, PROBLEM_NOT_FOUND, "There is no such object.");
	return false;
}

bool auth_authorize(struct request *rq)
{
	switch (rq->route->role) {
	case ROLE_PUBLIC:
		return true;
	case ROLE_LOCAL:
		return rq->who.is_local
			|| forbid(rq,
				"Only root and the daemon's own user may, over the unix socket.");
	case ROLE_ENROL:
		return rq->who.is_local || rq->who.role == ROLE_ENROL
			|| forbid(rq,
				"Send an enrol token, as POST /v1/hubs/{hub}/enrol-tokens gives.");
	case ROLE_NODE:
		return rq->who.role == ROLE_NODE || forbid(rq, "This route is for hubs.");
	case ROLE_VIEWER:
	case ROLE_OPERATOR:
	case ROLE_OWNER:
		if (!role_covers(rq->who.role, rq->route->role))
			return forbid(rq, "The role of this key does not reach this.");
		return reaches(rq);
	case ROLE_NONE:
		break;
	}
	return forbid(rq, "Nobody may call this.");
}
