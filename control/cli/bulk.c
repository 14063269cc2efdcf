// SPDX-License-Identifier: Apache-2.0
/*
 * nave peers create --from FILE: a client peer for each line, and its share link into another file.
 *
 * What is wrong with the file, by itself or beside what there is already, is told with the number of
 * its line, and nothing is made. After that each line is made under an Idempotency-Key of its own:
 * a run that broke off is run again, and goes on where it was. A line whose peer is there, as the
 * file wants it, is done; so is one whose link is in the other file, which is written line by line.
 */
#include "control/cli/link_file.h"
#include "control/cli/noun.h"
#include "control/cli/nouns.h"
#include "control/cli/people.h"
#include "dataplane/base/hex.h"
#include "dataplane/base/uuid.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	KEY_BYTES = 32,
	KEY_TEXT = 2 * KEY_BYTES + 1,
	PATH_TEXT = 160,
	PROGRESS_LINES = 100, /* without a terminal */
};

struct bulk {
	struct cli *cli;
	struct people people;
	json_t *settings, *link; /* what the options say of every peer, and of every link */
	json_t *users, *emails; /* name to user; address to user, null when several have it */
	json_t *peers; /* name to peer */
	char *list; /* "/v1/instances/ID/peers" */
	struct link_file links;
	bool has_links; /* they are wanted */
	size_t made, there, links_made, links_refused;
	json_t *told; /* for -o json */
};

/* The same for the same line of the same network: "" without memory, and then it is not kept. */
static void make_key(const char *path, const json_t *body, char ret[KEY_TEXT])
{
	uint8_t hash[KEY_BYTES];
	char *text = NULL, *json = json_dumps(body, JSON_COMPACT | JSON_SORT_KEYS);
	ret[0] = '\0';
	if (json != NULL && asprintf(&text, "nave peers create --from\n%s\n%s", path, json) >= 0
		&& EVP_Digest(text, strlen(text), hash, NULL, EVP_sha256(), NULL) == 1)
		hex_encode(hash, sizeof(hash), ret);
	free(text);
	free(json);
}

/*
 * POST under the line's key. An old answer is only good while what it tells of is there: is_there says
 * so. Else it was deleted since, and is made anew.
 */
static enum exit_code post(struct bulk *b, const char *path, const json_t *body,
	bool (*is_there)(struct bulk *b, const char *path, const json_t *object),
	struct answer *ret)
{
	char key[KEY_TEXT];
	make_key(path, body, key);
	enum exit_code code = client_post(b->cli->client, path, body, key, ret);
	if (code != EXIT_CODE_OK || !ret->is_replayed
		|| (is_there != NULL && is_there(b, path, ret->json)))
		return code;
	answer_fini(ret);
	return client_call(b->cli->client, "POST", path, body, NULL, ret);
}

static void index_items(const json_t *items, const char *member, json_t *ret)
{
	for (size_t i = 0; i < json_array_size(items); i++) {
		json_t *item = json_array_get(items, i);
		const char *name = json_string_value(json_object_get(item, member));
		if (name == NULL)
			continue;
		if (json_object_get(ret, name) != NULL)
			(void)json_object_set_new(ret, name, json_null());
		else
			(void)json_object_set(ret, name, item);
	}
}

/* What there is before anything is made. */
static enum exit_code look_around(struct bulk *b)
{
	json_t *items = NULL;
	char *instance = NULL;
	enum exit_code code = instance_path(b->cli, b->cli->args.operand[0], &instance);
	if (code != EXIT_CODE_OK)
		return code;
	if (asprintf(&b->list, "%s/peers", instance) < 0)
		b->list = NULL;
	free(instance);
	code = b->list != NULL ? client_list(b->cli->client, b->list, &items) : EXIT_CODE_FAILED;
	if (code != EXIT_CODE_OK)
		return code;
	index_items(items, "name", b->peers);
	json_decref(items);
	code = client_list(b->cli->client, "/v1/users", &items);
	if (code != EXIT_CODE_OK)
		return code;
	index_items(items, "name", b->users);
	index_items(items, "email", b->emails);
	json_decref(items);
	return EXIT_CODE_OK;
}

/* NULL: there is none yet, or the line names none. */
static const json_t *find_user(const struct bulk *b, const struct person *one)
{
	if (one->user[0] != '\0')
		return json_object_get(b->users, one->user);
	return json_object_get(b->emails, one->email);
}

static bool names_user(const struct person *one)
{
	return one->user[0] != '\0' || one->email[0] != '\0';
}

/* What is posted for a line; user_id NULL: nobody's. New reference. */
static json_t *make_body(const struct bulk *b, const struct person *one, const char *user_id)
{
	json_t *body = json_copy(b->settings);
	(void)json_object_set_new(body, "type", json_string("client"));
	(void)json_object_set_new(body, "name", json_string(one->name));
	if (one->protocol[0] != '\0')
		(void)json_object_set_new(body, "protocol", json_string(one->protocol));
	if (one->route_all[0] != '\0')
		(void)json_object_set_new(
			body, "route_all", json_boolean(strcmp(one->route_all, "yes") == 0));
	if (user_id != NULL)
		(void)json_object_set_new(body, "user_id", json_string(user_id));
	return body;
}

static bool same_text(const json_t *a, const json_t *b, const char *otherwise)
{
	const char *left = json_string_value(a), *right = json_string_value(b);
	return strcmp(left != NULL ? left : otherwise, right != NULL ? right : otherwise) == 0;
}

/* The name of the first setting that the peer has otherwise; NULL: it is as the line wants it. */
static const char *find_difference(const json_t *peer, const json_t *body)
{
	if (!same_text(json_object_get(peer, "type"), json_object_get(body, "type"), ""))
		return "type";
	if (!same_text(json_object_get(peer, "protocol"), json_object_get(body, "protocol"),
		    "wireguard"))
		return "protocol";
	if (json_is_true(json_object_get(peer, "route_all"))
		!= json_is_true(json_object_get(body, "route_all")))
		return "route_all";
	if (!same_text(json_object_get(peer, "user_id"), json_object_get(body, "user_id"), ""))
		return "user";
	return NULL;
}

static void check_line(struct bulk *b, const struct person *one)
{
	const json_t *user = find_user(b, one), *peer = json_object_get(b->peers, one->name);
	const char *email = json_string_value(json_object_get(user, "email"));
	if (json_is_null(user)) {
		people_fault(&b->people, one->line, "several users have the address %s: name one",
			one->email);
		return;
	}
	if (email != NULL && one->email[0] != '\0' && strcmp(email, one->email) != 0)
		people_fault(&b->people, one->line, "the user %s has the e-mail address %s",
			one->user, email);
	if (peer == NULL)
		return;
	const char *id = json_string_value(json_object_get(user, "id"));
	/* a person who is new has no peer yet */
	json_t *body = make_body(b, one, id != NULL || !names_user(one) ? id : "new");
	const char *difference = find_difference(peer, body);
	if (difference != NULL)
		people_fault(&b->people, one->line,
			"there is a peer \"%s\" already, with another %s", one->name, difference);
	json_decref(body);
}

static enum exit_code check_all(struct bulk *b)
{
	for (size_t i = 0; i < b->people.count; i++)
		check_line(b, &b->people.list[i]);
	return b->people.faults == 0 ? EXIT_CODE_OK : EXIT_CODE_REFUSED;
}

/* *ret_id is borrowed; NULL: the line names nobody. */
static enum exit_code provide_user(struct bulk *b, const struct person *one, const char **ret_id)
{
	const json_t *user = find_user(b, one);
	struct answer a;
	*ret_id = json_string_value(json_object_get(user, "id"));
	if (*ret_id != NULL || !names_user(one))
		return EXIT_CODE_OK;
	json_t *body = json_pack("{s:s}", "name", one->user[0] != '\0' ? one->user : one->email);
	if (one->email[0] != '\0')
		(void)json_object_set_new(body, "email", json_string(one->email));
	enum exit_code code = post(b, "/v1/users", body, NULL, &a);
	json_decref(body);
	if (code != EXIT_CODE_OK)
		return code;
	if (one->user[0] != '\0')
		(void)json_object_set(b->users, one->user, a.json);
	if (one->email[0] != '\0')
		(void)json_object_set(b->emails, one->email, a.json);
	*ret_id = json_string_value(json_object_get(a.json, "id"));
	answer_fini(&a); /* the id lives on in one of the two */
	return *ret_id != NULL ? EXIT_CODE_OK : EXIT_CODE_FAILED;
}

/* New reference to the peer of the line. */
static enum exit_code provide_peer(struct bulk *b, const struct person *one, json_t **ret)
{
	const char *user_id;
	struct answer a;
	*ret = json_incref(json_object_get(b->peers, one->name));
	if (*ret != NULL) {
		b->there++;
		return EXIT_CODE_OK;
	}
	enum exit_code code = provide_user(b, one, &user_id);
	if (code != EXIT_CODE_OK)
		return code;
	json_t *body = make_body(b, one, user_id);
	code = post(b, b->list, body, NULL, &a);
	json_decref(body);
	if (code != EXIT_CODE_OK)
		return code;
	b->made++;
	*ret = json_incref(a.json);
	answer_fini(&a);
	return *ret != NULL ? EXIT_CODE_OK : EXIT_CODE_FAILED;
}

/* An earlier run has made it, and was killed before it could write it down. */
static bool link_is_active(struct bulk *b, const char *path, const json_t *link)
{
	json_t *items = NULL;
	bool found = false;
	if (client_list(b->cli->client, path, &items) != EXIT_CODE_OK)
		return false;
	for (size_t i = 0; i < json_array_size(items); i++) {
		const json_t *item = json_array_get(items, i);
		found |= same_text(json_object_get(item, "id"), json_object_get(link, "id"), "")
			&& strcmp(json_string_value(json_object_get(item, "state")), "active") == 0;
	}
	json_decref(items);
	return found;
}

static enum exit_code provide_link(struct bulk *b, const struct person *one, const json_t *peer)
{
	char path[PATH_TEXT];
	const char *id = json_string_value(json_object_get(peer, "id"));
	struct answer a;
	if (!b->has_links || link_file_has(&b->links, one->name))
		return EXIT_CODE_OK;
	(void)snprintf(path, sizeof(path), "%s/%s/share-links", b->list, id != NULL ? id : "");
	enum exit_code code = post(b, path, b->link, link_is_active, &a);
	if (code != EXIT_CODE_OK)
		return code;
	code = link_file_add(&b->links, one, a.json);
	b->links_made++;
	answer_fini(&a);
	return code;
}

static void show_progress(const struct bulk *b, size_t done)
{
	bool is_terminal = isatty(STDERR_FILENO) == 1, is_last = done == b->people.count;
	if (is_terminal || is_last || done % PROGRESS_LINES == 0)
		(void)fprintf(stderr, "%s%zu of %zu%s", is_terminal ? "\r" : "", done,
			b->people.count, is_terminal && !is_last ? "" : "\n");
}

static enum exit_code provide(struct bulk *b, const struct person *one)
{
	json_t *peer = NULL;
	enum exit_code code = provide_peer(b, one, &peer);
	if (code == EXIT_CODE_OK) {
		(void)json_array_append(b->told, peer);
		code = provide_link(b, one, peer);
		/* one person's link that cannot be is no reason to leave the others without */
		if (code == EXIT_CODE_REFUSED) {
			b->links_refused++;
			people_fault(&b->people, one->line, "no share link for \"%s\"", one->name);
			code = EXIT_CODE_OK;
		}
	}
	json_decref(peer);
	return code;
}

static enum exit_code run(struct bulk *b)
{
	enum exit_code code = EXIT_CODE_OK;
	for (size_t i = 0; i < b->people.count && code == EXIT_CODE_OK; i++) {
		code = provide(b, &b->people.list[i]);
		if (code == EXIT_CODE_OK)
			show_progress(b, i + 1);
		else
			people_fault(&b->people, b->people.list[i].line,
				"here it ended; the same command goes on from here");
	}
	(void)fprintf(stderr, "%zu peers made, %zu were there", b->made, b->there);
	if (b->has_links)
		(void)fprintf(
			stderr, "; %zu share links written to %s", b->links_made, b->links.path);
	(void)fprintf(stderr, "\n");
	return code == EXIT_CODE_OK && b->links_refused > 0 ? EXIT_CODE_REFUSED : code;
}

/* Options that are about one peer. */
static bool options_fit(const struct cli *cli)
{
	static const char *const single[] = {"site", "client", "username", "public-key", "user",
		"place", "subnet", "allow-broad-routes"};
	for (size_t i = 0; i < sizeof(single) / sizeof(single[0]); i++) {
		if (!argument_is_given(&cli->args, single[i]))
			continue;
		(void)fprintf(stderr, "nave: --%s does not go with --from\n", single[i]);
		return false;
	}
	return true;
}

static enum exit_code prepare(struct bulk *b)
{
	const char *links = argument(&b->cli->args, "share-links");
	if (!options_fit(b->cli)
		|| !noun_put_number(b->cli, b->link, "links-expire-in", "expires_in")
		|| !people_read(&b->people, argument(&b->cli->args, "from")))
		return EXIT_CODE_USAGE;
	noun_put_text(b->cli, b->settings, "protocol", "protocol");
	if (argument_is_given(&b->cli->args, "route-all"))
		(void)json_object_set_new(b->settings, "route_all", json_true());
	enum exit_code code = peers_put_settings(b->cli, b->settings);
	if (code == EXIT_CODE_OK)
		code = look_around(b);
	if (code == EXIT_CODE_OK)
		code = check_all(b);
	if (code != EXIT_CODE_OK || links == NULL)
		return code;
	b->has_links = true;
	return link_file_open(&b->links, links);
}

enum exit_code peers_create_from(struct cli *cli)
{
	struct bulk b = {
		.cli = cli,
		.settings = json_object(),
		.link = json_object(),
		.users = json_object(),
		.emails = json_object(),
		.peers = json_object(),
		.told = json_array(),
	};
	enum exit_code code = prepare(&b);
	if (code == EXIT_CODE_OK) {
		code = run(&b);
		if (cli->json)
			text_json(stdout, b.told);
	}
	link_file_close(&b.links);
	people_free(&b.people);
	json_decref(b.settings);
	json_decref(b.link);
	json_decref(b.users);
	json_decref(b.emails);
	json_decref(b.peers);
	json_decref(b.told);
	free(b.list);
	return code;
}
