// SPDX-License-Identifier: Apache-2.0
/* "Is my network all right?": one line says so, and then what is not. */
#include "control/cli/noun.h"
#include "control/cli/nouns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct status {
	json_t *hubs, *instances; /* owned */
	json_t *rows; /* owned: an instance with the number of its peers */
	json_t *troubles; /* owned */
};

static void add_trouble(struct status *s, const char *what, const json_t *name, const char *why)
{
	const char *text = json_string_value(name);
	(void)json_array_append_new(s->troubles,
		json_pack("{s:s, s:s, s:s}", "kind", what, "name", text != NULL ? text : "-",
			"reason", why != NULL ? why : "-"));
}

static void judge_hubs(struct status *s)
{
	size_t i;
	json_t *hub;
	if (json_array_size(s->hubs) == 0)
		add_trouble(s, "hub", NULL, "none is enrolled; is nave-node running?");
	json_array_foreach(s->hubs, i, hub)
	{
		if (!json_is_true(json_object_get(hub, "connected")))
			add_trouble(s, "hub", json_object_get(hub, "name"),
				"does not report; look at nave-node there");
	}
}

/* Neither certificates nor names in DNS keep an instance from being ready. */
static bool is_needed(const json_t *condition)
{
	const char *type = json_string_value(json_object_get(condition, "type"));
	return type != NULL && strcmp(type, "CertificatesReady") != 0
		&& strcmp(type, "DnsPublished") != 0;
}

static const char *first_reason(const json_t *instance)
{
	size_t i;
	json_t *condition;
	json_array_foreach(json_object_get(instance, "conditions"), i, condition)
	{
		if (is_needed(condition) && !json_is_true(json_object_get(condition, "status")))
			return json_string_value(json_object_get(condition, "message"));
	}
	return "";
}

static void judge_instances(struct status *s)
{
	size_t i;
	json_t *instance;
	json_array_foreach(s->instances, i, instance)
	{
		const char *state = json_string_value(json_object_get(instance, "state"));
		if (state != NULL && strcmp(state, "ready") != 0)
			add_trouble(s, "instance", json_object_get(instance, "hostname"),
				first_reason(instance));
	}
}

/* Sites that should be there and are not; people come and go. */
static void judge_peers(struct status *s, const json_t *instance, const json_t *peers)
{
	size_t i, connected = 0;
	json_t *peer;
	json_array_foreach(peers, i, peer)
	{
		const char *type = json_string_value(json_object_get(peer, "type"));
		const char *state = json_string_value(json_object_get(peer, "state"));
		const char *why = json_string_value(json_object_get(peer, "why_not_connected"));
		bool is_connected = json_is_true(json_object_get(peer, "connected"));
		connected += is_connected;
		if (!is_connected && type != NULL && strcmp(type, "site") == 0 && state != NULL
			&& strcmp(state, "active") == 0)
			add_trouble(s, "site", json_object_get(peer, "name"),
				why != NULL ? why : "is not connected");
	}
	(void)json_array_append_new(s->rows,
		json_pack("{s:O?, s:O?, s:O?, s:I, s:I}", "hostname",
			json_object_get(instance, "hostname"), "name",
			json_object_get(instance, "name"), "state",
			json_object_get(instance, "state"), "connected", (json_int_t)connected,
			"peers", (json_int_t)json_array_size(peers)));
}

static enum exit_code read_peers(struct cli *cli, struct status *s)
{
	size_t i;
	json_t *instance;
	enum exit_code code = EXIT_CODE_OK;
	json_array_foreach(s->instances, i, instance)
	{
		char path[128];
		json_t *peers;
		(void)snprintf(path, sizeof(path), "/v1/instances/%s/peers",
			json_string_value(json_object_get(instance, "id")));
		code = client_list(cli->client, path, &peers);
		if (code != EXIT_CODE_OK)
			return code;
		judge_peers(s, instance, peers);
		json_decref(peers);
	}
	return code;
}

static enum exit_code read_status(struct cli *cli, struct status *s)
{
	enum exit_code code = client_list(cli->client, "/v1/hubs", &s->hubs);
	if (code == EXIT_CODE_OK)
		code = client_list(cli->client, "/v1/instances", &s->instances);
	if (code != EXIT_CODE_OK)
		return code;
	judge_hubs(s);
	judge_instances(s);
	return read_peers(cli, s);
}

static void print_trouble(const json_t *trouble)
{
	(void)printf("  %s ", json_string_value(json_object_get(trouble, "kind")));
	text_print(stdout, json_string_value(json_object_get(trouble, "name")));
	(void)printf(": ");
	text_print(stdout, json_string_value(json_object_get(trouble, "reason")));
	(void)printf("\n");
}

static void print_status(const struct cli *cli, const struct status *s)
{
	static const struct column columns[] = {{"INSTANCE", "hostname"}, {"NAME", "name"},
		{"STATE", "state"}, {"CONNECTED", "connected"}, {"PEERS", "peers"}, {0}};
	if (cli->json) {
		json_t *all = json_pack("{s:b, s:O, s:O, s:O}", "healthy",
			json_array_size(s->troubles) == 0, "troubles", s->troubles, "hubs", s->hubs,
			"instances", s->rows);
		text_json(stdout, all);
		json_decref(all);
		return;
	}
	if (json_array_size(s->troubles) > 0)
		(void)printf("Not all is well:\n");
	for (size_t i = 0; i < json_array_size(s->troubles); i++)
		print_trouble(json_array_get(s->troubles, i));
	if (json_array_size(s->troubles) == 0)
		(void)printf("All is well: %zu hub%s, %zu instance%s.\n", json_array_size(s->hubs),
			json_array_size(s->hubs) == 1 ? "" : "s", json_array_size(s->instances),
			json_array_size(s->instances) == 1 ? "" : "s");
	(void)printf("\n");
	text_table(stdout, s->rows, columns);
}

enum exit_code status_show(struct cli *cli)
{
	struct status s = {.rows = json_array(), .troubles = json_array()};
	enum exit_code code = read_status(cli, &s);
	if (code == EXIT_CODE_OK)
		print_status(cli, &s);
	json_decref(s.hubs);
	json_decref(s.instances);
	json_decref(s.rows);
	json_decref(s.troubles);
	return code;
}
