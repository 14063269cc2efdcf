/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_HTTP_LIMITS_H
#define CONTROL_HTTP_LIMITS_H

/* What a client can make this daemon hold. Each has its refusal: see request.c and server.c. */
enum {
	HTTP_URI_MAX_BYTES = 4096, /* 414 */
	HTTP_HEADERS_MAX = 64, /* 431 */
	HTTP_HEADERS_MAX_BYTES = 16384, /* 431 */
	HTTP_BODY_MAX_BYTES = 1 << 20, /* 413 */
	HTTP_CONNECTIONS_MAX = 256, /* a listener: further connections wait in the kernel */
	HTTP_CONNECTION_BYTES = 49152, /* of memory that the HTTP library may use for one */
	HTTP_TIMEOUT_S = 10, /* without a byte moving */
	HTTP_REQUEST_TIMEOUT_S = 30, /* for a whole request to arrive */
	HTTP_QUERY_MAX = 16, /* 400 */
	HTTP_PATH_PARAMS_MAX = 3,
	HTTP_JSON_DEPTH_MAX = 32, /* 400 */
	HTTP_JSON_ITEMS_MAX = 10000, /* 400: commas in a body */
	HTTP_ERRORS_MAX = 32, /* entries of errors[] */
	HTTP_IDEMPOTENCY_KEY_MAX = 255, /* 400 */
	HTTP_LIST_LIMIT_MAX = 200, /* 400 */
	HTTP_LIST_LIMIT_DEFAULT = 50,
	HTTP_LONG_POLL_MAX_S = 30,
	HTTP_LONG_POLLS_MAX = 64, /* of hubs, and again of who waits for events: 503 */
	HTTP_EVENT_STREAMS_MAX = 32, /* 503 */
};

#endif
