/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_HTTP_QUERY_H
#define CONTROL_HTTP_QUERY_H

#include "control/http/limits.h"
#include "control/http/response.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct query_param {
	const char *name;
	const char *value;
};

/* A request target in parts. All text lives in buf, decoded in place. */
struct target {
	char buf[HTTP_URI_MAX_BYTES + 1];
	const char *path; /* still encoded: segments are decoded by the router's match */
	struct query_param params[HTTP_QUERY_MAX];
	size_t param_count;
};

/* Origin-form only (RFC 9112 section 3.2.1). false with a problem. */
bool target_parse(const char *uri, struct target *ret, struct response *rs);
/* NULL when absent. */
const char *target_param(const struct target *t, const char *name);
/* No credentials in the URI, where proxies and logs keep them. false with a problem. */
bool target_secrets_check(const struct target *t, struct response *rs);
/* Every parameter's name is in the list (ended by NULL; NULL: none is). false with a problem. */
bool target_params_check(const struct target *t, const char *const *names, struct response *rs);
/* A decimal number within range[0]..range[1]; *ret stays when it is absent. false with a problem. */
bool target_number(const struct target *t, const char *name, const uint64_t range[2], uint64_t *ret,
	struct response *rs);
/* The parameter if it is one of words (NULL-terminated), NULL when absent; else a problem. */
bool target_choice(const struct target *t, const char *name, const char *const *words,
	const char **ret, struct response *rs);

#endif
