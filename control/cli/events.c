// SPDX-License-Identifier: Apache-2.0
/* nave events: the log, and with --follow what is added to it, by one long poll after the other. */
#include "control/cli/noun.h"
#include "control/cli/nouns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct option_rule events_options[] = {
	{"follow", NULL, false, false, "goes on until it is interrupted"},
	{"last", "NUMBER", false, false, "begins with so many, 1 to 200; else 50"},
	{"after", "ID", false, false, "begins behind this one"},
	{"type", "TYPE", false, false, "only these, as peer.connected or peer.*"},
	{"instance", "INSTANCE", false, false, "only those of one instance"},
	{0},
};

static void print_member(const json_t *event, const char *path, int width)
{
	char text[512];
	text_format(text_member(event, path), text, sizeof(text));
	text_print(stdout, text);
	for (size_t n = text_width(text); width > 0 && n < (size_t)width; n++)
		(void)fputc(' ', stdout);
}

/* A line each, in columns of fixed width: what comes later is not known yet. */
static void print_event(const struct cli *cli, const json_t *event)
{
	if (cli->json) {
		(void)json_dumpf(event, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
		(void)fputc('\n', stdout);
		return;
	}
	print_member(event, "id", 8);
	print_member(event, "at", 22);
	print_member(event, "type", 22);
	print_member(event, "object.name", 24);
	(void)fputc(' ', stdout);
	print_member(event, "data", 0);
	(void)fputc('\n', stdout);
}

/* Takes path over; NULL without memory. */
static char *add(struct cli *cli, char *path, const char *name, const char *value)
{
	if (path == NULL || value == NULL)
		return path;
	char *longer = client_query(cli->client, path, name, value);
	free(path);
	return longer;
}

/* The log with the filters that were given, to be freed. */
static enum exit_code choose_log(struct cli *cli, char **ret)
{
	const char *name = argument(&cli->args, "instance");
	char *instance = NULL;
	enum exit_code code = name != NULL ? instance_path(cli, name, &instance) : EXIT_CODE_OK;
	if (code != EXIT_CODE_OK)
		return code;
	char *path = add(cli, strdup("/v1/events"), "type", argument(&cli->args, "type"));
	path = add(cli, path, "instance_id", instance != NULL ? strrchr(instance, '/') + 1 : NULL);
	free(instance);
	*ret = path;
	return path != NULL ? EXIT_CODE_OK : EXIT_CODE_FAILED;
}

/* One page; *after becomes the id behind which the next begins. path is freed. */
static enum exit_code print_page(struct cli *cli, char *path, char after[24], size_t *ret_count)
{
	struct answer a;
	size_t i;
	json_t *event;
	if (path == NULL)
		return EXIT_CODE_FAILED;
	enum exit_code code = client_call(cli->client, "GET", path, NULL, NULL, &a);
	free(path);
	if (code != EXIT_CODE_OK)
		return code;
	const json_t *items = json_object_get(a.json, "items");
	json_array_foreach(items, i, event)
	{
		print_event(cli, event);
	}
	(void)snprintf(after, 24, "%lld",
		(long long)json_integer_value(json_object_get(a.json, "last_id")));
	*ret_count = json_array_size(items);
	answer_fini(&a);
	return fflush(stdout) == 0 ? EXIT_CODE_OK : EXIT_CODE_FAILED;
}

enum exit_code events_list(struct cli *cli)
{
	const char *last = argument(&cli->args, "last"), *given = argument(&cli->args, "after");
	bool follows = argument_is_given(&cli->args, "follow");
	char after[24] = "", *log = NULL;
	size_t count = 0;
	enum exit_code code = choose_log(cli, &log);
	if (code != EXIT_CODE_OK)
		return code;
	if (last == NULL && given == NULL)
		last = "50";
	char *path = add(cli, strdup(log), "limit", "200");
	path = add(cli, add(cli, path, "last", last), "after", given);
	code = print_page(cli, path, after, &count);
	while (code == EXIT_CODE_OK && (follows || count > 0)) {
		path = add(cli, add(cli, strdup(log), "limit", "200"), "after", after);
		path = add(cli, path, "wait", follows ? "30" : NULL);
		code = print_page(cli, path, after, &count);
	}
	free(log);
	return code;
}
