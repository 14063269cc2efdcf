/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_HTTP_REQUEST_H
#define CONTROL_HTTP_REQUEST_H

#include "control/http/auth.h"
#include "control/http/limits.h"
#include "control/http/query.h"
#include "control/http/response.h"
#include "dataplane/base/uuid.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct api;
struct event_stream;
struct route;
struct wait_list;

enum {
	REQUEST_PARAM_TEXT = 256,
};

/* Header fields that mean something here; borrowed from the connection, NULL when absent. */
struct request_headers {
	const char *authorization;
	const char *content_type;
	const char *if_match;
	const char *idempotency_key;
	const char *expect;
	const char *transfer_encoding;
	const char *content_length;
	const char *host;
	const char *accept; /* the first of them */
	const char *last_event_id;
	const char *cookie;
	size_t count;
	size_t bytes;
	bool is_repeated; /* one that may be there once is there twice */
	bool is_unclean; /* control characters or NULs */
};

/* One request from its first byte to its answer. Used by one thread at a time. */
struct request {
	struct api *api;
	char *uri; /* as it came; owned */
	char method[16];
	struct request_headers headers;
	bool is_http_1_0;
	bool is_local; /* came over the unix socket from uid peer_uid */
	uid_t peer_uid;

	char *body; /* owned, wiped */
	size_t body_len;
	size_t body_size;
	size_t body_dropped; /* bytes of a body that nobody wants any more */

	struct target target;
	const struct route *route;
	char params[HTTP_PATH_PARAMS_MAX][REQUEST_PARAM_TEXT]; /* decoded, in the path's order */
	struct principal who;
	char request_id[UUID_TEXT];
	json_t *json; /* the body, checked against the route's fields; owned */

	/* A handler that sets wait_until_ns (monotonic) and answers nothing is called again when
	 * there is news after wait_news, or then. */
	uint64_t wait_until_ns;
	uint64_t wait_news;
	struct wait_list *waits; /* for what; NULL: what hubs wait for. Borrowed */
	int64_t waited_after; /* event behind which it looks again */
	bool has_waited;
	struct event_stream *stream; /* owned; NULL: the answer is rs */

	struct response rs;
};

/* uri is copied. NULL without memory. */
struct request *request_new(struct api *api, const char *uri);
void request_free(struct request *rq);
/* Appends to the body. A body that is too large, or of a request refused already, is dropped. */
void request_take_body(struct request *rq, const char *data, size_t len);
/* What HTTP itself refuses, from the headers alone. false with a problem. */
bool request_check_headers(struct request *rq);
/* The path parameter as a UUID. false with 404: no object has such a name. */
bool request_uuid(struct request *rq, size_t param, struct uuid *ret);

#endif
