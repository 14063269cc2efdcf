// SPDX-License-Identifier: Apache-2.0
/* nave: finds the command in the table and runs it. */
#include "control/cli/command.h"
#include "control/cli/help.h"

#include <curl/curl.h>
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	WORDS_MAX = 512,
	TOKEN_TEXT = 256,
};

struct options {
	const char *socket, *url, *token_file;
	bool json, help;
	char *word[WORDS_MAX]; /* the command's own */
	int words;
};

static bool complain(const char *word, const char *why)
{
	(void)fprintf(stderr, "nave: %s: %s\n", word, why);
	return false;
}

/* "--name=value" or "--name value" of the options that hold everywhere. NULL: it is none. */
static const char *global_value(
	const char *name, int argc, char **argv, int *at, bool *ret_is_missing)
{
	size_t len = strlen(name);
	const char *word = argv[*at];
	*ret_is_missing = false;
	if (word == NULL || strncmp(word, name, len) != 0)
		return NULL;
	if (word[len] == '=' && name[1] == '-')
		return word + len + 1;
	if (word[len] != '\0')
		return NULL;
	*ret_is_missing = *at + 1 == argc;
	return *ret_is_missing ? NULL : argv[++*at];
}

static bool read_output(struct options *o, const char *value)
{
	o->json = strcmp(value, "json") == 0;
	return o->json || strcmp(value, "table") == 0 || complain(value, "-o takes table or json");
}

static bool take_global(struct options *o, int argc, char **argv, int *at, bool *ret_good)
{
	static const char *const names[] = {"--socket", "--url", "--token-file", "--output", "-o"};
	/* NULL: the output's format */
	const char **const places[] = {&o->socket, &o->url, &o->token_file, NULL, NULL};
	*ret_good = true;
	if (strcmp(argv[*at], "--help") == 0 || strcmp(argv[*at], "-h") == 0) {
		o->help = true;
		return true;
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		bool is_missing = false;
		const char *value = global_value(names[i], argc, argv, at, &is_missing);
		if (is_missing)
			*ret_good = complain(names[i], "needs a value");
		if (value != NULL && places[i] != NULL)
			*places[i] = value;
		else if (value != NULL)
			*ret_good = read_output(o, value);
		if (value != NULL || is_missing)
			return true;
	}
	return false;
}

static bool read_options(int argc, char **argv, struct options *o)
{
	bool literal = false;
	for (int at = 1; at < argc; at++) {
		bool good = true;
		literal |= strcmp(argv[at], "--") == 0;
		if (!literal && take_global(o, argc, argv, &at, &good)) {
			if (!good)
				return false;
			continue;
		}
		if (o->words == WORDS_MAX)
			return complain(argv[at], "too many arguments");
		o->word[o->words++] = argv[at];
	}
	return true;
}

static bool is_noun(const char *word)
{
	for (const struct command *c = commands; c->noun != NULL; c++) {
		if (strcmp(c->noun, word) == 0)
			return true;
	}
	return false;
}

/* *ret_taken: words that name it. */
static const struct command *find_command(const struct options *o, int *ret_taken)
{
	for (const struct command *c = commands; c->noun != NULL; c++) {
		if (o->words < 1 || strcmp(c->noun, o->word[0]) != 0)
			continue;
		if (c->verb == NULL) {
			*ret_taken = 1;
			return c;
		}
		if (o->words > 1 && strcmp(c->verb, o->word[1]) == 0) {
			*ret_taken = 2;
			return c;
		}
	}
	return NULL;
}

static enum exit_code explain(const struct options *o)
{
	if (o->words == 0 || !is_noun(o->word[0])) {
		if (o->words > 0 && !o->help)
			(void)fprintf(stderr, "nave: there is no noun \"%s\"; see nave --help\n",
				o->word[0]);
		else
			help_all(o->help ? stdout : stderr);
		return o->help && o->words == 0 ? EXIT_CODE_OK : EXIT_CODE_USAGE;
	}
	if (o->words > 1 && !o->help)
		(void)fprintf(
			stderr, "nave: %s: there is no verb \"%s\":\n", o->word[0], o->word[1]);
	help_noun(o->help ? stdout : stderr, o->word[0]);
	return o->help ? EXIT_CODE_OK : EXIT_CODE_USAGE;
}

/* The file's first line. */
static bool read_token(const char *path, char ret[TOKEN_TEXT])
{
	FILE *f = fopen(path, "re");
	if (f == NULL)
		return complain(path, strerrordesc_np(errno));
	bool good = fgets(ret, TOKEN_TEXT, f) != NULL;
	(void)fclose(f);
	ret[good ? strcspn(ret, "\r\n") : 0] = '\0';
	return ret[0] != '\0' || complain(path, "holds no key");
}

static enum exit_code run(const struct options *o, const struct command *c, int taken)
{
	static struct cli cli;
	char token[TOKEN_TEXT] = "";
	/* no thread yet. NOLINTNEXTLINE(concurrency-mt-unsafe) */
	const char *variable = getenv("NAVE_TOKEN");
	struct client_place place = {
		.socket = o->socket != NULL ? o->socket : "/run/nave/control.sock",
		.url = o->socket == NULL ? o->url : NULL,
		/* here the socket says who calls; a key for elsewhere has no business there */
		.token = o->socket == NULL && o->url != NULL ? variable : NULL,
	};
	if (!arguments_parse(&cli.args, o->words - taken, (char **)&o->word[taken], c->options,
		    command_operands(c)))
		return EXIT_CODE_USAGE;
	if (o->token_file != NULL && !read_token(o->token_file, token))
		return EXIT_CODE_USAGE;
	if (token[0] != '\0')
		place.token = token;
	cli.json = o->json;
	cli.client = client_new(&place);
	enum exit_code code = cli.client != NULL ? c->run(&cli) : EXIT_CODE_FAILED;
	client_free(cli.client);
	explicit_bzero(token, sizeof(token));
	return code;
}

static enum exit_code choose(const struct options *o)
{
	int taken = 0;
	if (o->words == 1 && strcmp(o->word[0], "--version") == 0) {
		(void)puts("nave " NAVE_VERSION);
		return EXIT_CODE_OK;
	}
	if (o->words == 1 && strcmp(o->word[0], "--completion-words") == 0) {
		help_words(stdout);
		return EXIT_CODE_OK;
	}
	const struct command *c = find_command(o, &taken);
	if (c == NULL)
		return explain(o);
	if (o->help) {
		help_command(stdout, c);
		return EXIT_CODE_OK;
	}
	return run(o, c, taken);
}

int main(int argc, char **argv)
{
	static struct options o;
	/* no thread yet. NOLINTNEXTLINE(concurrency-mt-unsafe) */
	(void)setlocale(LC_CTYPE, "C.UTF-8");
	if (!read_options(argc, argv, &o))
		return EXIT_CODE_USAGE;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
		return EXIT_CODE_FAILED;
	enum exit_code code = choose(&o);
	curl_global_cleanup();
	if (fflush(stdout) != 0 && code == EXIT_CODE_OK)
		code = EXIT_CODE_FAILED;
	return (int)code;
}
