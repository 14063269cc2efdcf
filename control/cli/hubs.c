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

/* There are few hubs, and the API has no filter by name for them. */
enum exit_code hubs_show(struct cli *cli)
{
	const char *wanted = cli->args.operand[0];
	json_t *items, *item;
	size_t i;
	bool found = false;
	enum exit_code code = client_list(cli->client, list_path, &items);
	if (code != EXIT_CODE_OK)
		return code;
	json_array_foreach(items, i, item)
	{
		const char *name = json_string_value(json_object_get(item, "name"));
		const char *id = json_string_value(json_object_get(item, "id"));
		if (found || name == NULL || id == NULL
			|| (strcmp(name, wanted) != 0 && strcmp(id, wanted) != 0))
			continue;
		noun_print(cli, item);
		found = true;
	}
	json_decref(items);
	if (!found)
		(void)fprintf(stderr, "nave: there is no such hub\n");
	return found ? EXIT_CODE_OK : EXIT_CODE_REFUSED;
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
