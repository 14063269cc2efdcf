// SPDX-License-Identifier: Apache-2.0
/* nave webhooks: where events are sent, and what could not be. --url is the daemon's, so here it is --target. */
#include "control/cli/noun.h"
#include "control/cli/nouns.h"

#include <stdio.h>
#include <stdlib.h>

static const char list_path[] = "/v1/webhooks";

#define SETTINGS                                                                              \
	{"type", "TYPE", false, true, "only these, as peer.connected or peer.*; repeatable"}, \
	{                                                                                     \
		"label", "KEY=VALUE", false, true, "label; repeatable; KEY= takes it away"    \
	}

const struct option_rule webhooks_create_options[] = {
	{"target", "URL", true, false, "where each event is sent"},
	SETTINGS,
	{0},
};

const struct option_rule webhooks_update_options[] = {
	{"name", "NAME", false, false, "another name"},
	{"target", "URL", false, false, "where each event is sent"},
	{"enabled", "on|off", false, false, "off keeps it and sends nothing"},
	SETTINGS,
	{0},
};

const struct option_rule webhooks_deliveries_options[] = {
	{"state", "pending|dead", false, false, "only these"},
	{0},
};

static const struct column columns[] = {
	{"NAME", "name"},
	{"URL", "url"},
	{"TYPES", "types"},
	{"ENABLED", "enabled"},
	{"PENDING", "pending"},
	{"DEAD", "dead"},
	{"LAST DELIVERED", "last_delivered_at"},
	{"LAST FAILURE", "last_failure.reason"},
	{0},
};

static const struct column delivery_columns[] = {
	{"ID", "id"},
	{"EVENT", "event_id"},
	{"TYPE", "type"},
	{"STATE", "state"},
	{"ATTEMPTS", "attempts"},
	{"NEXT", "next_at"},
	{"LAST FAILURE", "last_failure"},
	{0},
};

enum exit_code webhooks_list(struct cli *cli)
{
	return noun_list(cli, list_path, columns);
}

static enum exit_code with_webhook(
	struct cli *cli, enum exit_code (*step)(struct cli *cli, const char *path))
{
	char *path;
	enum exit_code code = noun_path(cli, list_path, "webhook", cli->args.operand[0], &path);
	if (code != EXIT_CODE_OK)
		return code;
	code = step(cli, path);
	free(path);
	return code;
}

enum exit_code webhooks_show(struct cli *cli)
{
	return with_webhook(cli, noun_show);
}

static bool put_settings(struct cli *cli, json_t *body)
{
	noun_put_text(cli, body, "target", "url");
	noun_put_list(cli, body, "type", "types");
	return noun_put_labels(cli, body);
}

enum exit_code webhooks_create(struct cli *cli)
{
	json_t *body = json_pack("{s:s}", "name", cli->args.operand[0]);
	enum exit_code code =
		put_settings(cli, body) ? noun_create(cli, list_path, body) : EXIT_CODE_USAGE;
	if (code == EXIT_CODE_OK)
		(void)fprintf(stderr, "The secret is shown this once: keep it now.\n");
	json_decref(body);
	return code;
}

static enum exit_code update(struct cli *cli, const char *path)
{
	json_t *patch = json_object();
	noun_put_text(cli, patch, "name", "name");
	bool good = noun_put_switch(cli, patch, "enabled", "enabled") && put_settings(cli, patch);
	enum exit_code code = good ? noun_update(cli, path, patch) : EXIT_CODE_USAGE;
	json_decref(patch);
	return code;
}

enum exit_code webhooks_update(struct cli *cli)
{
	return with_webhook(cli, update);
}

enum exit_code webhooks_delete(struct cli *cli)
{
	return with_webhook(cli, noun_delete);
}

static enum exit_code list_deliveries(struct cli *cli, const char *path)
{
	char *list;
	const char *state = argument(&cli->args, "state");
	if (asprintf(&list, "%s/deliveries", path) < 0)
		return EXIT_CODE_FAILED;
	char *whole = state != NULL ? client_query(cli->client, list, "state", state) : NULL;
	enum exit_code code = state != NULL && whole == NULL
		? EXIT_CODE_FAILED
		: noun_list(cli, whole != NULL ? whole : list, delivery_columns);
	free(whole);
	free(list);
	return code;
}

enum exit_code webhooks_deliveries(struct cli *cli)
{
	return with_webhook(cli, list_deliveries);
}

static enum exit_code redeliver(struct cli *cli, const char *path)
{
	char *list, *one;
	if (asprintf(&list, "%s/deliveries", path) < 0)
		return EXIT_CODE_FAILED;
	/* they have no names: an id is not looked up */
	enum exit_code code = noun_path(cli, list, "delivery", cli->args.operand[1], &one);
	free(list);
	if (code != EXIT_CODE_OK)
		return code;
	code = noun_action(cli, one, "redeliver");
	free(one);
	return code;
}

enum exit_code webhooks_redeliver(struct cli *cli)
{
	return with_webhook(cli, redeliver);
}
