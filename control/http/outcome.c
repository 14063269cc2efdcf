// SPDX-License-Identifier: Apache-2.0
#include "control/http/outcome.h"

#include "control/http/etag.h"
#include "control/http/problem.h"

#include <errno.h>

void outcome_object(struct request *rq, unsigned int status, json_t *json, uint64_t version)
{
	char tag[ETAG_TEXT];
	response_json(&rq->rs, status, json);
	response_header(&rq->rs, "ETag", etag_format(version, tag));
}

void outcome_created(struct request *rq, unsigned int status, json_t *json, uint64_t version,
	const char *location)
{
	outcome_object(rq, status, json, version);
	response_header(&rq->rs, "Location", location);
}

void outcome_nothing(struct request *rq)
{
	rq->rs.status = 204;
}

void outcome_refused(struct request *rq, const struct model_errors *errors)
{
	bool is_conflict = errors->has_conflict && !errors->has_invalid;
	for (size_t i = 0; i < errors->count && i < MODEL_ERRORS_MAX; i++)
		problem_add(&rq->rs, errors->list[i].pointer, "%s", errors->list[i].detail);
	const char *first = errors->count > 0 ? errors->list[0].detail : "";
	const char *where = errors->count > 0 ? errors->list[0].pointer : "";
	problem_set(&rq->rs, is_conflict ? PROBLEM_CONFLICT : PROBLEM_UNPROCESSABLE, "%s%s%s",
		where[0] == '/' ? where + 1 : "", where[0] == '/' ? " " : "", first);
}

bool outcome_matches(struct request *rq, uint64_t version)
{
	if (rq->headers.if_match == NULL)
		return true;
	switch (etag_match(rq->headers.if_match, version)) {
	case ETAG_MATCHES:
		return true;
	case ETAG_DIFFERS:
		problem_set(&rq->rs, PROBLEM_ETAG_MISMATCH,
			"It has changed since you have read it. Read it again.");
		return false;
	case ETAG_MALFORMED:
		break;
	}
	problem_set(&rq->rs, PROBLEM_MALFORMED_REQUEST, "If-Match must be an ETag in quotes.");
	return false;
}

int outcome_checked(struct request *rq, int rc, const struct model_errors *errors)
{
	if (rc != -EINVAL || errors->count == 0)
		return rc;
	outcome_refused(rq, errors);
	return 0;
}
