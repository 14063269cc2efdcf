// SPDX-License-Identifier: Apache-2.0
/*
 * From method and path to a row of the table (routes.c). The table is the whole truth: what it
 * does not name does not exist, and a row without a role is for nobody (role 0 is no role).
 */
#include "control/http/router.h"

#include "control/http/text.h"

#include <stdio.h>
#include <string.h>

static bool match_segment(const char *pattern, size_t pattern_len, const char *segment, size_t len)
{
	return pattern_len == len && memcmp(pattern, segment, len) == 0;
}

static bool take_param(const char *segment, size_t len, char ret[256])
{
	if (len == 0 || len >= 256)
		return false;
	memcpy(ret, segment, len);
	ret[len] = '\0';
	return text_percent_decode(ret);
}

/* Both begin with '/'. */
static bool match_path(
	const char *pattern, const char *path, char params[HTTP_PATH_PARAMS_MAX][256])
{
	size_t param_count = 0;
	while (*pattern == '/' && *path == '/') {
		size_t pattern_len = strcspn(++pattern, "/");
		size_t len = strcspn(++path, "/");
		if (pattern[0] == '{') {
			if (param_count == HTTP_PATH_PARAMS_MAX
				|| !take_param(path, len, params[param_count++]))
				return false;
		} else if (!match_segment(pattern, pattern_len, path, len)) {
			return false;
		}
		pattern += pattern_len;
		path += len;
	}
	return *pattern == '\0' && *path == '\0';
}

static void add_method(char allow[64], const char *method)
{
	size_t n = strlen(allow);
	(void)snprintf(allow + n, 64 - n, "%s%s", n > 0 ? ", " : "", method);
}

enum route_match route_find(const char *method, const char *path, const struct route **ret,
	char params[HTTP_PATH_PARAMS_MAX][256], char allow[64])
{
	const char *wanted = strcmp(method, "HEAD") == 0 ? "GET" : method;
	allow[0] = '\0';
	for (const struct route *r = routes; r->method != NULL; r++) {
		if (!match_path(r->path, path, params))
			continue;
		if (strcmp(r->method, wanted) == 0) {
			*ret = r;
			return ROUTE_MATCHED;
		}
		add_method(allow, r->method);
		if (strcmp(r->method, "GET") == 0)
			add_method(allow, "HEAD");
	}
	return allow[0] == '\0' ? ROUTE_NO_PATH : ROUTE_NO_METHOD;
}
