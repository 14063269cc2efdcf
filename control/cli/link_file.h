/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_CLI_LINK_FILE_H
#define CONTROL_CLI_LINK_FILE_H

#include "control/cli/exit_code.h"
#include "control/cli/people.h"

#include <jansson.h>
#include <stdbool.h>

/* Where share links are written, a line each, as soon as they are made: they are told only once. */
struct link_file {
	const char *path; /* borrowed */
	FILE *stream; /* NULL: not open */
	json_t *names; /* owned: of whom it has one */
};

/*
 * Made new for its owner only; or one of an earlier run, which goes on. Anything else is refused. Told on
 * standard error.
 */
enum exit_code link_file_open(struct link_file *f, const char *path);
bool link_file_has(const struct link_file *f, const char *name);
/* On the disk when it returns. */
enum exit_code link_file_add(struct link_file *f, const struct person *one, const json_t *link);
/* Also for one that is zeroed. */
void link_file_close(struct link_file *f);

#endif
