// SPDX-License-Identifier: Apache-2.0
/* nave share-links: by which somebody without a key of the API gets her profile, once. */
#include "control/cli/noun.h"
#include "control/cli/nouns.h"

#include <stdio.h>
#include <stdlib.h>

const struct option_rule share_links_create_options[] = {
	{"expires-in", "SECONDS", false, false, "else 86400, a day; up to a week"},
	{"expires-at", "TIME", false, false, "or when, as 2030-12-31T23:59:59Z"},
	{0},
};

static const struct column columns[] = {
	{"STATE", "state"},
	{"CREATED", "created_at"},
	{"EXPIRES", "expires_at"},
	{"OPENED", "opened_at"},
	{"REVEALED", "revealed_at"},
	{"ID", "id"},
	{0},
};

/* "PEER/share-links", to be freed; NULL without memory. */
static char *links_path(const char *peer)
{
	char *path;
	return asprintf(&path, "%s/share-links", peer) < 0 ? NULL : path;
}

static enum exit_code list(struct cli *cli, const char *peer)
{
	char *path = links_path(peer);
	enum exit_code code = path != NULL ? noun_list(cli, path, columns) : EXIT_CODE_FAILED;
	free(path);
	return code;
}

enum exit_code share_links_list(struct cli *cli)
{
	return peers_with_one(cli, list);
}

static enum exit_code create(struct cli *cli, const char *peer)
{
	char *path = links_path(peer);
	json_t *body = json_object();
	enum exit_code code = path != NULL ? EXIT_CODE_OK : EXIT_CODE_FAILED;
	noun_put_text(cli, body, "expires-at", "expires_at");
	if (code == EXIT_CODE_OK && !noun_put_number(cli, body, "expires-in", "expires_in"))
		code = EXIT_CODE_USAGE;
	if (code == EXIT_CODE_OK)
		code = noun_create(cli, path, body);
	if (code == EXIT_CODE_OK)
		(void)fprintf(
			stderr, "The link is shown this once, and works once: send it now.\n");
	json_decref(body);
	free(path);
	return code;
}

enum exit_code share_links_create(struct cli *cli)
{
	return peers_with_one(cli, create);
}

static enum exit_code delete (struct cli *cli, const char *peer) {
	char *path,
	*list_path = links_path(peer); enum exit_code code = list_path != NULL
		? noun_path(cli, list_path, "share link", cli->args.operand[2], &path)
		: EXIT_CODE_FAILED;
		free(list_path); if (code != EXIT_CODE_OK) return code;
		code = noun_delete(cli, path); free(path); return code;
}

enum exit_code share_links_delete(struct cli *cli)
{
	return peers_with_one(cli, delete);
}
