// SPDX-License-Identifier: Apache-2.0
#include "control/cli/noun.h"
#include "control/cli/nouns.h"

#include <stdlib.h>

static const char list_path[] = "/v1/users";

const struct option_rule users_create_options[] = {
	{"email", "ADDRESS", false, false, "e-mail address"},
	{"label", "KEY=VALUE", false, true, "label; repeatable"},
	{0},
};

const struct option_rule users_update_options[] = {
	{"name", "NAME", false, false, "another name"},
	{"email", "ADDRESS", false, false, "e-mail address"},
	{"label", "KEY=VALUE", false, true, "label; repeatable; KEY= takes it away"},
	{0},
};

static const struct column columns[] = {
	{"NAME", "name"}, {"EMAIL", "email"}, {"STATE", "state"}, {"ID", "id"}, {0}};

enum exit_code users_list(struct cli *cli)
{
	return noun_list(cli, list_path, columns);
}

static enum exit_code with_user(
	struct cli *cli, enum exit_code (*step)(struct cli *cli, const char *path))
{
	char *path;
	enum exit_code code = noun_path(cli, list_path, "user", cli->args.operand[0], &path);
	if (code != EXIT_CODE_OK)
		return code;
	code = step(cli, path);
	free(path);
	return code;
}

enum exit_code users_show(struct cli *cli)
{
	return with_user(cli, noun_show);
}

enum exit_code users_create(struct cli *cli)
{
	json_t *body = json_pack("{s:s}", "name", cli->args.operand[0]);
	noun_put_text(cli, body, "email", "email");
	enum exit_code code =
		noun_put_labels(cli, body) ? noun_create(cli, list_path, body) : EXIT_CODE_USAGE;
	json_decref(body);
	return code;
}

static enum exit_code update(struct cli *cli, const char *path)
{
	json_t *patch = json_object();
	noun_put_text(cli, patch, "name", "name");
	noun_put_text(cli, patch, "email", "email");
	enum exit_code code =
		noun_put_labels(cli, patch) ? noun_update(cli, path, patch) : EXIT_CODE_USAGE;
	json_decref(patch);
	return code;
}

enum exit_code users_update(struct cli *cli)
{
	return with_user(cli, update);
}

static enum exit_code suspend(struct cli *cli, const char *path)
{
	return noun_action(cli, path, "suspend");
}

enum exit_code users_suspend(struct cli *cli)
{
	return with_user(cli, suspend);
}

static enum exit_code resume(struct cli *cli, const char *path)
{
	return noun_action(cli, path, "resume");
}

enum exit_code users_resume(struct cli *cli)
{
	return with_user(cli, resume);
}

enum exit_code users_delete(struct cli *cli)
{
	return with_user(cli, noun_delete);
}
