/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_CLI_CLIENT_H
#define CONTROL_CLI_CLIENT_H

#include "control/cli/exit_code.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* The REST API, by libcurl. What goes wrong is told on standard error, in full. */
struct client;

/* Where the daemon is: a URL with a token, or its unix socket. All borrowed. */
struct client_place {
	const char *socket; /* used when url is NULL */
	const char *url;
	const char *token; /* NULL: none */
};

enum {
	CLIENT_ETAG_TEXT = 64,
};

struct answer {
	long status;
	json_t *json; /* owned; NULL: it is not JSON */
	char *text; /* owned; NUL behind it; NULL: nothing came */
	size_t len;
	char etag[CLIENT_ETAG_TEXT];
	bool is_replayed; /* an earlier run has asked the same, and this was its answer */
};

/* NULL without memory. */
struct client *client_new(const struct client_place *place);
void client_free(struct client *c);
/*
 * One call. body may be NULL; if_match may be NULL. Every POST carries an Idempotency-Key, so it is
 * repeated once when the connection broke. On EXIT_CODE_OK the answer is the caller's to
 * answer_fini; otherwise there is none.
 */
enum exit_code client_call(struct client *c, const char *method, const char *path,
	const json_t *body, const char *if_match, struct answer *ret);
/* A POST under an Idempotency-Key of the caller's, printable ASCII: asked again it is not done twice. */
enum exit_code client_post(struct client *c, const char *path, const json_t *body, const char *key,
	struct answer *ret);
void answer_fini(struct answer *a);
/* All items of a list, page by page: a new array. path may have a query. */
enum exit_code client_list(struct client *c, const char *path, json_t **ret);
/* A query with one more parameter, its value escaped: "?name=a%20b". To be freed. */
char *client_query(struct client *c, const char *path, const char *name, const char *value);

#endif
