/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_CLI_ARGUMENTS_H
#define CONTROL_CLI_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>

enum {
	ARGUMENTS_VALUES_MAX = 256,
	ARGUMENTS_OPERANDS_MAX = 4,
};

/* An option of a command. Tables of these end with a row without a name. */
struct option_rule {
	const char *name; /* without "--" */
	const char *value; /* what the help calls its value; NULL: it has none */
	bool is_required;
	bool is_repeated; /* may be given more than once */
	const char *help;
};

struct argument_value {
	const struct option_rule *rule;
	const char *text; /* "" for an option without a value */
};

/* The words of a command line behind the verb. All text is borrowed from argv. */
struct arguments {
	const char *operand[ARGUMENTS_OPERANDS_MAX];
	size_t operands;
	struct argument_value value[ARGUMENTS_VALUES_MAX];
	size_t values;
};

/*
 * Options and operands in any order; "--" ends the options. wants: how many operands there must
 * be. false, after a line on standard error that names the word.
 */
bool arguments_parse(struct arguments *a, int count, char **words, const struct option_rule *rules,
	size_t wants);
/* NULL when it was not given; the last one when it was given more than once. */
const char *argument(const struct arguments *a, const char *name);
bool argument_is_given(const struct arguments *a, const char *name);
/* The next value of an option behind *at (0 at first); NULL: no more. */
const char *argument_next(const struct arguments *a, const char *name, size_t *at);

#endif
