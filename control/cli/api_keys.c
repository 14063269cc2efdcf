// SPDX-License-Identifier: Apache-2.0
#include "control/cli/noun.h"
#include "control/cli/nouns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char list_path[] = "/v1/api-keys";

const struct option_rule api_keys_create_options[] = {
	{"role", "ROLE", true, false, "viewer, operator or owner"},
	{"instance", "INSTANCE", false, false, "reaches only this instance"},
	{"expires-at", "TIME", false, false, "else in 90 days; never for ever"},
	{0},
};

static const struct column columns[] = {
	{"NAME", "name"},
	{"ROLE", "role"},
	{"INSTANCE", "instance_id"},
	{"EXPIRES", "expires_at"},
	{"LAST USED", "last_used_at"},
	{"ID", "id"},
	{0},
};

enum exit_code api_keys_list(struct cli *cli)
{
	return noun_list(cli, list_path, columns);
}

static enum exit_code put_instance(struct cli *cli, json_t *body)
{
	const char *name = argument(&cli->args, "instance");
	char *path;
	if (name == NULL)
		return EXIT_CODE_OK;
	enum exit_code code = instance_path(cli, name, &path);
	if (code != EXIT_CODE_OK)
		return code;
	(void)json_object_set_new(body, "instance_id", json_string(strrchr(path, '/') + 1));
	free(path);
	return EXIT_CODE_OK;
}

enum exit_code api_keys_create(struct cli *cli)
{
	json_t *body = json_pack("{s:s}", "name", cli->args.operand[0]);
	noun_put_text(cli, body, "role", "role");
	noun_put_time(cli, body, "expires-at", "expires_at");
	enum exit_code code = put_instance(cli, body);
	if (code == EXIT_CODE_OK)
		code = noun_create(cli, list_path, body);
	if (code == EXIT_CODE_OK)
		(void)fprintf(stderr, "The key is shown this once: keep it now.\n");
	json_decref(body);
	return code;
}

enum exit_code api_keys_delete(struct cli *cli)
{
	char *path;
	enum exit_code code = noun_path(cli, list_path, "key", cli->args.operand[0], &path);
	if (code != EXIT_CODE_OK)
		return code;
	code = noun_delete(cli, path);
	free(path);
	return code;
}
