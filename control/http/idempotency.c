// SPDX-License-Identifier: Apache-2.0
/* The key means something only together with its caller and route, and with the same body. */
#include "control/http/idempotency.h"

#include "control/http/api_internal.h"
#include "control/http/problem.h"
#include "control/http/request.h"
#include "control/http/router.h"
#include "control/store/idempotency.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool idempotency_check(struct request *rq)
{
	const char *key = rq->headers.idempotency_key;
	if (key == NULL || strcmp(rq->method, "POST") != 0)
		return true;
	size_t len = strlen(key);
	bool clean = len > 0 && len <= HTTP_IDEMPOTENCY_KEY_MAX;
	for (size_t i = 0; clean && i < len; i++)
		clean = key[i] >= '!' && key[i] <= '~';
	if (!clean)
		problem_set(&rq->rs, PROBLEM_MALFORMED_REQUEST,
			"Idempotency-Key must be 1 to %d printable ASCII characters.",
			HTTP_IDEMPOTENCY_KEY_MAX);
	return clean;
}

/* SHA-256 of the parts, each with its length in front, so that none runs into the next. */
static int hash_parts(
	const char *const *parts, const size_t *lens, size_t count, uint8_t ret[IDEMPOTENCY_ID_LEN])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool good = ctx != NULL && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1;
	for (size_t i = 0; good && i < count; i++) {
		uint64_t len = lens[i];
		good = EVP_DigestUpdate(ctx, &len, sizeof(len)) == 1
			&& EVP_DigestUpdate(ctx, parts[i], lens[i]) == 1;
	}
	good = good && EVP_DigestFinal_ex(ctx, ret, NULL) == 1;
	EVP_MD_CTX_free(ctx);
	return good ? 0 : -ENOMEM;
}

static int name_request(const struct request *rq, uint8_t ret[IDEMPOTENCY_ID_LEN])
{
	const char *parts[] = {(const char *)rq->who.id.bytes, rq->method, rq->target.path,
		rq->headers.idempotency_key};
	const size_t lens[] = {
		sizeof(rq->who.id), strlen(parts[1]), strlen(parts[2]), strlen(parts[3])};
	return hash_parts(parts, lens, 4, ret);
}

static int fingerprint(const struct request *rq, uint8_t ret[IDEMPOTENCY_ID_LEN])
{
	const char *parts[] = {rq->body_len > 0 ? rq->body : ""};
	return hash_parts(parts, &rq->body_len, 1, ret);
}

static const char *header_of(const struct response *rs, const char *name)
{
	for (size_t i = 0; i < rs->header_count; i++) {
		if (strcmp(rs->headers[i].name, name) == 0)
			return rs->headers[i].value;
	}
	return "";
}

int idempotency_keep(struct request *rq, const uint8_t id[IDEMPOTENCY_ID_LEN])
{
	struct kept_answer a = {.status = rq->rs.status};
	int rc = fingerprint(rq, a.fingerprint);
	if (rc < 0)
		return rc;
	(void)snprintf(a.location, sizeof(a.location), "%s", header_of(&rq->rs, "Location"));
	(void)snprintf(a.etag, sizeof(a.etag), "%s", header_of(&rq->rs, "ETag"));
	(void)snprintf(a.content_type, sizeof(a.content_type), "application/json");
	a.body = rq->rs.json != NULL ? json_dumps(rq->rs.json, JSON_COMPACT) : strdup("");
	if (a.body == NULL)
		return -ENOMEM;
	a.body_len = strlen(a.body);
	rc = idempotency_add(rq->api->store, id, &a);
	explicit_bzero(a.body, a.body_len);
	free(a.body);
	return rc;
}

static void replay_answer(struct request *rq, const struct kept_answer *a)
{
	uint8_t print[IDEMPOTENCY_ID_LEN];
	if (fingerprint(rq, print) < 0 || memcmp(print, a->fingerprint, sizeof(print)) != 0) {
		problem_set(&rq->rs, PROBLEM_IDEMPOTENCY_MISMATCH,
			"This Idempotency-Key was used for another request.");
		return;
	}
	response_header(&rq->rs, "Idempotency-Replayed", "true");
	if (a->location[0] != '\0')
		response_header(&rq->rs, "Location", a->location);
	if (a->etag[0] != '\0')
		response_header(&rq->rs, "ETag", a->etag);
	if (a->body_len > 0)
		response_json(&rq->rs, a->status, json_loadb(a->body, a->body_len, 0, NULL));
	else
		rq->rs.status = a->status;
}

bool idempotency_applies(const struct request *rq)
{
	return rq->headers.idempotency_key != NULL && strcmp(rq->method, "POST") == 0
		&& (rq->route->flags & ROUTE_NOT_KEPT) == 0;
}

int idempotency_enter(struct request *rq, uint8_t ret_id[IDEMPOTENCY_ID_LEN])
{
	int rc = name_request(rq, ret_id);
	if (rc < 0 || inflight_add(&rq->api->inflight, ret_id))
		return rc;
	problem_set(&rq->rs, PROBLEM_IN_FLIGHT,
		"The same request is being carried out at this moment.");
	return 0;
}

void idempotency_leave(struct request *rq, const uint8_t id[IDEMPOTENCY_ID_LEN])
{
	inflight_del(&rq->api->inflight, id);
}

int idempotency_replay(struct request *rq, const uint8_t id[IDEMPOTENCY_ID_LEN])
{
	struct kept_answer a;
	int rc = idempotency_find(rq->api->store, id, &a);
	if (rc < 0)
		return rc;
	replay_answer(rq, &a);
	explicit_bzero(a.body, a.body_len);
	free(a.body);
	return 0;
}
