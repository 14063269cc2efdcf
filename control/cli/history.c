// SPDX-License-Identifier: Apache-2.0
/* What was: bandwidth of an instance or a peer by hour and day, and who was connected when. */
#include "control/cli/noun.h"
#include "control/cli/nouns.h"

#include <stdio.h>
#include <stdlib.h>

const struct option_rule bandwidth_options[] = {
	{"by", "hour|day", false, false, "else hour"},
	{"from", "TIME", false, false, "as 2030-12-31T00:00:00Z; else the last day, by day 30"},
	{"to", "TIME", false, false, "else now"},
	{0},
};

static const struct column bandwidth_columns[] = {
	{"BEGINS", "at"},
	{"RECEIVED", "rx_bytes"},
	{"SENT", "tx_bytes"},
	{"PACKETS RECEIVED", "rx_packets"},
	{"PACKETS SENT", "tx_packets"},
	{0},
};

/* Takes path over; NULL without memory. */
static char *add_option(struct cli *cli, char *path, const char *name)
{
	const char *value = argument(&cli->args, name);
	if (path == NULL || value == NULL)
		return path;
	char *longer = client_query(cli->client, path, name, value);
	free(path);
	return longer;
}

static enum exit_code list_bandwidth(struct cli *cli, const char *object)
{
	char *path;
	if (asprintf(&path, "%s/bandwidth", object) < 0)
		return EXIT_CODE_FAILED;
	path = add_option(cli, path, "by");
	path = add_option(cli, path, "from");
	path = add_option(cli, path, "to");
	enum exit_code code =
		path != NULL ? noun_list(cli, path, bandwidth_columns) : EXIT_CODE_FAILED;
	free(path);
	return code;
}

enum exit_code instances_bandwidth(struct cli *cli)
{
	return with_instance(cli, list_bandwidth);
}

enum exit_code peers_bandwidth(struct cli *cli)
{
	return peers_with_one(cli, list_bandwidth);
}

static const struct column session_columns[] = {
	{"PEER", "peer_name"},
	{"SINCE", "since"},
	{"UNTIL", "until"},
	{"FROM", "connected_from"},
	{"PROTOCOL", "protocol"},
	{"RECEIVED", "rx_bytes"},
	{"SENT", "tx_bytes"},
	{"ENDED", "end_reason"},
	{0},
};

static enum exit_code list_sessions(struct cli *cli, const char *object)
{
	char *path;
	if (asprintf(&path, "%s/sessions", object) < 0)
		return EXIT_CODE_FAILED;
	enum exit_code code = noun_list(cli, path, session_columns);
	free(path);
	return code;
}

enum exit_code instances_sessions(struct cli *cli)
{
	return with_instance(cli, list_sessions);
}

enum exit_code peers_sessions(struct cli *cli)
{
	return peers_with_one(cli, list_sessions);
}
