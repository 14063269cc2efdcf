// SPDX-License-Identifier: Apache-2.0
/*
 * nave peers: sites and clients of an instance, and their profiles. A profile may hold a private
 * key that can be had only for a short time: the file for it is made, new and for its owner only,
 * before it is asked for.
 */
#include "control/cli/noun.h"
#include "control/cli/nouns.h"
#include "control/cli/out_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SETTINGS                                                                                   \
	{"user", "USER", false, false, "the person whom a client belongs to; none takes it away"}, \
		{"place", "SITE", false, false,                                                    \
			"the site where a router stands; none takes it away"},                     \
		{"subnet", "PREFIX", false, true, "a network behind a site; repeatable"},          \
		{"keepalive", "SECONDS", false, false, "else 25; 0 is never"},                     \
		{"expires-at", "TIME", false, false,                                               \
			"when it is cut, as 2030-12-31T23:59:59Z; never takes it back"},           \
		{"allow", "PREFIX", false, true,                                                   \
			"may only reach this; repeatable; all takes it back"},                     \
	{                                                                                          \
		"label", "KEY=VALUE", false, true, "label; repeatable; KEY= takes it away"         \
	}

const struct option_rule peers_list_options[] = {
	{"connected", NULL, false, false, "only those that are connected now"},
	{"state", "STATE", false, false, "only active, suspended or expired ones"},
	{0},
};

const struct option_rule peers_create_options[] = {
	{"site", "NAME", false, false, "a router with networks behind it"},
	{"client", "NAME", false, false, "a device of a person"},
	{"protocol", "WHICH", false, false,
		"wireguard, openvpn or, for clients, any; else wireguard"},
	{"username", "NAME", false, false, "of OpenVPN, up to 27 of a-z 0-9 -; else of its name"},
	{"public-key", "KEY", false, false,
		"its own of WireGuard; else the pair is made here, for peers profile --reveal"},
	{"route-all", NULL, false, false, "a client whose whole traffic goes through the hub"},
	{"allow-broad-routes", NULL, false, false, "lets a site advertise a default route"},
	{"from", "FILE", false, false,
		"clients, one a line: name,user,email,protocol,route_all; again, it goes on"},
	{"share-links", "FILE", false, false, "with --from: a link for each, into this file"},
	{"links-expire-in", "SECONDS", false, false, "with --share-links: else 86400, a day"},
	SETTINGS,
	{0},
};

const struct option_rule peers_update_options[] = {
	{"name", "NAME", false, false, "what people call it"},
	{"route-all", "on|off", false, false, "a client's whole traffic through the hub"},
	{"allow-broad-routes", "on|off", false, false, "lets a site advertise a default route"},
	SETTINGS,
	{0},
};

const struct option_rule peers_profile_options[] = {
	{"format", "WHICH", false, false,
		"wireguard, openvpn, or routeros for sites; else what it speaks"},
	{"transport", "udp|tcp", false, false, "of an OpenVPN profile; else udp"},
	{"qr", NULL, false, false, "as a QR code for the terminal"},
	{"reveal", NULL, false, false,
		"with the secrets made here: opens them for 10 minutes, then they are forgotten"},
	{"out", "FILE", false, false, "into a new file that only you can read"},
	{0},
};

static const struct column columns[] = {
	{"NAME", "name"},
	{"TYPE", "type"},
	{"PROTOCOL", "protocol"},
	{"STATE", "state"},
	{"CONNECTED", "connected"},
	{"FROM", "connected_from"},
	{"ADDRESS", "addresses.ipv4"},
	{"SUBNETS", "subnets"},
	{"ROUTE-ALL", "route_all"},
	{"RECEIVED", "rx_bytes"},
	{"SENT", "tx_bytes"},
	{0},
};

/* "/v1/instances/ID/peers", to be freed. */
static enum exit_code peers_path(struct cli *cli, char **ret)
{
	char *instance;
	enum exit_code code = instance_path(cli, cli->args.operand[0], &instance);
	if (code != EXIT_CODE_OK)
		return code;
	if (asprintf(ret, "%s/peers", instance) < 0)
		code = EXIT_CODE_FAILED;
	free(instance);
	return code;
}

enum exit_code peers_with_one(
	struct cli *cli, enum exit_code (*step)(struct cli *cli, const char *path))
{
	char *list, *path;
	enum exit_code code = peers_path(cli, &list);
	if (code != EXIT_CODE_OK)
		return code;
	code = noun_path(cli, list, "peer", cli->args.operand[1], &path);
	free(list);
	if (code != EXIT_CODE_OK)
		return code;
	code = step(cli, path);
	free(path);
	return code;
}

static char *add_filter(struct cli *cli, char *path, const char *name, const char *value)
{
	if (path == NULL || value == NULL)
		return path;
	char *longer = client_query(cli->client, path, name, value);
	free(path);
	return longer;
}

enum exit_code peers_list(struct cli *cli)
{
	char *path;
	enum exit_code code = peers_path(cli, &path);
	if (code != EXIT_CODE_OK)
		return code;
	path = add_filter(cli, path, "state", argument(&cli->args, "state"));
	path = add_filter(
		cli, path, "connected", argument_is_given(&cli->args, "connected") ? "true" : NULL);
	code = path != NULL ? noun_list(cli, path, columns) : EXIT_CODE_FAILED;
	free(path);
	return code;
}

enum exit_code peers_show(struct cli *cli)
{
	return peers_with_one(cli, noun_show);
}

/* A user or a site by its name, or none. */
struct link {
	const char *option, *list, *what, *field;
};

static enum exit_code put_link(struct cli *cli, json_t *body, const struct link *l)
{
	const char *name = argument(&cli->args, l->option);
	char *path;
	if (name == NULL)
		return EXIT_CODE_OK;
	if (strcmp(name, "none") == 0) {
		(void)json_object_set_new(body, l->field, json_null());
		return EXIT_CODE_OK;
	}
	enum exit_code code = noun_path(cli, l->list, l->what, name, &path);
	if (code != EXIT_CODE_OK)
		return code;
	(void)json_object_set_new(body, l->field, json_string(strrchr(path, '/') + 1));
	free(path);
	return EXIT_CODE_OK;
}

enum exit_code peers_put_settings(struct cli *cli, json_t *body)
{
	static const struct link user = {"user", "/v1/users", "user", "user_id"};
	static const struct link place = {"place", "/v1/sites", "site", "site_id"};
	const char *allow = argument(&cli->args, "allow");
	noun_put_list(cli, body, "subnet", "subnets");
	noun_put_time(cli, body, "expires-at", "expires_at");
	if (allow != NULL && strcmp(allow, "all") == 0)
		(void)json_object_set_new(body, "allowed_destinations", json_null());
	else
		noun_put_list(cli, body, "allow", "allowed_destinations");
	if (!noun_put_number(cli, body, "keepalive", "keepalive") || !noun_put_labels(cli, body))
		return EXIT_CODE_USAGE;
	enum exit_code code = put_link(cli, body, &user);
	return code == EXIT_CODE_OK ? put_link(cli, body, &place) : code;
}

static enum exit_code put_kind(struct cli *cli, json_t *body)
{
	const char *site = argument(&cli->args, "site"), *client = argument(&cli->args, "client");
	if ((site == NULL) == (client == NULL)) {
		(void)fprintf(
			stderr, "nave: give one of --site NAME, --client NAME and --from FILE\n");
		return EXIT_CODE_USAGE;
	}
	(void)json_object_set_new(body, "type", json_string(site != NULL ? "site" : "client"));
	(void)json_object_set_new(body, "name", json_string(site != NULL ? site : client));
	noun_put_text(cli, body, "protocol", "protocol");
	noun_put_text(cli, body, "username", "username");
	noun_put_text(cli, body, "public-key", "public_key");
	if (argument_is_given(&cli->args, "route-all"))
		(void)json_object_set_new(body, "route_all", json_true());
	if (argument_is_given(&cli->args, "allow-broad-routes"))
		(void)json_object_set_new(body, "allow_broad_routes", json_true());
	return peers_put_settings(cli, body);
}

enum exit_code peers_create(struct cli *cli)
{
	char *path;
	if (argument_is_given(&cli->args, "from"))
		return peers_create_from(cli);
	if (argument_is_given(&cli->args, "share-links")
		|| argument_is_given(&cli->args, "links-expire-in")) {
		(void)fprintf(stderr, "nave: --share-links and --links-expire-in go with --from\n");
		return EXIT_CODE_USAGE;
	}
	json_t *body = json_object();
	enum exit_code code = put_kind(cli, body);
	if (code == EXIT_CODE_OK)
		code = peers_path(cli, &path);
	if (code == EXIT_CODE_OK) {
		code = noun_create(cli, path, body);
		free(path);
	}
	json_decref(body);
	return code;
}

static enum exit_code update(struct cli *cli, const char *path)
{
	json_t *patch = json_object();
	noun_put_text(cli, patch, "name", "name");
	bool good = noun_put_switch(cli, patch, "route-all", "route_all")
		&& noun_put_switch(cli, patch, "allow-broad-routes", "allow_broad_routes");
	enum exit_code code = good ? peers_put_settings(cli, patch) : EXIT_CODE_USAGE;
	if (code == EXIT_CODE_OK)
		code = noun_update(cli, path, patch);
	json_decref(patch);
	return code;
}

enum exit_code peers_update(struct cli *cli)
{
	return peers_with_one(cli, update);
}

static enum exit_code suspend(struct cli *cli, const char *path)
{
	return noun_action(cli, path, "suspend");
}

enum exit_code peers_suspend(struct cli *cli)
{
	return peers_with_one(cli, suspend);
}

static enum exit_code reset_clock(struct cli *cli, const char *path)
{
	return noun_action(cli, path, "reset-clock");
}

enum exit_code peers_reset_clock(struct cli *cli)
{
	return peers_with_one(cli, reset_clock);
}

static enum exit_code resume(struct cli *cli, const char *path)
{
	return noun_action(cli, path, "resume");
}

enum exit_code peers_resume(struct cli *cli)
{
	return peers_with_one(cli, resume);
}

enum exit_code peers_delete(struct cli *cli)
{
	return peers_with_one(cli, noun_delete);
}

/* What goes to a terminal cannot command it; what goes elsewhere stays as it is. */
static enum exit_code print_profile(const struct answer *a)
{
	if (a->text == NULL)
		return EXIT_CODE_OK;
	if (isatty(STDOUT_FILENO) == 1) {
		text_print_lines(stdout, a->text);
		return EXIT_CODE_OK;
	}
	return fwrite(a->text, 1, a->len, stdout) == a->len ? EXIT_CODE_OK : EXIT_CODE_FAILED;
}

/* To be freed; NULL without memory. What is not asked for is the server's to choose. */
static char *profile_path(struct cli *cli, const char *path)
{
	const char *format = argument(&cli->args, "format");
	char *whole;
	if (asprintf(&whole, "%s/profile%s", path,
		    argument_is_given(&cli->args, "reveal") ? "/reveal" : "")
		< 0)
		return NULL;
	if (argument_is_given(&cli->args, "qr"))
		format = "qr";
	whole = add_filter(cli, whole, "format", format);
	return add_filter(cli, whole, "transport", argument(&cli->args, "transport"));
}

/* out: NULL for standard output. */
static enum exit_code print_or_write_profile(
	struct cli *cli, const char *path, const struct out_file *out)
{
	bool reveals = argument_is_given(&cli->args, "reveal");
	struct answer a;
	char *whole = profile_path(cli, path);
	if (whole == NULL)
		return EXIT_CODE_FAILED;
	enum exit_code code =
		client_call(cli->client, reveals ? "POST" : "GET", whole, NULL, NULL, &a);
	free(whole);
	if (code != EXIT_CODE_OK)
		return code;
	code = out == NULL ? print_profile(&a) : out_file_write(out, a.text, a.len);
	answer_fini(&a);
	return code;
}

/* The file is made first: a key that could not be kept is not asked for. */
static enum exit_code give_profile(struct cli *cli, const char *path)
{
	struct out_file out;
	if (argument_is_given(&cli->args, "qr") && argument(&cli->args, "format") != NULL) {
		(void)fprintf(stderr, "nave: --qr is a format of its own: leave --format out\n");
		return EXIT_CODE_USAGE;
	}
	if (argument(&cli->args, "out") == NULL)
		return print_or_write_profile(cli, path, NULL);
	enum exit_code code = out_file_create(&out, argument(&cli->args, "out"));
	if (code != EXIT_CODE_OK)
		return code;
	return out_file_end(&out, print_or_write_profile(cli, path, &out));
}

enum exit_code peers_profile(struct cli *cli)
{
	return peers_with_one(cli, give_profile);
}
