/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_CLI_CSV_H
#define CONTROL_CLI_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Comma separated values, RFC 4180, as spreadsheets write them. */
enum {
	CSV_CELLS_MAX = 16,
	CSV_ROWS_MAX = 20000,
	CSV_BYTES_MAX = 8 << 20,
};

struct csv_row {
	unsigned int line; /* of the file, where it begins */
	size_t count;
	const char *cell[CSV_CELLS_MAX];
};

struct csv {
	char *text; /* owned; all cells point into it */
	struct csv_row *rows; /* owned; lines that are empty are left out */
	size_t count;
};

/* Takes text over, len bytes with a NUL behind them. false with "FILE:LINE: reason" on standard error. */
bool csv_parse(char *text, size_t len, const char *file, struct csv *ret);
/* The same of a file. */
bool csv_read(const char *path, struct csv *ret);
/* Also for one that is zeroed. */
void csv_free(struct csv *csv);
/* The number of the row's cell with this title; CSV_CELLS_MAX: there is none. */
size_t csv_column(const struct csv_row *titles, const char *title);
/* In quotes where it has to be. */
void csv_print_cell(FILE *out, const char *cell);

#endif
