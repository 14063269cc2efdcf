// SPDX-License-Identifier: Apache-2.0
#include "control/cli/noun.h"
#include "control/cli/nouns.h"

#include <stdlib.h>

static const char list_path[] = "/v1/sites";

const struct option_rule sites_create_options[] = {
	{"label", "KEY=VALUE", false, true, "label; repeatable"},
	{0},
};

const struct option_rule sites_update_options[] = {
	{"name", "NAME", false, false, "another name"},
	{"label", "KEY=VALUE", false, true, "label; repeatable; KEY= takes it away"},
	{0},
};

static const struct column columns[] = {{"NAME", "name"}, {"LABELS", "labels"}, {"ID", "id"}, {0}};

enum exit_code sites_list(struct cli *cli)
{
	return noun_list(cli, list_path, columns);
}

static enum exit_code with_site(
	struct cli *cli, enum exit_code (*step)(struct cli *cli, const char *path))
{
	char *path;
	enum exit_code code = noun_path(cli, list_path, "site", cli->args.operand[0], &path);
	if (code != EXIT_CODE_OK)
		return code;
	code = step(cli, path);
	free(path);
	return code;
}

enum exit_code sites_show(struct cli *cli)
{
	return with_site(cli, noun_show);
}

enum exit_code sites_create(struct cli *cli)
{
	json_t *body = json_pack("{s:s}", "name", cli->args.operand[0]);
	enum exit_code code =
		noun_put_labels(cli, body) ? noun_create(cli, list_path, body) : EXIT_CODE_USAGE;
	json_decref(body);
	return code;
}

static enum exit_code update(struct cli *cli, const char *path)
{
	json_t *patch = json_object();
	noun_put_text(cli, patch, "name", "name");
	enum exit_code code =
		noun_put_labels(cli, patch) ? noun_update(cli, path, patch) : EXIT_CODE_USAGE;
	json_decref(patch);
	return code;
}

enum exit_code sites_update(struct cli *cli)
{
	return with_site(cli, update);
}

enum exit_code sites_delete(struct cli *cli)
{
	return with_site(cli, noun_delete);
}
