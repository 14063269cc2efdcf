// SPDX-License-Identifier: Apache-2.0
/* Where things run: hubs, regions, and the names under which clients find them. */
#include "control/cli/noun.h"
#include "control/cli/nouns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char list_path[] = "/v1/hubs";

static const struct column hub_columns[] = {
	{"NAME", "name"},
	{"REGION", "region"},
	{"CONNECTED", "connected"},
	{"LAST SEEN", "last_seen_at"},
	{"ADDRESSES", "addresses"},
	{"VERSION", "version"},
	{0},
};

enum exit_code hubs_list(struct cli *cli)
{
	return noun_list(cli, list_path, hub_columns);
}

const struct option_rule hubs_create_options[] = {
	{"region", "REGION", true, false, "where it stands, as control.conf has it"},
	{0},
};

/* There are few hubs, and the API has no filter by name for them. */
enum exit_code hubs_find(struct cli *cli, const char *wanted, json_t **ret)
{
	json_t *items, *item;
	size_t i;
	*ret = NULL;
	enum exit_code code = client_list(cli->client, list_path, &items);
	if (code != EXIT_CODE_OK)
		return code;
	json_array_foreach(items, i, item)
	{
		const char *name = json_string_value(json_object_get(item, "name"));
		const char *id = json_string_value(json_object_get(item, "id"));
		if (*ret == NULL && name != NULL && id != NULL
			&& (strcmp(name, wanted) == 0 || strcmp(id, wanted) == 0))
			*ret = json_incref(item);
	}
	json_decref(items);
	if (*ret == NULL)
		(void)fprintf(stderr, "nave: there is no such hub\n");
	return *ret != NULL ? EXIT_CODE_OK : EXIT_CODE_REFUSED;
}

static enum exit_code find_path(struct cli *cli, char ret[128], const char *behind)
{
	json_t *hub;
	enum exit_code code = hubs_find(cli, cli->args.operand[0], &hub);
	if (code == EXIT_CODE_OK)
		(void)snprintf(ret, 128, "%s/%s%s", list_path,
			json_string_value(json_object_get(hub, "id")), behind);
	json_decref(hub);
	return code;
}

enum exit_code hubs_show(struct cli *cli)
{
	json_t *hub;
	enum exit_code code = hubs_find(cli, cli->args.operand[0], &hub);
	if (code == EXIT_CODE_OK)
		noun_print(cli, hub);
	json_decref(hub);
	return code;
}

enum exit_code hubs_create(struct cli *cli)
{
	json_t *body = json_pack("{s:s}", "name", cli->args.operand[0]);
	noun_put_text(cli, body, "region", "region");
	enum exit_code code = noun_create(cli, list_path, body);
	json_decref(body);
	return code;
}

enum exit_code hubs_enrol_token(struct cli *cli)
{
	char path[128];
	enum exit_code code = find_path(cli, path, "/enrol-tokens");
	if (code == EXIT_CODE_OK)
		code = noun_create(cli, path, NULL);
	if (code == EXIT_CODE_OK)
		(void)fprintf(stderr,
			"The token is shown this once and counts once: put it into the file that"
			" enrol_token_file of the hub's node.conf names.\n");
	return code;
}

enum exit_code hubs_delete(struct cli *cli)
{
	char path[128];
	enum exit_code code = find_path(cli, path, "");
	return code == EXIT_CODE_OK ? noun_delete(cli, path) : code;
}

enum exit_code regions_list(struct cli *cli)
{
	static const struct column columns[] = {{"ID", "id"}, {"NAME", "name"}, {0}};
	return noun_list(cli, "/v1/regions", columns);
}

/* A path segment: only what a hostname may be is let through, all else is none. */
enum exit_code hostnames_show(struct cli *cli)
{
	const char *label = cli->args.operand[0];
	char path[128];
	size_t len = strlen(label);
	bool plain = len > 0 && len < 64
		&& strspn(label, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")
			== len;
	if (!plain) {
		(void)fprintf(stderr, "nave: a hostname is made of letters, digits and -\n");
		return EXIT_CODE_REFUSED;
	}
	(void)snprintf(path, sizeof(path), "/v1/hostnames/%s", label);
	return noun_show(cli, path);
}
