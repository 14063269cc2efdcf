/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_HTTP_PROBLEM_H
#define CONTROL_HTTP_PROBLEM_H

#include "control/http/response.h"

#include <jansson.h>

/* The kinds of refusal; each is a row in problem.c with its status, type URI and title. */
enum problem_kind {
	PROBLEM_MALFORMED_REQUEST,
	PROBLEM_MALFORMED_BODY,
	PROBLEM_UNAUTHENTICATED,
	PROBLEM_FORBIDDEN,
	PROBLEM_NOT_FOUND,
	PROBLEM_METHOD_NOT_ALLOWED,
	PROBLEM_CONFLICT,
	PROBLEM_IN_FLIGHT,
	PROBLEM_CURSOR_EXPIRED,
	PROBLEM_ETAG_MISMATCH,
	PROBLEM_BODY_TOO_LARGE,
	PROBLEM_URI_TOO_LONG,
	PROBLEM_UNSUPPORTED_MEDIA_TYPE,
	PROBLEM_EXPECTATION_FAILED,
	PROBLEM_UNPROCESSABLE,
	PROBLEM_IDEMPOTENCY_MISMATCH,
	PROBLEM_IF_MATCH_REQUIRED,
	PROBLEM_HEADERS_TOO_LARGE,
	PROBLEM_INTERNAL,
	PROBLEM_UNAVAILABLE,
	PROBLEM__COUNT,
};

/*
 * Makes the response a problem; an earlier problem stays, because the first refusal is the one
 * that explains the others. 401 gets WWW-Authenticate, 409 in flight and 503 get Retry-After.
 */
void problem_set(struct response *rs, enum problem_kind kind, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Adds errors[] {pointer, detail}; pointer is a JSON pointer (RFC 6901) into the body. */
void problem_add(struct response *rs, const char *pointer, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* A handler's -errno as a problem, for what has no better words. */
void problem_from_errno(struct response *rs, int error);
/* New reference, or NULL without memory. */
json_t *problem_render(const struct response *rs, const char *instance, const char *request_id);

#endif
