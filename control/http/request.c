// SPDX-License-Identifier: Apache-2.0
/*
 * A request's memory, and the checks that need nothing but its head. libmicrohttpd 0.9.75 lets
 * some malformed HTTP through (RFC 9112): both Content-Length and Transfer-Encoding, two Hosts,
 * repeated fields. Whatever two HTTP readers could take for two different requests is refused
 * and the connection closed.
 */
#include "control/http/request.h"

#include "control/http/event_stream.h"
#include "control/http/problem.h"

#include <stdlib.h>
#include <string.h>

struct request *request_new(struct api *api, const char *uri)
{
	struct request *rq = calloc(1, sizeof(*rq));
	struct uuid id;
	if (rq == NULL)
		return NULL;
	rq->api = api;
	rq->uri = strdup(uri);
	if (rq->uri == NULL || uuid_generate(&id) < 0) {
		request_free(rq);
		return NULL;
	}
	(void)uuid_format(&id, rq->request_id);
	response_init(&rq->rs);
	return rq;
}

void request_free(struct request *rq)
{
	if (rq == NULL)
		return;
	event_stream_free(rq->stream);
	if (rq->body != NULL)
		explicit_bzero(rq->body, rq->body_size);
	free(rq->body);
	json_decref(rq->json);
	free(rq->uri);
	response_fini(&rq->rs);
	free(rq);
}

static bool grow_body(struct request *rq, size_t need)
{
	size_t size = rq->body_size > 0 ? rq->body_size : 4096;
	while (size < need)
		size *= 2;
	/* Not realloc: it would leave a copy of what may be a secret behind. */
	char *body = malloc(size);
	if (body == NULL)
		return false;
	if (rq->body != NULL) {
		memcpy(body, rq->body, rq->body_len);
		explicit_bzero(rq->body, rq->body_size);
		free(rq->body);
	}
	rq->body = body;
	rq->body_size = size;
	return true;
}

void request_take_body(struct request *rq, const char *data, size_t len)
{
	if (rq->rs.is_problem || len > HTTP_BODY_MAX_BYTES - rq->body_len) {
		rq->body_dropped += len;
		problem_set(&rq->rs, PROBLEM_BODY_TOO_LARGE, "The body is larger than %d bytes.",
			HTTP_BODY_MAX_BYTES);
		return;
	}
	if (rq->body_len + len > rq->body_size && !grow_body(rq, rq->body_len + len)) {
		problem_set(&rq->rs, PROBLEM_UNAVAILABLE, "There is not enough memory.");
		return;
	}
	memcpy(rq->body + rq->body_len, data, len);
	rq->body_len += len;
}

/* Refuses with a connection that cannot be trusted to be in step any more. */
static bool refuse_framing(struct request *rq, const char *reason)
{
	problem_set(&rq->rs, PROBLEM_MALFORMED_REQUEST, "%s", reason);
	rq->rs.close = true;
	return false;
}

static bool content_length_is_valid(const char *text)
{
	size_t digits = strspn(text, "0123456789");
	return digits > 0 && digits < 19 && text[digits] == '\0';
}

bool request_check_headers(struct request *rq)
{
	const struct request_headers *h = &rq->headers;
	if (h->count > HTTP_HEADERS_MAX || h->bytes > HTTP_HEADERS_MAX_BYTES) {
		problem_set(&rq->rs, PROBLEM_HEADERS_TOO_LARGE,
			"More than %d header fields or %d bytes of them.", HTTP_HEADERS_MAX,
			HTTP_HEADERS_MAX_BYTES);
		rq->rs.close = true;
		return false;
	}
	if (h->is_unclean)
		return refuse_framing(rq, "A header field has control characters.");
	if (h->is_repeated)
		return refuse_framing(rq, "A header field that may be there once is there twice.");
	if (h->content_length != NULL && h->transfer_encoding != NULL)
		return refuse_framing(
			rq, "Content-Length and Transfer-Encoding exclude each other.");
	if (h->transfer_encoding != NULL
		&& (rq->is_http_1_0 || strcasecmp(h->transfer_encoding, "chunked") != 0))
		return refuse_framing(rq, "The only transfer encoding is chunked, in HTTP/1.1.");
	if (h->content_length != NULL && !content_length_is_valid(h->content_length))
		return refuse_framing(rq, "Content-Length is not a number.");
	if (h->content_length != NULL
		&& strtoull(h->content_length, NULL, 10) > HTTP_BODY_MAX_BYTES) {
		problem_set(&rq->rs, PROBLEM_BODY_TOO_LARGE, "The body is larger than %d bytes.",
			HTTP_BODY_MAX_BYTES);
		rq->rs.close = true;
		return false;
	}
	if (h->expect != NULL && strcasecmp(h->expect, "100-continue") != 0) {
		problem_set(
			&rq->rs, PROBLEM_EXPECTATION_FAILED, "Only 100-continue is understood.");
		rq->rs.close = true;
		return false;
	}
	return true;
}

bool request_uuid(struct request *rq, size_t param, struct uuid *ret)
{
	if (uuid_parse(rq->params[param], ret) == 0)
		return true;
	problem_set(&rq->rs, PROBLEM_NOT_FOUND, "There is no such object.");
	return false;
}
