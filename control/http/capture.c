// SPDX-License-Identifier: Apache-2.0
/*
 * Captures of one peer's packets. They are asked for here, the hub hears of them in its desired
 * state, and sends each as one file by node_capture().
 */
#include "control/store/capture.h"

#include "control/http/api_internal.h"
#include "control/http/json.h"
#include "control/http/outcome.h"
#include "control/http/page.h"
#include "control/http/peer_json.h"
#include "control/http/problem.h"
#include "control/http/request.h"
#include "control/http/resources.h"
#include "control/http/value.h"
#include "control/store/peer.h"
#include "dataplane/base/base64.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct json_field capture_create_fields[] = {
	{.name = "side", .kind = JSON_KIND_STRING},
	{.name = "seconds", .kind = JSON_KIND_INTEGER},
	{.name = "max_bytes", .kind = JSON_KIND_INTEGER},
	{0},
};

const struct json_field node_capture_fields[] = {
	{.name = "file", .kind = JSON_KIND_STRING, .required = true, .nullable = true},
	{.name = "reason", .kind = JSON_KIND_STRING},
	{0},
};

static json_t *capture_json(const struct capture *c)
{
	return json_pack("{s:o, s:o, s:s, s:i, s:i, s:s, s:o, s:I, s:o, s:o}", "id",
		value_uuid(&c->id), "peer_id", value_uuid(&c->peer_id), "side",
		capture_side_text(c->side), "seconds", (int)c->seconds, "max_bytes",
		(int)c->max_bytes, "state", capture_state_text(c->state), "reason",
		value_text(c->reason), "bytes", (json_int_t)c->bytes, "created_at",
		value_time(c->created_at), "ended_at", value_time(c->ended_at));
}

/* The peer of the path. false with the answer or *ret_rc. */

static bool find_capture(struct request *rq, struct capture *ret, int *ret_rc)
{
	struct uuid id;
	struct peer p;
	if (!peer_of_path(rq, &p, ret_rc))
		return false;
	if (request_uuid(rq, 2, &id))
		*ret_rc = capture_find(rq->api->store, &p.id, &id, ret);
	else
		*ret_rc = 0;
	bool found = *ret_rc == 0 && !rq->rs.is_problem;
	peer_fini(&p);
	return found;
}

static int add_capture(void *ctx, const struct capture *c)
{
	struct page *page = ctx;
	char id[UUID_TEXT];
	if (!page_wants(page))
		return 1;
	return page_add(page, capture_json(c), uuid_format(&c->id, id));
}

int captures_list(struct request *rq)
{
	struct page page;
	struct peer p;
	int rc;
	if (!peer_of_path(rq, &p, &rc))
		return rc;
	if (page_begin(&page, rq)) {
		struct uuid after = page_after(&page);
		rc = page_end(
			&page, capture_list(rq->api->store, &p.id, &after, add_capture, &page));
	}
	peer_fini(&p);
	return rc;
}

static uint32_t read_number(const json_t *json, const char *name, uint32_t otherwise)
{
	json_int_t value = json_number(json, name, otherwise);
	/* what does not fit is refused by its check */
	return value >= 0 && value <= UINT32_MAX ? (uint32_t)value : 0;
}

static void read_capture(struct capture *c, const json_t *json, struct model_errors *errors)
{
	const char *side = json_text(json, "side", "inner");
	c->side = strcmp(side, "outer") == 0 ? CAPTURE_OUTER : CAPTURE_INNER;
	if (c->side == CAPTURE_INNER && strcmp(side, "inner") != 0)
		model_error_add(errors, "/side", "must be \"inner\" or \"outer\"");
	c->seconds = read_number(json, "seconds", CAPTURE_SECONDS_DEFAULT);
	c->max_bytes = read_number(json, "max_bytes", CAPTURE_BYTES_MAX);
}

int capture_create(struct request *rq)
{
	struct model_errors errors = {0};
	struct capture c = {0};
	struct peer p;
	char location[192], instance[UUID_TEXT], peer[UUID_TEXT], id[UUID_TEXT];
	int rc;
	if (!peer_of_path(rq, &p, &rc))
		return rc;
	read_capture(&c, rq->json, &errors);
	if (peer_state_at(&p, store_now(rq->api->store)) != PEER_ACTIVE)
		model_conflict_add(&errors, "", "the peer is not active: the hub does not have it");
	rc = capture_add(rq->api->store, &p, &c, &errors);
	if (rc == 0) {
		(void)snprintf(location, sizeof(location), "/v1/instances/%s/peers/%s/captures/%s",
			uuid_format(&p.instance_id, instance), uuid_format(&p.id, peer),
			uuid_format(&c.id, id));
		outcome_created(rq, 201, capture_json(&c), 1, location);
	}
	peer_fini(&p);
	if (rc == -EAGAIN) {
		problem_set(&rq->rs, PROBLEM_CONFLICT, "The instance is on no hub yet.");
		return 0;
	}
	return outcome_checked(rq, rc, &errors);
}

int capture_get(struct request *rq)
{
	struct capture c = {0};
	int rc;
	if (!find_capture(rq, &c, &rc))
		return rc;
	response_json(&rq->rs, 200, capture_json(&c));
	return 0;
}

int capture_file_get(struct request *rq)
{
	struct capture c = {0};
	void *file = NULL;
	int rc;
	if (!find_capture(rq, &c, &rc))
		return rc;
	rc = capture_file(rq->api->store, &c, &file);
	if (rc == -ENOENT) {
		problem_set(
			&rq->rs, PROBLEM_CONFLICT, "There is no file: the capture is not done.");
		return 0;
	}
	if (rc == 0)
		response_text(&rq->rs, "application/x-pcapng", file, (size_t)c.bytes);
	return rc;
}

int capture_delete(struct request *rq)
{
	struct capture c = {0};
	int rc;
	if (!find_capture(rq, &c, &rc))
		return rc;
	rc = capture_del(rq->api->store, &c);
	if (rc == 0)
		outcome_nothing(rq);
	return rc;
}

/* A hub's: the file in base64, or null with the reason. */
int node_capture(struct request *rq)
{
	struct uuid id;
	const char *text = json_text(rq->json, "file", NULL);
	const char *reason = json_text(rq->json, "reason", "");
	size_t len = text != NULL ? strlen(text) : 0;
	uint8_t *file = NULL;
	ssize_t bytes = 0;
	if (!request_uuid(rq, 0, &id))
		return 0;
	if (text != NULL) {
		file = malloc(len + 1);
		if (file == NULL)
			return -ENOMEM;
		bytes = base64_decode(text, len, file, CAPTURE_BYTES_MAX);
	}
	int rc = 0;
	if (bytes < 0)
		problem_set(&rq->rs, PROBLEM_UNPROCESSABLE,
			"file must be base64 of at most %d bytes.", CAPTURE_BYTES_MAX);
	else
		rc = capture_end(rq->api->store, &rq->who.id, &id, file, (size_t)bytes, reason);
	free(file);
	if (rc == 0 && bytes >= 0)
		outcome_nothing(rq);
	return rc;
}
