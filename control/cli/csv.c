// SPDX-License-Identifier: Apache-2.0
/*
 * A file is taken whole or refused at its first line that is not well-formed: a quote in the middle
 * of a cell, one that never ends, bytes that are no UTF-8. The mark that some programs put in front,
 * both kinds of line ends, and an end without one are all right.
 */
#include "control/cli/csv.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const char byte_order_mark[] = "\xef\xbb\xbf";

struct reader {
	struct csv *csv;
	const char *file;
	char *in, *out, *end; /* cells are moved to the left over the quotes that they lose */
	unsigned int line;
};

static bool complain(const struct reader *r, const char *why)
{
	(void)fprintf(stderr, "nave: %s:%u: %s\n", r->file, r->line, why);
	return false;
}

static bool complain_file(const char *path, const char *why)
{
	(void)fprintf(stderr, "nave: %s: %s\n", path, why);
	return false;
}

static struct csv_row *add_row(struct reader *r)
{
	struct csv *csv = r->csv;
	if (csv->count == CSV_ROWS_MAX) {
		(void)complain(r, "too many lines");
		return NULL;
	}
	/* doubled at each power of two */
	if ((csv->count & (csv->count - 1)) == 0) {
		size_t room = csv->count == 0 ? 1 : csv->count * 2;
		struct csv_row *rows = reallocarray(csv->rows, room, sizeof(*rows));
		if (rows == NULL) {
			(void)complain(r, "out of memory");
			return NULL;
		}
		csv->rows = rows;
	}
	struct csv_row *row = &csv->rows[csv->count++];
	*row = (struct csv_row){.line = r->line};
	return row;
}

/* Behind the opening quote, up to behind the closing one. */
static bool read_quoted(struct reader *r)
{
	unsigned int began = r->line;
	for (r->in++; r->in < r->end; r->in++) {
		if (*r->in == '"' && r->in + 1 < r->end && r->in[1] == '"')
			r->in++;
		else if (*r->in == '"') {
			r->in++;
			return r->in == r->end || strchr(",\r\n", *r->in) != NULL
				|| complain(r, "there is something behind a closing quote");
		}
		r->line += *r->in == '\n';
		*r->out++ = *r->in;
	}
	r->line = began;
	return complain(r, "the quote has no end");
}

static bool read_plain(struct reader *r)
{
	for (; r->in < r->end && strchr(",\r\n", *r->in) == NULL; r->in++) {
		if (*r->in == '"')
			return complain(r, "a cell with quotes must begin and end with one");
		*r->out++ = *r->in;
	}
	return true;
}

static bool read_cell(struct reader *r, struct csv_row *row)
{
	char *cell = r->out;
	if (row->count == CSV_CELLS_MAX)
		return complain(r, "too many cells");
	if (!(r->in < r->end && *r->in == '"' ? read_quoted(r) : read_plain(r)))
		return false;
	row->cell[row->count++] = cell;
	return true;
}

/* Behind its last cell, or behind the comma. *ret_ends: the row is over. */
static bool read_separator(struct reader *r, bool *ret_ends)
{
	char c = r->in < r->end ? *r->in : '\n';
	*ret_ends = c != ',';
	if (r->in < r->end)
		r->in++;
	if (c == '\r' && r->in < r->end && *r->in != '\n')
		return complain(r, "a carriage return stands alone");
	if (c == '\r' && r->in < r->end)
		r->in++;
	*r->out++ = '\0'; /* where the separator was, or to the left of it */
	r->line += *ret_ends;
	return true;
}

static bool check_cells(const struct reader *r, const struct csv_row *row)
{
	for (size_t i = 0; i < row->count; i++) {
		json_t *judge = json_string(row->cell[i]);
		bool good = judge != NULL;
		json_decref(judge);
		if (good)
			continue;
		(void)fprintf(stderr, "nave: %s:%u: is not UTF-8\n", r->file, row->line);
		return false;
	}
	return true;
}

static bool read_row(struct reader *r)
{
	bool ends = false;
	struct csv_row *row = add_row(r);
	while (row != NULL && !ends) {
		if (!read_cell(r, row) || !read_separator(r, &ends))
			return false;
	}
	if (row == NULL || !check_cells(r, row))
		return false;
	if (row->count == 1 && row->cell[0][0] == '\0')
		r->csv->count--;
	return true;
}

bool csv_parse(char *text, size_t len, const char *file, struct csv *ret)
{
	size_t mark = strncmp(text, byte_order_mark, 3) == 0 ? 3 : 0;
	struct reader r = {ret, file, text + mark, text, text + len, 1};
	memset(ret, 0, sizeof(*ret));
	ret->text = text;
	bool good =
		memchr(text, '\0', len) == NULL || complain_file(file, "has a NUL byte: no text");
	while (good && r.in < r.end)
		good = read_row(&r);
	if (!good)
		csv_free(ret);
	return good;
}

bool csv_read(const char *path, struct csv *ret)
{
	FILE *f = fopen(path, "re");
	char *text = f != NULL ? malloc(CSV_BYTES_MAX + 1) : NULL;
	memset(ret, 0, sizeof(*ret));
	if (text == NULL) {
		bool ok = complain_file(path, strerrordesc_np(errno));
		if (f != NULL)
			(void)fclose(f);
		return ok;
	}
	size_t len = fread(text, 1, CSV_BYTES_MAX, f);
	const char *why = ferror(f) != 0 ? "cannot be read"
		: fgetc(f) != EOF	 ? "is larger than 8 MiB"
					 : NULL;
	(void)fclose(f);
	text[len] = '\0';
	if (why == NULL)
		return csv_parse(text, len, path, ret);
	free(text);
	return complain_file(path, why);
}

void csv_free(struct csv *csv)
{
	free(csv->text);
	free(csv->rows);
	memset(csv, 0, sizeof(*csv));
}

size_t csv_column(const struct csv_row *titles, const char *title)
{
	for (size_t i = 0; i < titles->count; i++) {
		if (strcmp(titles->cell[i], title) == 0)
			return i;
	}
	return CSV_CELLS_MAX;
}

void csv_print_cell(FILE *out, const char *cell)
{
	bool quotes = strpbrk(cell, ",\"\r\n") != NULL || cell[0] == ' ';
	if (!quotes) {
		(void)fputs(cell, out);
		return;
	}
	(void)fputc('"', out);
	for (; *cell != '\0'; cell++) {
		if (*cell == '"')
			(void)fputc('"', out);
		(void)fputc(*cell, out);
	}
	(void)fputc('"', out);
}
