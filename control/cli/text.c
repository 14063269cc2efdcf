// SPDX-License-Identifier: Apache-2.0
/*
 * What is printed: tables, objects, JSON, in columns that fit UTF-8.
 *
 * Names were typed by somebody and come back from the daemon. Here control characters, invalid
 * UTF-8, and characters that are not seen or turn the direction of a line become '?', so that no
 * name can command a terminal or show itself as another. JSON is ASCII for the same reason.
 */
#include "control/cli/text.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

enum {
	CELL_TEXT = 512,
	COLUMNS_MAX = 12,
	PATH_TEXT = 128,
	LINE_TEXT = 4096,
	MEMBER_COLUMNS = 30, /* the API's longest path */
};

/* One character: its bytes (at least 1), and its code; invalid bytes are '?'. */
static size_t next_character(const char *text, wchar_t *ret)
{
	mbstate_t state = {0};
	wchar_t c = L'?';
	/* the state is our own. NOLINTNEXTLINE(concurrency-mt-unsafe) */
	size_t len = mbrtowc(&c, text, strlen(text), &state);
	bool good = len > 0 && len <= MB_LEN_MAX;
	*ret = good ? c : L'?';
	return good ? len : 1;
}

/* Control characters, what is not seen, and what turns the direction of a line around. */
static bool is_dangerous(wchar_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x061c || c == 0xfeff
		|| (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e)
		|| (c >= 0x2060 && c <= 0x206f);
}

void text_print(FILE *out, const char *text)
{
	while (*text != '\0') {
		wchar_t c = L'?';
		size_t len = next_character(text, &c);
		if (is_dangerous(c) || (c == L'?' && *text != '?'))
			(void)fputc('?', out);
		else
			(void)fwrite(text, 1, len, out);
		text += len;
	}
}

void text_print_lines(FILE *out, const char *text)
{
	char line[LINE_TEXT];
	while (*text != '\0') {
		size_t len = strcspn(text, "\n");
		size_t part = len < sizeof(line) ? len : sizeof(line) - 1;
		/* a character is not cut in two */
		while (part > 0 && part < len && ((unsigned char)text[part] & 0xc0) == 0x80)
			part--;
		(void)snprintf(line, sizeof(line), "%.*s", (int)part, text);
		text_print(out, line);
		text += part;
		if (part == len && *text == '\n') {
			(void)fputc('\n', out);
			text++;
		}
	}
	explicit_bzero(line, sizeof(line)); /* profiles hold keys */
}

size_t text_width(const char *text)
{
	size_t width = 0;
	while (*text != '\0') {
		wchar_t c = L'?';
		size_t len = next_character(text, &c);
		int columns = is_dangerous(c) ? 1 : wcwidth(c);
		width += columns > 0 ? (size_t)columns : 0;
		text += len;
	}
	return width;
}

const json_t *text_member(const json_t *object, const char *path)
{
	char name[PATH_TEXT];
	while (object != NULL && *path != '\0') {
		size_t len = strcspn(path, ".");
		(void)snprintf(name, sizeof(name), "%.*s", (int)len, path);
		object = json_object_get(object, name);
		path += len + (path[len] == '.');
	}
	return object;
}

/* jansson walks an object only by a pointer that could change it. */
static json_t *unconst(const json_t *object)
{
	return (json_t *)object;
}

static void format_list(const json_t *list, char *ret, size_t size)
{
	size_t i, at = 0;
	json_t *item;
	(void)snprintf(ret, size, "-");
	json_array_foreach(list, i, item)
	{
		char text[CELL_TEXT];
		text_format(item, text, sizeof(text));
		if (at < size)
			at += (size_t)snprintf(
				ret + at, size - at, "%s%s", i > 0 ? ", " : "", text);
	}
}

static void format_members(const json_t *object, char *ret, size_t size)
{
	const char *name;
	json_t *value;
	size_t at = 0;
	(void)snprintf(ret, size, "-");
	json_object_foreach(unconst(object), name, value)
	{
		char text[CELL_TEXT];
		text_format(value, text, sizeof(text));
		if (at < size)
			at += (size_t)snprintf(
				ret + at, size - at, "%s%s=%s", at > 0 ? ", " : "", name, text);
	}
}

void text_format(const json_t *value, char *ret, size_t size)
{
	(void)snprintf(ret, size, "-");
	switch (value == NULL ? JSON_NULL : json_typeof(value)) {
	case JSON_STRING:
		(void)snprintf(ret, size, "%s", json_string_value(value));
		break;
	case JSON_INTEGER:
		(void)snprintf(ret, size, "%lld", (long long)json_integer_value(value));
		break;
	case JSON_REAL:
		(void)snprintf(ret, size, "%g", json_real_value(value));
		break;
	case JSON_TRUE:
		(void)snprintf(ret, size, "yes");
		break;
	case JSON_FALSE:
		(void)snprintf(ret, size, "no");
		break;
	case JSON_ARRAY:
		format_list(value, ret, size);
		break;
	case JSON_OBJECT:
		format_members(value, ret, size);
		break;
	case JSON_NULL:
		break;
	}
}

static void print_padded(FILE *out, const char *text, size_t width, bool is_last)
{
	text_print(out, text);
	for (size_t n = text_width(text); !is_last && n < width + 2; n++)
		(void)fputc(' ', out);
}

void text_table(FILE *out, const json_t *items, const struct column *columns)
{
	size_t width[COLUMNS_MAX] = {0}, count = 0, i;
	char cell[CELL_TEXT];
	json_t *item;
	for (; count < COLUMNS_MAX && columns[count].title != NULL; count++) {
		width[count] = text_width(columns[count].title);
		json_array_foreach(items, i, item)
		{
			text_format(text_member(item, columns[count].path), cell, sizeof(cell));
			size_t w = text_width(cell);
			width[count] = w > width[count] ? w : width[count];
		}
	}
	for (size_t c = 0; c < count; c++)
		print_padded(out, columns[c].title, width[c], c + 1 == count);
	(void)fputc('\n', out);
	json_array_foreach(items, i, item)
	{
		for (size_t c = 0; c < count; c++) {
			text_format(text_member(item, columns[c].path), cell, sizeof(cell));
			print_padded(out, cell, width[c], c + 1 == count);
		}
		(void)fputc('\n', out);
	}
}

static void print_line(FILE *out, const char *path, const json_t *value)
{
	char cell[CELL_TEXT];
	text_format(value, cell, sizeof(cell));
	print_padded(out, path, MEMBER_COLUMNS, false);
	text_print(out, cell);
	(void)fputc('\n', out);
}

/* A list of objects has a line an object. */
static bool print_objects(FILE *out, const char *path, const json_t *list)
{
	if (!json_is_object(json_array_get(list, 0)))
		return false;
	for (size_t i = 0; i < json_array_size(list); i++)
		print_line(out, path, json_array_get(list, i));
	return true;
}

static void print_members(FILE *out, const json_t *object, const char *before)
{
	const char *name;
	json_t *value;
	json_object_foreach(unconst(object), name, value)
	{
		char path[PATH_TEXT];
		(void)snprintf(path, sizeof(path), "%s%s", before, name);
		if (json_is_object(value) && json_object_size(value) > 0) {
			(void)snprintf(path, sizeof(path), "%s%s.", before, name);
			print_members(out, value, path);
			continue;
		}
		if (!print_objects(out, path, value))
			print_line(out, path, value);
	}
}

void text_object(FILE *out, const json_t *object)
{
	print_members(out, object, "");
}

void text_json(FILE *out, const json_t *value)
{
	/* ASCII only: a terminal shows what it is */
	(void)json_dumpf(value, out, JSON_INDENT(2) | JSON_ENSURE_ASCII);
	(void)fputc('\n', out);
}
