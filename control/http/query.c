// SPDX-License-Identifier: Apache-2.0
/*
 * The request target. Stricter than RFC 3986 asks: no absolute form, no dot segments, no empty
 * segments, no escaped slashes or percent signs in the path, no parameter twice. Two readers of
 * one URI (a proxy and this daemon) must never see two different paths.
 */
#include "control/http/query.h"

#include "control/http/problem.h"
#include "control/http/text.h"
#include "control/store/api_key.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* %00-%1F, %25, %2E, %2F, %5C: escapes after which two decoders would see two paths. */
static bool escape_is_plain(const char *percent)
{
	static const char *const refused[] = {"%0", "%1", "%25", "%2e", "%2f", "%5c"};
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		if (strncasecmp(percent, refused[i], strlen(refused[i])) == 0)
			return false;
	return true;
}

static bool path_is_plain(const char *path)
{
	if (path[0] != '/' || strstr(path, "//") != NULL)
		return false;
	for (const char *s = path; s != NULL; s = strchr(s + 1, '/')) {
		size_t len = strcspn(s + 1, "/");
		if ((len == 1 && s[1] == '.') || (len == 2 && s[1] == '.' && s[2] == '.'))
			return false;
	}
	for (const char *c = path; *c != '\0'; c++) {
		if ((unsigned char)*c <= 0x20 || (unsigned char)*c >= 0x7f || *c == '\\')
			return false;
		if (*c == '%' && !escape_is_plain(c))
			return false;
	}
	return true;
}

static bool split_params(char *query, struct target *t, struct response *rs)
{
	char *rest = query;
	while (rest != NULL && *rest != '\0') {
		char *pair = strsep(&rest, "&");
		char *value = strchr(pair, '=');
		if (value != NULL)
			*value++ = '\0';
		else
			value = pair + strlen(pair);
		if (t->param_count == HTTP_QUERY_MAX) {
			problem_set(rs, PROBLEM_MALFORMED_REQUEST, "More than %d query parameters.",
				HTTP_QUERY_MAX);
			return false;
		}
		if (pair[0] == '\0' || !text_percent_decode(pair) || !text_percent_decode(value)) {
			problem_set(
				rs, PROBLEM_MALFORMED_REQUEST, "The query is not well encoded.");
			return false;
		}
		if (target_param(t, pair) != NULL) {
			problem_set(rs, PROBLEM_MALFORMED_REQUEST,
				"The query parameter %s is there twice.", pair);
			return false;
		}
		t->params[t->param_count++] = (struct query_param){pair, value};
	}
	return true;
}

bool target_parse(const char *uri, struct target *ret, struct response *rs)
{
	size_t len = strlen(uri);
	ret->param_count = 0;
	ret->buf[0] = '\0';
	ret->path = ret->buf;
	if (len > HTTP_URI_MAX_BYTES) {
		problem_set(rs, PROBLEM_URI_TOO_LONG, "The URI is longer than %d bytes.",
			HTTP_URI_MAX_BYTES);
		return false;
	}
	memcpy(ret->buf, uri, len + 1);
	char *query = strchr(ret->buf, '?');
	if (query != NULL)
		*query++ = '\0';
	if (!path_is_plain(ret->buf)) {
		problem_set(rs, PROBLEM_MALFORMED_REQUEST,
			"The request target must be a plain absolute path.");
		return false;
	}
	return query == NULL || split_params(query, ret, rs);
}

const char *target_param(const struct target *t, const char *name)
{
	for (size_t i = 0; i < t->param_count; i++)
		if (strcmp(t->params[i].name, name) == 0)
			return t->params[i].value;
	return NULL;
}

/* Names under which people put credentials into URIs, where proxies and logs keep them. */
static bool name_is_credential(const char *name)
{
	static const char *const names[] = {
		"token", "access_token", "api_key", "apikey", "key", "authorization", "secret"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcasecmp(name, names[i]) == 0)
			return true;
	return false;
}

/* A token of ours: "nave_sk_" or "nave_nk_" and 43 characters. A name may well begin with nave_. */
static bool value_is_token(const char *value)
{
	return strlen(value) == API_KEY_TEXT - 1
		&& (strncmp(value, "nave_sk_", 8) == 0 || strncmp(value, "nave_nk_", 8) == 0);
}

bool target_secrets_check(const struct target *t, struct response *rs)
{
	for (size_t i = 0; i < t->param_count; i++) {
		if (!name_is_credential(t->params[i].name) && !value_is_token(t->params[i].value))
			continue;
		problem_set(rs, PROBLEM_MALFORMED_REQUEST,
			"Credentials go into the Authorization header, never into the URI.");
		return false;
	}
	return true;
}

bool target_params_check(const struct target *t, const char *const *names, struct response *rs)
{
	for (size_t i = 0; i < t->param_count; i++) {
		bool known = false;
		for (const char *const *n = names; n != NULL && *n != NULL && !known; n++)
			known = strcmp(*n, t->params[i].name) == 0;
		if (known)
			continue;
		problem_set(rs, PROBLEM_MALFORMED_REQUEST,
			"There is no query parameter \"%.64s\" here.", t->params[i].name);
		return false;
	}
	return true;
}

bool target_number(const struct target *t, const char *name, const uint64_t range[2], uint64_t *ret,
	struct response *rs)
{
	const char *text = target_param(t, name);
	if (text == NULL)
		return true;
	char *end;
	errno = 0;
	unsigned long long n = strtoull(text, &end, 10);
	bool digits = text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0;
	if (!digits || n < range[0] || n > range[1]) {
		problem_set(rs, PROBLEM_MALFORMED_REQUEST,
			"The query parameter %s must be a number from %llu to %llu.", name,
			(unsigned long long)range[0], (unsigned long long)range[1]);
		return false;
	}
	*ret = n;
	return true;
}

bool target_choice(const struct target *t, const char *name, const char *const *words,
	const char **ret, struct response *rs)
{
	const char *value = target_param(t, name);
	*ret = value;
	if (value == NULL)
		return true;
	for (const char *const *w = words; *w != NULL; w++) {
		if (strcmp(*w, value) == 0)
			return true;
	}
	problem_set(rs, PROBLEM_MALFORMED_REQUEST, "%s cannot be \"%.64s\".", name, value);
	return false;
}
