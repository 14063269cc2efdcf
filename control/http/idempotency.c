// SPDX-License-Identifier: Apache-2.0
/*
 * Around every handler: the transaction, and for a request with an Idempotency-Key the answer that
 * was given to it before. The key means something only together with its caller and route.
 */
#include "control/http/idempotency.h"

#include "control/http/api_internal.h"
#include "control/http/problem.h"
#include "control/http/request.h"
#include "control/http/router.h"
#include "control/provision/provision.h"
#include "control/store/idempotency.h"
#include "control/store/store.h"

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

static void set_actor(struct request *rq)
{
	struct store_actor actor = {
		.type = rq->who.is_local	    ? "local"
			: rq->who.role == ROLE_NODE ? "hub"
						    : "api_key",
		.id = rq->who.id,
		.name = rq->who.name,
		.request_id = rq->request_id,
	};
	store_set_actor(rq->api->store, &actor);
}

static const char *header_of(const struct response *rs, const char *name)
{
	for (size_t i = 0; i < rs->header_count; i++) {
		if (strcmp(rs->headers[i].name, name) == 0)
			return rs->headers[i].value;
	}
	return "";
}

static int keep_answer(struct request *rq, const uint8_t id[IDEMPOTENCY_ID_LEN])
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

/* Inside the transaction. *ret_write: there is something to commit. */
static int run_handler(struct request *rq, const uint8_t *id, bool *ret_write)
{
	struct kept_answer a;
	if (id != NULL) {
		int rc = idempotency_find(rq->api->store, id, &a);
		if (rc == 0) {
			replay_answer(rq, &a);
			explicit_bzero(a.body, a.body_len);
			free(a.body);
			return 0;
		}
		if (rc != -ENOENT)
			return rc;
	}
	int rc = rq->route->handler(rq);
	if (rc < 0 || rq->rs.is_problem)
		return rc;
	*ret_write = true;
	return id != NULL ? keep_answer(rq, id) : 0;
}

static int run_in_transaction(struct request *rq, enum store_mode mode, const uint8_t *id)
{
	struct store *store = rq->api->store;
	bool write = false;
	int rc = store_begin(store, mode);
	if (rc < 0)
		return rc;
	set_actor(rq);
	rc = run_handler(rq, id, &write);
	bool commits = mode == STORE_WRITE && rc == 0 && write;
	int ended = store_end(store, commits);
	if (rc == 0 && mode == STORE_WRITE)
		rc = ended;
	if (rc == 0 && commits && strcmp(rq->method, "GET") != 0 && rq->who.role != ROLE_NODE) {
		provision_wake(rq->api->provision);
		api_wake(rq->api);
	}
	return rc;
}

static bool reads_only(const struct request *rq)
{
	bool gets = strcmp(rq->route->method, "GET") == 0;
	return gets && (rq->route->flags & ROUTE_WRITES) == 0;
}

int idempotency_run(struct request *rq)
{
	uint8_t id[IDEMPOTENCY_ID_LEN];
	bool kept = rq->headers.idempotency_key != NULL && strcmp(rq->method, "POST") == 0
		&& (rq->route->flags & ROUTE_NOT_KEPT) == 0;
	if (reads_only(rq))
		return run_in_transaction(rq, STORE_READ, NULL);
	if (!kept)
		return run_in_transaction(rq, STORE_WRITE, NULL);
	int rc = name_request(rq, id);
	if (rc < 0)
		return rc;
	if (!inflight_add(&rq->api->inflight, id)) {
		problem_set(&rq->rs, PROBLEM_IN_FLIGHT,
			"The same request is being carried out at this moment.");
		return 0;
	}
	rc = run_in_transaction(rq, STORE_WRITE, id);
	inflight_del(&rq->api->inflight, id);
	return rc;
}
