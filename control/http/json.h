/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_HTTP_JSON_H
#define CONTROL_HTTP_JSON_H

#include "control/http/response.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum json_kind {
	JSON_KIND_STRING,
	JSON_KIND_BOOLEAN,
	JSON_KIND_INTEGER,
	JSON_KIND_OBJECT, /* of fields */
	JSON_KIND_OBJECTS, /* array of such objects */
	JSON_KIND_STRINGS, /* array of strings */
	JSON_KIND_STRING_OR_ARRAY, /* one string, or an array of strings */
	JSON_KIND_STRING_MAP, /* object whose members are all strings */
	JSON_KIND_INTEGER_MAP,
};

/* The grammar of a body is data: a table of these, ended by a row without a name. */
struct json_field {
	const char *name;
	enum json_kind kind;
	bool required;
	bool nullable;
	const struct json_field *fields; /* OBJECT and OBJECTS */
};

/*
 * One JSON value and nothing after it: no duplicate keys, at most HTTP_JSON_DEPTH_MAX deep.
 * NULL with a problem in rs. New reference.
 */
json_t *json_read(const char *text, size_t len, struct response *rs);
/*
 * The value is an object of these fields, nothing missing, nothing unknown, each of its type.
 * false with a problem that names each wrong field. In a merge patch (RFC 7396) nothing is
 * required and null means "take it away".
 */
bool json_check(
	const json_t *value, const struct json_field *fields, bool is_patch, struct response *rs);
/* RFC 7396. Changes target, which must be an object. 0 or -ENOMEM. */
int json_merge(json_t *target, const json_t *patch);

/* Members after json_check: the default when absent or null. Borrowed. */
const char *json_text(const json_t *object, const char *name, const char *otherwise);
bool json_flag(const json_t *object, const char *name, bool otherwise);
json_int_t json_number(const json_t *object, const char *name, json_int_t otherwise);
/* NULL when absent or null. */
const json_t *json_member(const json_t *object, const char *name);

#endif
