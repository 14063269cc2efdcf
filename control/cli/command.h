/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_CLI_COMMAND_H
#define CONTROL_CLI_COMMAND_H

#include "control/cli/arguments.h"
#include "control/cli/client.h"
#include "control/cli/exit_code.h"

#include <stdbool.h>

/* One run of the program. */
struct cli {
	struct client *client;
	bool json; /* -o json */
	struct arguments args;
};

/* "nave NOUN VERB OPERANDS…". Help and completion are made from the table. */
struct command {
	const char *noun;
	const char *verb; /* NULL: the noun alone is the command */
	const char *operands; /* words for the help; as many must be given */
	const struct option_rule *options; /* NULL: none */
	const char *help;
	enum exit_code (*run)(struct cli *cli);
};

/* Ended by a row without a noun. */
extern const struct command commands[];

size_t command_operands(const struct command *c);

#endif
