/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_CLI_HELP_H
#define CONTROL_CLI_HELP_H

#include "control/cli/command.h"

#include <stdio.h>

/* All made from the table of commands. */
void help_all(FILE *out);
void help_noun(FILE *out, const char *noun);
void help_command(FILE *out, const struct command *c);
/* For completion: each command with its options on a line, "peers list --connected --state". */
void help_words(FILE *out);

#endif
