/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_HTTP_ROUTER_H
#define CONTROL_HTTP_ROUTER_H

#include "control/http/auth.h"
#include "control/http/json.h"
#include "control/http/limits.h"

#include <stdbool.h>
#include <stddef.h>

struct request;

/* Answers through rq->rs. 0, or -errno where there are no better words (problem_from_errno). */
typedef int (*route_handler)(struct request *rq);

enum route_flag {
	ROUTE_IF_MATCH = 1 << 0, /* refused with 428 without it */
	ROUTE_PATCH = 1 << 1, /* the body is a merge patch (RFC 7396) */
	ROUTE_BODY_OPTIONAL = 1 << 2, /* no body is an empty object */
	ROUTE_WRITES = 1 << 3, /* a GET that notes something in the store */
	ROUTE_NOT_KEPT = 1 << 4, /* its answer is a secret that is not kept for a repetition */
	ROUTE_SECRET_PATH = 1 << 5, /* the path is as good as a key: neither logged nor repeated */
};

/* What a key that is bound to one instance may do with a route. */
enum route_reach {
	ROUTE_REACH_WORKSPACE, /* nothing: it is about more than one instance */
	ROUTE_REACH_INSTANCE, /* the first path parameter is the instance: must be its own */
	ROUTE_REACH_ANY, /* everything: it tells nothing about other instances */
};

struct route {
	const char *method;
	const char *path; /* "{x}" matches one segment */
	enum role role; /* the least that may */
	enum route_reach reach;
	route_handler handler;
	unsigned int flags;
	const struct json_field *body; /* NULL: none is taken */
	const char *const *query; /* NULL: none is taken */
};

/* Every route, ended by a row without a method. */
extern const struct route routes[];

enum route_match {
	ROUTE_MATCHED,
	ROUTE_NO_PATH,
	ROUTE_NO_METHOD, /* allow has the methods of the path */
};

/* params get the decoded segments. HEAD is answered by GET's route. */
enum route_match route_find(const char *method, const char *path, const struct route **ret,
	char params[HTTP_PATH_PARAMS_MAX][256], char allow[64]);

#endif
