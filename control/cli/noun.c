// SPDX-License-Identifier: Apache-2.0
/*
 * What is the same for every noun: find it by id or name, list, show, create, update, delete, act.
 *
 * A name is looked up with the list's filter, so it is the daemon that says what it means. Updates
 * and deletions read the version first and send it as If-Match: what somebody else changed in
 * between is refused, not overwritten. The noun_put functions move options into a JSON body and
 * judge only what could not be sent at all; ranges and rules are the daemon's to tell.
 */
#include "control/cli/noun.h"

#include "dataplane/base/uuid.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum exit_code noun_find(
	struct cli *cli, const char *list, const char *filter, const char *value, char **ret)
{
	struct answer a;
	char *query = client_query(cli->client, list, filter, value);
	*ret = NULL;
	if (query == NULL)
		return EXIT_CODE_FAILED;
	enum exit_code code = client_call(cli->client, "GET", query, NULL, NULL, &a);
	free(query);
	if (code != EXIT_CODE_OK)
		return code;
	const json_t *first = json_array_get(json_object_get(a.json, "items"), 0);
	const char *id = json_string_value(json_object_get(first, "id"));
	if (id != NULL && asprintf(ret, "%s/%s", list, id) < 0)
		code = EXIT_CODE_FAILED;
	answer_fini(&a);
	return code;
}

enum exit_code noun_path(
	struct cli *cli, const char *list, const char *what, const char *name, char **ret)
{
	struct uuid id;
	char text[UUID_TEXT];
	if (uuid_parse(name, &id) == 0)
		return asprintf(ret, "%s/%s", list, uuid_format(&id, text)) < 0 ? EXIT_CODE_FAILED
										: EXIT_CODE_OK;
	enum exit_code code = noun_find(cli, list, "name", name, ret);
	if (code != EXIT_CODE_OK || *ret != NULL)
		return code;
	(void)fprintf(stderr, "nave: there is no %s \"", what);
	text_print(stderr, name);
	(void)fprintf(stderr, "\"\n");
	return EXIT_CODE_REFUSED;
}

void noun_print(const struct cli *cli, const json_t *object)
{
	if (cli->json)
		text_json(stdout, object);
	else
		text_object(stdout, object);
}

enum exit_code noun_list(struct cli *cli, const char *list, const struct column *columns)
{
	json_t *items;
	enum exit_code code = client_list(cli->client, list, &items);
	if (code != EXIT_CODE_OK)
		return code;
	if (cli->json)
		text_json(stdout, items);
	else
		text_table(stdout, items, columns);
	json_decref(items);
	return EXIT_CODE_OK;
}

/* Calls, and prints the object that is answered. */
static enum exit_code call_and_print(struct cli *cli, const char *method, const char *path,
	const json_t *body, const char *if_match)
{
	struct answer a;
	enum exit_code code = client_call(cli->client, method, path, body, if_match, &a);
	if (code != EXIT_CODE_OK)
		return code;
	if (a.json != NULL)
		noun_print(cli, a.json);
	answer_fini(&a);
	return EXIT_CODE_OK;
}

enum exit_code noun_show(struct cli *cli, const char *path)
{
	return call_and_print(cli, "GET", path, NULL, NULL);
}

enum exit_code noun_create(struct cli *cli, const char *list, const json_t *body)
{
	return call_and_print(cli, "POST", list, body, NULL);
}

static enum exit_code read_etag(struct cli *cli, const char *path, char ret[CLIENT_ETAG_TEXT])
{
	struct answer a;
	enum exit_code code = client_call(cli->client, "GET", path, NULL, NULL, &a);
	if (code != EXIT_CODE_OK)
		return code;
	memcpy(ret, a.etag, CLIENT_ETAG_TEXT);
	answer_fini(&a);
	return EXIT_CODE_OK;
}

enum exit_code noun_update(struct cli *cli, const char *path, const json_t *patch)
{
	char etag[CLIENT_ETAG_TEXT];
	if (json_object_size(patch) == 0) {
		(void)fprintf(stderr, "nave: nothing to change: give an option; see --help\n");
		return EXIT_CODE_USAGE;
	}
	enum exit_code code = read_etag(cli, path, etag);
	return code == EXIT_CODE_OK ? call_and_print(cli, "PATCH", path, patch, etag) : code;
}

enum exit_code noun_delete(struct cli *cli, const char *path)
{
	struct answer a;
	char etag[CLIENT_ETAG_TEXT];
	enum exit_code code = read_etag(cli, path, etag);
	if (code == EXIT_CODE_OK)
		code = client_call(cli->client, "DELETE", path, NULL, etag, &a);
	if (code == EXIT_CODE_OK)
		answer_fini(&a);
	return code;
}

enum exit_code noun_action(struct cli *cli, const char *path, const char *action)
{
	char *whole;
	if (asprintf(&whole, "%s/%s", path, action) < 0)
		return EXIT_CODE_FAILED;
	enum exit_code code = call_and_print(cli, "POST", whole, NULL, NULL);
	free(whole);
	return code;
}

void noun_put_text(const struct cli *cli, json_t *body, const char *option, const char *name)
{
	const char *text = argument(&cli->args, option);
	if (text != NULL)
		(void)json_object_set_new(body, name, json_string(text));
}

void noun_put_list(const struct cli *cli, json_t *body, const char *option, const char *name)
{
	const char *text;
	size_t at = 0;
	if (!argument_is_given(&cli->args, option))
		return;
	json_t *list = json_array();
	while ((text = argument_next(&cli->args, option, &at)) != NULL)
		(void)json_array_append_new(list, json_string(text));
	(void)json_object_set_new(body, name, list);
}

bool noun_put_number(const struct cli *cli, json_t *body, const char *option, const char *name)
{
	const char *text = argument(&cli->args, option);
	char *end;
	if (text == NULL)
		return true;
	errno = 0;
	long long value = strtoll(text, &end, 10);
	if (errno == 0 && end != text && *end == '\0') {
		(void)json_object_set_new(body, name, json_integer(value));
		return true;
	}
	(void)fprintf(stderr, "nave: --%s: \"%s\" is no whole number\n", option, text);
	return false;
}

bool noun_put_switch(const struct cli *cli, json_t *body, const char *option, const char *name)
{
	const char *text = argument(&cli->args, option);
	if (text == NULL)
		return true;
	bool on = strcmp(text, "on") == 0;
	if (on || strcmp(text, "off") == 0) {
		(void)json_object_set_new(body, name, json_boolean(on));
		return true;
	}
	(void)fprintf(stderr, "nave: --%s must be on or off\n", option);
	return false;
}

bool noun_put_labels(const struct cli *cli, json_t *body)
{
	const char *text;
	size_t at = 0;
	if (!argument_is_given(&cli->args, "label"))
		return true;
	json_t *labels = json_object();
	(void)json_object_set_new(body, "labels", labels);
	while ((text = argument_next(&cli->args, "label", &at)) != NULL) {
		char key[128];
		const char *equals = strchr(text, '=');
		if (equals == NULL || equals == text || (size_t)(equals - text) >= sizeof(key)) {
			(void)fprintf(stderr, "nave: --label must be KEY=VALUE\n");
			return false;
		}
		(void)snprintf(key, sizeof(key), "%.*s", (int)(equals - text), text);
		(void)json_object_set_new(
			labels, key, equals[1] != '\0' ? json_string(equals + 1) : json_null());
	}
	return true;
}

void noun_put_time(const struct cli *cli, json_t *body, const char *option, const char *name)
{
	const char *text = argument(&cli->args, option);
	if (text != NULL)
		(void)json_object_set_new(
			body, name, strcmp(text, "never") == 0 ? json_null() : json_string(text));
}
