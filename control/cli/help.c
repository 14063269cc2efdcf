// SPDX-License-Identifier: Apache-2.0
/*
 * Help in three depths and the words for completion, all from the table in commands.c: an option
 * that is parsed is also told. tests/lint/check_manual.py holds nave(1) to it.
 */
#include "control/cli/help.h"

#include <string.h>

static void print_global(FILE *out)
{
	(void)fputs(
		"Everywhere:\n"
		"  -o, --output table|json   how to print; default table\n"
		"  --socket PATH             nave-control on this machine; default\n"
		"                            /run/nave/control.sock\n"
		"  --url URL                 nave-control elsewhere, with a key: --token-file\n"
		"                            FILE, or the variable NAVE_TOKEN\n"
		"  --token-file FILE         file that holds an API key\n"
		"  --help                    also behind a noun or a command\n"
		"  --version                 the version\n"
		"  --completion-words        all commands with their options, for shells\n"
		"\n"
		"Exit code: 0 done, 1 refused or not there, 2 wrong usage, 3 nave-control does\n"
		"not answer, 4 it could not, 5 --wait was over.\n",
		out);
}

static void print_line(FILE *out, const struct command *c)
{
	char line[96];
	(void)snprintf(line, sizeof(line), "%s%s%s%s%s", c->noun, c->verb != NULL ? " " : "",
		c->verb != NULL ? c->verb : "", c->operands[0] != '\0' ? " " : "", c->operands);
	(void)fprintf(out, "  %-34s %s\n", line, c->help);
}

void help_all(FILE *out)
{
	(void)fputs(
		"nave NOUN VERB [ARGUMENTS] [OPTIONS]\n"
		"\n"
		"The command line of Nave: networks, their sites and people. An instance is named\n"
		"by its hostname, name or id; everything else by its name or id.\n"
		"\n",
		out);
	for (const struct command *c = commands; c->noun != NULL; c++)
		print_line(out, c);
	(void)fputs("\n", out);
	print_global(out);
}

void help_noun(FILE *out, const char *noun)
{
	for (const struct command *c = commands; c->noun != NULL; c++) {
		if (strcmp(c->noun, noun) == 0)
			print_line(out, c);
	}
	(void)fprintf(out, "\nOptions: nave %s VERB --help\n", noun);
}

void help_command(FILE *out, const struct command *c)
{
	(void)fprintf(out, "nave %s%s%s%s%s%s\n\n%s\n", c->noun, c->verb != NULL ? " " : "",
		c->verb != NULL ? c->verb : "", c->operands[0] != '\0' ? " " : "", c->operands,
		c->options != NULL ? " [OPTIONS]" : "", c->help);
	if (c->options != NULL)
		(void)fputc('\n', out);
	for (const struct option_rule *r = c->options; r != NULL && r->name != NULL; r++) {
		char line[64];
		(void)snprintf(line, sizeof(line), "--%s%s%s", r->name, r->value != NULL ? " " : "",
			r->value != NULL ? r->value : "");
		(void)fprintf(
			out, "  %-26s %s%s\n", line, r->help, r->is_required ? " (needed)" : "");
	}
	(void)fputc('\n', out);
	print_global(out);
}

void help_words(FILE *out)
{
	for (const struct command *c = commands; c->noun != NULL; c++) {
		(void)fprintf(out, "%s%s%s", c->noun, c->verb != NULL ? " " : "",
			c->verb != NULL ? c->verb : "");
		for (const struct option_rule *r = c->options; r != NULL && r->name != NULL; r++)
			(void)fprintf(out, " --%s", r->name);
		(void)fputc('\n', out);
	}
}
