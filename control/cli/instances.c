// SPDX-License-Identifier: Apache-2.0
/*
 * nave instances: networks and their hubs. create and delete may wait until the hub has followed:
 * they ask again every 100 ms, print the instance as it is in the end, and say what it waits for.
 */
#include "control/cli/noun.h"
#include "control/cli/nouns.h"
#include "dataplane/base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	WAIT_S = 60,
	WAIT_MAX_S = 86400,
	LOOK_MS = 100,
};

static const char list_path[] = "/v1/instances";

const struct option_rule instances_list_options[] = {
	{"state", "STATE", false, false, "only provisioning, ready, degraded, failed or deleting"},
	{0},
};

#define SETTINGS                                                                                   \
	{"network4", "PREFIX", false, false, "inner IPv4 network, /16 to /28; else a random /20"}, \
		{"network6", "PREFIX", false, false, "inner IPv6 network, an RFC 4193 /64"},       \
		{"mtu", "BYTES", false, false, "inside the tunnel, 1280 to 9000; else 1420"},      \
		{"dns", "ADDRESS", false, true, "DNS server for profiles; repeatable"},            \
		{"search-domain", "NAME", false, true, "search domain for profiles; repeatable"},  \
		{"client-routes", "WHICH", false, true,                                            \
			"what split profiles send in: private, advertised, or prefixes"},          \
		{"site-to-site", "on|off", false, false, "may sites reach sites; else on"},        \
		{"client-to-site", "on|off", false, false, "may clients reach sites; else on"},    \
		{"client-to-client", "on|off", false, false,                                       \
			"may clients reach clients; else off"},                                    \
	{                                                                                          \
		"label", "KEY=VALUE", false, true, "label; repeatable; KEY= takes it away"         \
	}

const struct option_rule instances_create_options[] = {
	{"name", "NAME", true, false, "what people call it"},
	{"region", "REGION", false, false, "where its hub runs; else local"},
	SETTINGS,
	{"wait", NULL, false, false, "until it is ready"},
	{"timeout", "SECONDS", false, false, "how long --wait waits; else 60"},
	{0},
};

const struct option_rule instances_update_options[] = {
	{"name", "NAME", false, false, "what people call it"},
	SETTINGS,
	{0},
};

const struct option_rule instances_delete_options[] = {
	{"wait", NULL, false, false, "until its hub has removed it"},
	{"timeout", "SECONDS", false, false, "how long --wait waits; else 60"},
	{0},
};

static const struct column columns[] = {
	{"HOSTNAME", "hostname"},
	{"NAME", "name"},
	{"STATE", "state"},
	{"REGION", "region"},
	{"NETWORK", "networks.ipv4"},
	{"ENDPOINT", "endpoints.wireguard.address"},
	{"PORT", "endpoints.wireguard.port"},
	{"ID", "id"},
	{0},
};

enum exit_code instance_path(struct cli *cli, const char *name, char **ret)
{
	enum exit_code code = noun_find(cli, list_path, "hostname", name, ret);
	if (code != EXIT_CODE_OK || *ret != NULL)
		return code;
	return noun_path(cli, list_path, "instance", name, ret);
}

enum exit_code instances_list(struct cli *cli)
{
	const char *state = argument(&cli->args, "state");
	char *path = state != NULL ? client_query(cli->client, list_path, "state", state)
				   : strdup(list_path);
	enum exit_code code = path != NULL ? noun_list(cli, path, columns) : EXIT_CODE_FAILED;
	free(path);
	return code;
}

enum exit_code with_instance(
	struct cli *cli, enum exit_code (*step)(struct cli *cli, const char *path))
{
	char *path;
	enum exit_code code = instance_path(cli, cli->args.operand[0], &path);
	if (code != EXIT_CODE_OK)
		return code;
	code = step(cli, path);
	free(path);
	return code;
}

enum exit_code instances_show(struct cli *cli)
{
	return with_instance(cli, noun_show);
}

/* "private", "advertised", or the prefixes as a list. */
static void put_client_routes(const struct cli *cli, json_t *body)
{
	const char *first = argument(&cli->args, "client-routes");
	json_t *routing = json_object();
	if (first != NULL && strchr(first, '/') == NULL)
		(void)json_object_set_new(routing, "client_routes", json_string(first));
	else
		noun_put_list(cli, routing, "client-routes", "client_routes");
	if (json_object_size(routing) > 0)
		(void)json_object_set(body, "routing", routing);
	json_decref(routing);
}

static void put_object(json_t *body, const char *name, json_t *object)
{
	if (json_object_size(object) > 0)
		(void)json_object_set(body, name, object);
	json_decref(object);
}

static bool put_settings(const struct cli *cli, json_t *body)
{
	json_t *networks = json_object(), *dns = json_object(), *access = json_object();
	noun_put_text(cli, body, "name", "name");
	noun_put_text(cli, networks, "network4", "ipv4");
	noun_put_text(cli, networks, "network6", "ipv6");
	noun_put_list(cli, dns, "dns", "servers");
	noun_put_list(cli, dns, "search-domain", "search_domains");
	put_client_routes(cli, body);
	bool good = noun_put_number(cli, body, "mtu", "mtu")
		&& noun_put_switch(cli, access, "site-to-site", "site_to_site")
		&& noun_put_switch(cli, access, "client-to-site", "client_to_site")
		&& noun_put_switch(cli, access, "client-to-client", "client_to_client")
		&& noun_put_labels(cli, body);
	put_object(body, "networks", networks);
	put_object(body, "dns", dns);
	put_object(body, "access", access);
	return good;
}

/* false after a line on standard error. */
static bool read_timeout(const struct cli *cli, uint64_t *ret_deadline)
{
	json_t *read = json_object();
	bool good = noun_put_number(cli, read, "timeout", "s");
	const json_t *value = json_object_get(read, "s");
	json_int_t seconds = value != NULL ? json_integer_value(value) : WAIT_S;
	json_decref(read);
	if (good && (seconds < 1 || seconds > WAIT_MAX_S)) {
		(void)fprintf(stderr, "nave: --timeout must be 1 to %d\n", WAIT_MAX_S);
		good = false;
	}
	if (good)
		*ret_deadline = clock_monotonic_ns() + (uint64_t)seconds * NS_PER_SEC;
	return good;
}

static void say_where_it_stands(const json_t *instance)
{
	size_t i;
	json_t *condition;
	json_array_foreach(json_object_get(instance, "conditions"), i, condition)
	{
		if (json_is_true(json_object_get(condition, "status")))
			continue;
		(void)fprintf(stderr, "nave: ");
		text_print(stderr, json_string_value(json_object_get(condition, "message")));
		(void)fprintf(stderr, "\n");
		return;
	}
}

/* Prints the instance as it is in the end. */
static enum exit_code wait_until_ready(struct cli *cli, const char *path, uint64_t deadline)
{
	static const struct timespec pause = {.tv_nsec = LOOK_MS * 1000000L};
	for (;;) {
		struct answer a;
		enum exit_code code = client_call(cli->client, "GET", path, NULL, NULL, &a);
		if (code != EXIT_CODE_OK)
			return code;
		const char *state = json_string_value(json_object_get(a.json, "state"));
		bool ready = state != NULL && strcmp(state, "ready") == 0;
		bool failed = state != NULL && strcmp(state, "failed") == 0;
		bool late = clock_monotonic_ns() > deadline;
		if (ready || failed || late) {
			noun_print(cli, a.json);
			if (!ready)
				say_where_it_stands(a.json);
			answer_fini(&a);
			return ready ? EXIT_CODE_OK : failed ? EXIT_CODE_FAILED : EXIT_CODE_TIMEOUT;
		}
		answer_fini(&a);
		(void)nanosleep(&pause, NULL);
	}
}

static enum exit_code create(struct cli *cli, const json_t *body)
{
	struct answer a;
	char path[128];
	uint64_t deadline;
	if (!read_timeout(cli, &deadline))
		return EXIT_CODE_USAGE;
	if (!argument_is_given(&cli->args, "wait"))
		return noun_create(cli, list_path, body);
	enum exit_code code = client_call(cli->client, "POST", list_path, body, NULL, &a);
	if (code != EXIT_CODE_OK)
		return code;
	(void)snprintf(path, sizeof(path), "%s/%s", list_path,
		json_string_value(json_object_get(a.json, "id")));
	answer_fini(&a);
	return wait_until_ready(cli, path, deadline);
}

enum exit_code instances_create(struct cli *cli)
{
	const char *region = argument(&cli->args, "region");
	json_t *body = json_pack("{s:s, s:s}", "hostname", cli->args.operand[0], "region",
		region != NULL ? region : "local");
	enum exit_code code = put_settings(cli, body) ? create(cli, body) : EXIT_CODE_USAGE;
	json_decref(body);
	return code;
}

static enum exit_code update(struct cli *cli, const char *path)
{
	json_t *patch = json_object();
	enum exit_code code =
		put_settings(cli, patch) ? noun_update(cli, path, patch) : EXIT_CODE_USAGE;
	json_decref(patch);
	return code;
}

enum exit_code instances_update(struct cli *cli)
{
	return with_instance(cli, update);
}

/* Gone is when the list does not have it any more: a GET would complain. */
static bool is_gone(struct cli *cli, const char *path, enum exit_code *ret)
{
	json_t *items, *item;
	size_t i;
	bool found = false;
	*ret = client_list(cli->client, list_path, &items);
	if (*ret != EXIT_CODE_OK)
		return true;
	json_array_foreach(items, i, item)
	{
		const char *id = json_string_value(json_object_get(item, "id"));
		found |= id != NULL && strcmp(id, path + sizeof(list_path)) == 0;
	}
	json_decref(items);
	return !found;
}

static enum exit_code delete_instance(struct cli *cli, const char *path)
{
	static const struct timespec pause = {.tv_nsec = LOOK_MS * 1000000L};
	uint64_t deadline;
	if (!read_timeout(cli, &deadline))
		return EXIT_CODE_USAGE;
	enum exit_code code = noun_delete(cli, path);
	if (code != EXIT_CODE_OK || !argument_is_given(&cli->args, "wait"))
		return code;
	while (!is_gone(cli, path, &code)) {
		if (clock_monotonic_ns() > deadline)
			return EXIT_CODE_TIMEOUT;
		(void)nanosleep(&pause, NULL);
	}
	return code;
}

enum exit_code instances_delete(struct cli *cli)
{
	return with_instance(cli, delete_instance);
}

static enum exit_code retry(struct cli *cli, const char *path)
{
	return noun_action(cli, path, "retry");
}

enum exit_code instances_retry(struct cli *cli)
{
	return with_instance(cli, retry);
}

const struct option_rule instances_move_options[] = {
	{"hub", "HUB", true, false, "where it goes"},
	{0},
};

static enum exit_code move(struct cli *cli, const char *path)
{
	char action[160];
	json_t *hub;
	enum exit_code code = hubs_find(cli, argument(&cli->args, "hub"), &hub);
	if (code != EXIT_CODE_OK)
		return code;
	json_t *body = json_pack("{s:O}", "hub_id", json_object_get(hub, "id"));
	(void)snprintf(action, sizeof(action), "%s/move", path);
	code = noun_create(cli, action, body);
	json_decref(body);
	json_decref(hub);
	return code;
}

enum exit_code instances_move(struct cli *cli)
{
	return with_instance(cli, move);
}

static enum exit_code list_routes(struct cli *cli, const char *path)
{
	static const struct column route_columns[] = {
		{"PREFIX", "prefix"}, {"TO", "target"}, {"PEER", "peer_name"}, {0}};
	char *routes;
	if (asprintf(&routes, "%s/routes", path) < 0)
		return EXIT_CODE_FAILED;
	enum exit_code code = noun_list(cli, routes, route_columns);
	free(routes);
	return code;
}

enum exit_code instances_routes(struct cli *cli)
{
	return with_instance(cli, list_routes);
}
