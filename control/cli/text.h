/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_CLI_TEXT_H
#define CONTROL_CLI_TEXT_H

#include <jansson.h>
#include <stddef.h>
#include <stdio.h>

/* What comes from the daemon was once typed by somebody: no control character reaches a terminal. */
void text_print(FILE *out, const char *text);
/* The same, with its line feeds. */
void text_print_lines(FILE *out, const char *text);
/* Columns that it takes on a terminal. */
size_t text_width(const char *text);

/* A member by its path, "networks.ipv4"; NULL when there is none. Borrowed. */
const json_t *text_member(const json_t *object, const char *path);
/* A value as people read it: lists with commas, null as "-". Cut to size. */
void text_format(const json_t *value, char *ret, size_t size);

/* A column of a list. Tables of these end with a row without a title. */
struct column {
	const char *title;
	const char *path;
};

/* A line an item, aligned. */
void text_table(FILE *out, const json_t *items, const struct column *columns);
/* A line a member, nested ones by their path. */
void text_object(FILE *out, const json_t *object);
void text_json(FILE *out, const json_t *value);

#endif
