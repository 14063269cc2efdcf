/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_CLI_OUT_FILE_H
#define CONTROL_CLI_OUT_FILE_H

#include "control/cli/exit_code.h"

#include <stddef.h>

/*
 * A file for a secret: new, so that no other program has it open already, and for its owner only.
 * It is made before what goes into it is asked for.
 */
struct out_file {
	const char *path; /* borrowed */
	int fd;
};

/* Each says on standard error what is wrong. */
enum exit_code out_file_create(struct out_file *f, const char *path);
enum exit_code out_file_write(const struct out_file *f, const void *data, size_t len);
/* Closes it; removes it when code tells of a failure. Returns code. */
enum exit_code out_file_end(struct out_file *f, enum exit_code code);

#endif
