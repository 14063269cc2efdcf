// SPDX-License-Identifier: Apache-2.0
/*
 * Strict reading of bodies. jansson refuses what is not JSON (trailing garbage, comments, NaN, lone
 * surrogates, overlong UTF-8) and duplicate keys; depth and number of values are limited before
 * it allocates anything. Then the value is held against the route's table of fields, so that an
 * unknown name is refused and never ignored: a typo in a security setting must not pass.
 */
#include "control/http/json.h"

#include "control/http/limits.h"
#include "control/http/problem.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
	POINTER_TEXT = 512,
};

/* Counts brackets and commas outside of strings. */
static bool size_is_bounded(const char *text, size_t len)
{
	unsigned int depth = 0;
	unsigned int items = 0;
	bool in_string = false;
	for (size_t i = 0; i < len; i++) {
		char c = text[i];
		if (in_string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
			continue;
		}
		if (c == '"')
			in_string = true;
		else if (c == '{' || c == '[')
			depth++;
		else if ((c == '}' || c == ']') && depth > 0)
			depth--;
		else if (c == ',')
			items++;
		if (depth > HTTP_JSON_DEPTH_MAX || items > HTTP_JSON_ITEMS_MAX)
			return false;
	}
	return true;
}

json_t *json_read(const char *text, size_t len, struct response *rs)
{
	if (len == 0) {
		problem_set(
			rs, PROBLEM_MALFORMED_BODY, "The body is empty; a JSON object is needed.");
		return NULL;
	}
	if (!size_is_bounded(text, len)) {
		problem_set(rs, PROBLEM_MALFORMED_BODY,
			"The body is nested deeper than %d levels or has more than %d values.",
			HTTP_JSON_DEPTH_MAX, HTTP_JSON_ITEMS_MAX);
		return NULL;
	}
	json_error_t error;
	json_t *value = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
	if (value == NULL) {
		problem_set(rs, PROBLEM_MALFORMED_BODY,
			"The body is not JSON: line %d, column %d: %s", error.line, error.column,
			error.text);
		problem_add(rs, "", "line %d, column %d: %s", error.line, error.column, error.text);
	}
	return value;
}

/* Appends "/name" to a pointer; RFC 6901 section 3 escapes. Cut off where there is no room. */
static void extend_pointer(char ret[POINTER_TEXT], const char *base, const char *name)
{
	size_t n = strnlen(base, POINTER_TEXT - 4);
	memmove(ret, base, n);
	ret[n++] = '/';
	for (const char *c = name; *c != '\0' && n < POINTER_TEXT - 3; c++) {
		if (*c == '~' || *c == '/') {
			ret[n++] = '~';
			ret[n++] = *c == '~' ? '0' : '1';
		} else {
			ret[n++] = *c;
		}
	}
	/* Never cut a UTF-8 sequence: the pointer goes back out as JSON. */
	if (n >= POINTER_TEXT - 3)
		while (n > 0 && ((unsigned char)ret[n - 1] & 0x80) != 0)
			n--;
	ret[n] = '\0';
}

static const char *kind_text(enum json_kind kind)
{
	switch (kind) {
	case JSON_KIND_STRING:
		return "a string";
	case JSON_KIND_BOOLEAN:
		return "true or false";
	case JSON_KIND_INTEGER:
		return "a whole number";
	case JSON_KIND_OBJECT:
		return "an object";
	case JSON_KIND_OBJECTS:
		return "an array of objects";
	case JSON_KIND_STRINGS:
		return "an array of strings";
	case JSON_KIND_STRING_OR_ARRAY:
		return "a string or an array of strings";
	case JSON_KIND_STRING_MAP:
		return "an object of strings";
	case JSON_KIND_INTEGER_MAP:
		return "an object of whole numbers";
	}
	return "something else";
}

static void check_object(const json_t *value, const struct json_field *fields, bool is_patch,
	const char *pointer, struct response *rs);

static void check_strings(const json_t *array, const char *pointer, struct response *rs)
{
	size_t i;
	json_t *item;
	json_array_foreach(array, i, item)
	{
		char index[24];
		char at[POINTER_TEXT];
		(void)snprintf(index, sizeof(index), "%zu", i);
		extend_pointer(at, pointer, index);
		if (!json_is_string(item))
			problem_add(rs, at, "must be a string");
	}
}

static void check_objects(const json_t *array, const struct json_field *fields, const char *pointer,
	struct response *rs)
{
	size_t i;
	json_t *item;
	json_array_foreach(array, i, item)
	{
		char index[24];
		char at[POINTER_TEXT];
		(void)snprintf(index, sizeof(index), "%zu", i);
		extend_pointer(at, pointer, index);
		check_object(item, fields, false, at, rs);
	}
}

static void check_map(const json_t *map, const struct json_field *f, bool is_patch,
	const char *pointer, struct response *rs)
{
	const char *name;
	json_t *item;
	/* jansson's iterator takes a non-const object but does not change it. */
	json_object_foreach((json_t *)map, name, item)
	{
		char at[POINTER_TEXT];
		extend_pointer(at, pointer, name);
		bool ok = f->kind == JSON_KIND_STRING_MAP ? json_is_string(item)
							  : json_is_integer(item);
		if (!ok && !(is_patch && json_is_null(item)))
			problem_add(rs, at, "must be %s",
				f->kind == JSON_KIND_STRING_MAP ? "a string" : "a whole number");
	}
}

static bool type_fits(const json_t *value, enum json_kind kind)
{
	switch (kind) {
	case JSON_KIND_STRING:
		return json_is_string(value);
	case JSON_KIND_BOOLEAN:
		return json_is_boolean(value);
	case JSON_KIND_INTEGER:
		return json_is_integer(value);
	case JSON_KIND_OBJECT:
	case JSON_KIND_STRING_MAP:
	case JSON_KIND_INTEGER_MAP:
		return json_is_object(value);
	case JSON_KIND_OBJECTS:
	case JSON_KIND_STRINGS:
		return json_is_array(value);
	case JSON_KIND_STRING_OR_ARRAY:
		return json_is_string(value) || json_is_array(value);
	}
	return false;
}

static void check_field(const json_t *value, const struct json_field *f, bool is_patch,
	const char *pointer, struct response *rs)
{
	if (json_is_null(value)) {
		if (!f->nullable && !is_patch)
			problem_add(rs, pointer, "must be %s, not null", kind_text(f->kind));
		return;
	}
	if (!type_fits(value, f->kind)) {
		problem_add(rs, pointer, "must be %s", kind_text(f->kind));
		return;
	}
	if (f->kind == JSON_KIND_OBJECT)
		check_object(value, f->fields, is_patch, pointer, rs);
	else if (f->kind == JSON_KIND_OBJECTS)
		check_objects(value, f->fields, pointer, rs);
	else if (json_is_array(value))
		check_strings(value, pointer, rs);
	else if (f->kind == JSON_KIND_STRING_MAP || f->kind == JSON_KIND_INTEGER_MAP)
		check_map(value, f, is_patch, pointer, rs);
}

static const struct json_field *find_field(const struct json_field *fields, const char *name)
{
	for (const struct json_field *f = fields; f->name != NULL; f++)
		if (strcmp(f->name, name) == 0)
			return f;
	return NULL;
}

static void check_object(const json_t *value, const struct json_field *fields, bool is_patch,
	const char *pointer, struct response *rs)
{
	if (!json_is_object(value)) {
		problem_add(rs, pointer, "must be an object");
		return;
	}
	const char *name;
	json_t *member;
	char at[POINTER_TEXT];
	json_object_foreach((json_t *)value, name, member)
	{
		const struct json_field *f = find_field(fields, name);
		extend_pointer(at, pointer, name);
		if (f == NULL)
			problem_add(rs, at, "is not a field that can be set here");
		else
			check_field(member, f, is_patch, at, rs);
	}
	for (const struct json_field *f = fields; f->name != NULL && !is_patch; f++) {
		if (!f->required || json_object_get(value, f->name) != NULL)
			continue;
		extend_pointer(at, pointer, f->name);
		problem_add(rs, at, "is required");
	}
}

bool json_check(
	const json_t *value, const struct json_field *fields, bool is_patch, struct response *rs)
{
	size_t before = json_array_size(rs->errors);
	check_object(value, fields, is_patch, "", rs);
	size_t wrong = json_array_size(rs->errors) - before;
	if (wrong == 0)
		return true;
	problem_set(rs, PROBLEM_MALFORMED_BODY, "%zu field%s of the body cannot be understood.",
		wrong, wrong == 1 ? "" : "s");
	return false;
}

int json_merge(json_t *target, const json_t *patch)
{
	const char *name;
	json_t *value;
	json_object_foreach((json_t *)patch, name, value)
	{
		json_t *old = json_object_get(target, name);
		int rc;
		if (json_is_null(value)) {
			(void)json_object_del(target, name);
			continue;
		}
		if (!json_is_object(value)) {
			rc = json_object_set(target, name, value);
		} else if (json_is_object(old)) {
			rc = json_merge(old, value);
		} else {
			json_t *fresh = json_object();
			rc = fresh == NULL ? -1 : json_merge(fresh, value);
			if (rc == 0)
				rc = json_object_set(target, name, fresh);
			json_decref(fresh);
		}
		if (rc < 0)
			return -ENOMEM;
	}
	return 0;
}

const json_t *json_member(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);
	return json_is_null(value) ? NULL : value;
}

const char *json_text(const json_t *object, const char *name, const char *otherwise)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text != NULL ? text : otherwise;
}

bool json_flag(const json_t *object, const char *name, bool otherwise)
{
	const json_t *value = json_object_get(object, name);
	return json_is_boolean(value) ? json_is_true(value) : otherwise;
}

json_int_t json_number(const json_t *object, const char *name, json_int_t otherwise)
{
	const json_t *value = json_object_get(object, name);
	return json_is_integer(value) ? json_integer_value(value) : otherwise;
}
