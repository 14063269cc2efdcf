// SPDX-License-Identifier: Apache-2.0
/*
 * The way of a request through the API: target, route, caller, role, header fields, body, and then
 * the route's handler. What fails first answers. The order is part of the contract: a caller who
 * may not call a route learns nothing from it about what exists.
 */
#include "control/http/api.h"

#include "control/http/api_internal.h"
#include "control/http/idempotency.h"
#include "control/http/json.h"
#include "control/http/problem.h"
#include "control/http/request.h"
#include "control/http/router.h"
#include "control/http/transaction.h"
#include "control/http/wait.h"
#include "dataplane/base/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int api_new(const struct control_config *config, struct store *store, struct provision *provision,
	struct api **ret)
{
	struct api *api = calloc(1, sizeof(*api));
	if (api == NULL)
		return -ENOMEM;
	api->config = config;
	api->store = store;
	api->provision = provision;
	inflight_init(&api->inflight);
	int rc = cursor_key_init(&api->cursors);
	if (rc == 0)
		rc = wait_list_new(HTTP_LONG_POLLS_MAX, &api->waits);
	if (rc == 0)
		rc = wait_list_new(HTTP_LONG_POLLS_MAX, &api->event_waits);
	if (rc == 0)
		rc = wait_list_new(HTTP_EVENT_STREAMS_MAX, &api->stream_waits);
	if (rc < 0) {
		api_free(api);
		return rc;
	}
	*ret = api;
	return 0;
}

void api_free(struct api *api)
{
	if (api == NULL)
		return;
	wait_list_free(api->waits);
	wait_list_free(api->event_waits);
	wait_list_free(api->stream_waits);
	cursor_key_fini(&api->cursors);
	inflight_fini(&api->inflight);
	free(api);
}

void api_close(struct api *api)
{
	wait_list_close(api->waits);
	wait_list_close(api->event_waits);
	wait_list_close(api->stream_waits);
}

int api_request_wait(struct request *rq, struct MHD_Connection *connection)
{
	return wait_list_add(rq->waits != NULL ? rq->waits : rq->api->waits, connection,
		rq->wait_news, rq->wait_until_ns);
}

void api_tell_events(struct api *api)
{
	wait_list_wake(api->event_waits);
	wait_list_wake(api->stream_waits);
}

void api_wake(struct api *api)
{
	wait_list_wake(api->waits);
}

static bool find_route(struct request *rq)
{
	char allow[64];
	switch (route_find(rq->method, rq->target.path, &rq->route, rq->params, allow)) {
	case ROUTE_MATCHED:
		return true;
	case ROUTE_NO_PATH:
		problem_set(&rq->rs, PROBLEM_NOT_FOUND, "There is no such route.");
		return false;
	case ROUTE_NO_METHOD:
		response_header(&rq->rs, "Allow", allow);
		problem_set(&rq->rs, PROBLEM_METHOD_NOT_ALLOWED, "This path takes %s.", allow);
		return false;
	}
	return false;
}

/* The media type itself, without its parameters; case does not count (RFC 9110 section 8.3.1). */
static bool media_type_is(const char *content_type, const char *type)
{
	size_t len = strlen(type);
	if (content_type == NULL || strncasecmp(content_type, type, len) != 0)
		return false;
	const char *rest = content_type + len + strspn(content_type + len, " \t");
	return *rest == '\0' || *rest == ';';
}

static bool check_media_type(struct request *rq)
{
	const char *type = rq->headers.content_type;
	if (rq->route->body == NULL || media_type_is(type, "application/json"))
		return true;
	bool is_patch = (rq->route->flags & ROUTE_PATCH) != 0;
	if (is_patch && media_type_is(type, "application/merge-patch+json"))
		return true;
	/* An action's body may be left out, and its type with it. */
	if (type == NULL && (rq->route->flags & ROUTE_BODY_OPTIONAL) != 0)
		return true;
	problem_set(&rq->rs, PROBLEM_UNSUPPORTED_MEDIA_TYPE, "Content-Type must be application/%s.",
		is_patch ? "merge-patch+json" : "json");
	return false;
}

static bool check_conditions(struct request *rq)
{
	if ((rq->route->flags & ROUTE_IF_MATCH) == 0 || rq->headers.if_match != NULL)
		return true;
	problem_set(&rq->rs, PROBLEM_IF_MATCH_REQUIRED,
		"Send If-Match with the ETag of the version that you have seen.");
	return false;
}

void api_request_begin(struct request *rq)
{
	/* Each of these explains itself in rq->rs when it says no. */
	(void)(target_parse(rq->uri, &rq->target, &rq->rs)
		&& target_secrets_check(&rq->target, &rq->rs) && find_route(rq) && auth_identify(rq)
		&& auth_authorize(rq) && target_params_check(&rq->target, rq->route->query, &rq->rs)
		&& check_media_type(rq) && check_conditions(rq) && idempotency_check(rq));
}

static bool read_body(struct request *rq)
{
	const struct json_field *fields = rq->route->body;
	if (rq->json != NULL)
		return true; /* read before it waited */
	if (fields == NULL) {
		if (rq->body_len == 0)
			return true;
		problem_set(&rq->rs, PROBLEM_MALFORMED_BODY, "This route takes no body.");
		return false;
	}
	if (rq->body_len == 0 && (rq->route->flags & ROUTE_BODY_OPTIONAL) != 0) {
		rq->json = json_object();
		return rq->json != NULL;
	}
	rq->json = json_read(rq->body, rq->body_len, &rq->rs);
	return rq->json != NULL
		&& json_check(rq->json, fields, (rq->route->flags & ROUTE_PATCH) != 0, &rq->rs);
}

/* The path as logs and problems may have it. */
static const char *shown_path(const struct request *rq)
{
	if (rq->route != NULL && (rq->route->flags & ROUTE_SECRET_PATH) != 0)
		return rq->route->path;
	return rq->target.path != NULL ? rq->target.path : "";
}

void api_request_run(struct request *rq)
{
	if (rq->rs.is_problem || !read_body(rq))
		return;
	int rc = transaction_run(rq);
	if (rc == 0)
		return;
	if (rc != -ENOENT)
		log_error("%s %s: %s (request %s)", rq->method, shown_path(rq),
			strerrordesc_np(-rc), rq->request_id);
	rq->rs.header_count = 0; /* a Location of what was rolled back, say */
	problem_from_errno(&rq->rs, rc);
}

void api_request_end(struct request *rq)
{
	const char *path = shown_path(rq);
	if (rq->rs.status == 0)
		problem_from_errno(&rq->rs, -ENOMEM);
	if (response_render(&rq->rs, path, rq->request_id) < 0)
		rq->rs.status = 503;
	/* The query stays out: it may hold what a client put there by mistake. */
	log_debug("%s %s %u %s", rq->method, rq->route != NULL ? path : "-", rq->rs.status,
		rq->request_id);
}
