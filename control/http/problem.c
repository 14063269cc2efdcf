// SPDX-License-Identifier: Apache-2.0
/*
 * Refusals as RFC 9457 problem details. The type URIs are part of the API: scripts may compare
 * them, so a row is never renamed. The text never carries SQL, file names or secrets.
 */
#include "control/http/problem.h"

#include "control/http/limits.h"
#include "control/http/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

static const struct problem_row {
	unsigned int status;
	const char *type;
	const char *title;
	const char *retry_after; /* seconds, or NULL */
} rows[PROBLEM__COUNT] = {
	[PROBLEM_MALFORMED_REQUEST] = {400, "malformed_request", "Malformed request", NULL},
	[PROBLEM_MALFORMED_BODY] = {400, "malformed_body", "Malformed body", NULL},
	[PROBLEM_UNAUTHENTICATED] = {401, "unauthenticated", "Authentication required", NULL},
	[PROBLEM_FORBIDDEN] = {403, "forbidden", "Not permitted", NULL},
	[PROBLEM_NOT_FOUND] = {404, "not_found", "Not found", NULL},
	[PROBLEM_METHOD_NOT_ALLOWED] = {405, "method_not_allowed", "Method not allowed", NULL},
	[PROBLEM_CONFLICT] = {409, "conflict", "Conflict", NULL},
	[PROBLEM_IN_FLIGHT] = {409, "in_flight", "The same request is being carried out", "1"},
	[PROBLEM_CURSOR_EXPIRED] = {410, "cursor_expired", "The cursor is no longer valid", NULL},
	[PROBLEM_ETAG_MISMATCH] = {412, "etag_mismatch", "The resource has changed", NULL},
	[PROBLEM_BODY_TOO_LARGE] = {413, "body_too_large", "Body too large", NULL},
	[PROBLEM_URI_TOO_LONG] = {414, "uri_too_long", "URI too long", NULL},
	[PROBLEM_UNSUPPORTED_MEDIA_TYPE] = {415, "unsupported_media_type", "Unsupported media type",
		NULL},
	[PROBLEM_EXPECTATION_FAILED] = {417, "expectation_failed", "Expectation failed", NULL},
	[PROBLEM_UNPROCESSABLE] = {422, "unprocessable", "The request cannot be carried out", NULL},
	[PROBLEM_IDEMPOTENCY_MISMATCH] = {422, "idempotency_mismatch",
		"The idempotency key was used for another request", NULL},
	[PROBLEM_IF_MATCH_REQUIRED] = {428, "if_match_required", "If-Match is required", NULL},
	[PROBLEM_HEADERS_TOO_LARGE] = {431, "headers_too_large", "Header fields too large", NULL},
	[PROBLEM_INTERNAL] = {500, "internal", "Internal error", NULL},
	[PROBLEM_UNAVAILABLE] = {503, "unavailable", "Not available now", "5"},
};

void problem_set(struct response *rs, enum problem_kind kind, const char *format, ...)
{
	if (rs->is_problem)
		return;
	rs->is_problem = true;
	rs->problem = (int)kind;
	rs->status = rows[kind].status;
	va_list ap;
	va_start(ap, format);
	(void)vsnprintf(rs->detail, sizeof(rs->detail), format, ap);
	va_end(ap);
	text_repair(rs->detail); /* it may quote what the client sent, cut off in mid-character */
	if (rows[kind].retry_after != NULL)
		response_header(rs, "Retry-After", rows[kind].retry_after);
	if (kind == PROBLEM_UNAUTHENTICATED)
		response_header(rs, "WWW-Authenticate", "Bearer realm=\"nave\"");
}

void problem_add(struct response *rs, const char *pointer, const char *format, ...)
{
	if (rs->errors == NULL)
		rs->errors = json_array();
	if (json_array_size(rs->errors) >= HTTP_ERRORS_MAX)
		return;
	char detail[RESPONSE_DETAIL_TEXT];
	va_list ap;
	va_start(ap, format);
	(void)vsnprintf(detail, sizeof(detail), format, ap);
	va_end(ap);
	text_repair(detail);
	/* A failure to add leaves an answer with fewer details: the status still tells. */
	(void)json_array_append_new(
		rs->errors, json_pack("{s:s+, s:s}", "pointer", pointer, "", "detail", detail));
}

void problem_from_errno(struct response *rs, int error)
{
	switch (error) {
	case -ENOENT:
		problem_set(rs, PROBLEM_NOT_FOUND, "There is no such object.");
		break;
	case -ENOSPC:
	case -EDQUOT:
	case -EROFS:
		problem_set(rs, PROBLEM_UNAVAILABLE, "The disk is full: nothing was changed.");
		break;
	case -EBUSY:
	case -EAGAIN:
	case -ENOMEM:
	case -EIO:
		problem_set(rs, PROBLEM_UNAVAILABLE,
			"The store cannot be used now: nothing was changed.");
		break;
	default:
		problem_set(rs, PROBLEM_INTERNAL,
			"Nothing was changed. The daemon's log has the reason.");
		break;
	}
}

json_t *problem_render(const struct response *rs, const char *instance, const char *request_id)
{
	const struct problem_row *row = &rows[rs->problem];
	char type[64];
	(void)snprintf(type, sizeof(type), "urn:nave:problem:%s", row->type);
	json_t *j = json_pack("{s:s, s:s, s:i, s:s, s:s, s:s}", "type", type, "title", row->title,
		"status", (int)rs->status, "detail", rs->detail, "instance", instance, "request_id",
		request_id);
	if (j != NULL && rs->errors != NULL && json_object_set(j, "errors", rs->errors) < 0) {
		json_decref(j);
		return NULL;
	}
	return j;
}
