// SPDX-License-Identifier: Apache-2.0
#include "dataplane/server/management_command.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
	STATUS_VERSION = 1, /* that OpenVPN has when none is asked for */
	STATUS_VERSION_MAX = 3,
	VERB_MAX = 15,
};

struct words {
	unsigned int count;
	char word[MANAGEMENT_WORDS_MAX][MANAGEMENT_LINE_MAX];
};

bool management_line_feed(
	struct management_line *l, const char *bytes, size_t len, size_t *ret_used)
{
	for (size_t n = 0; n < len; n++) {
		char c = bytes[n] == '\t' ? ' ' : bytes[n];
		if (c == '\n') {
			*ret_used = n + 1;
			return true;
		}
		if (c < ' ' || c > '~')
			continue;
		if (l->len == MANAGEMENT_LINE_MAX - 1)
			l->is_too_long = true;
		else
			l->text[l->len++] = c;
	}
	*ret_used = len;
	return false;
}

/* The next character of a word; 0: the word has ended. quote: that is open. */
static char next_character(const char **at, char *quote)
{
	for (;;) {
		char c = *(*at)++;
		if (c == '\0') {
			(*at)--;
			return '\0';
		}
		if (*quote == '\0' && c == ' ')
			return '\0';
		if (*quote == '\0' && (c == '"' || c == '\'')) {
			*quote = c;
			continue;
		}
		if (*quote != '\0' && c == *quote) {
			*quote = '\0';
			continue;
		}
		if (c == '\\' && *quote != '\'' && **at != '\0')
			c = *(*at)++;
		return c;
	}
}

/* false: a quote is never closed. */
static bool split(const char *text, struct words *ret)
{
	char quote = '\0';
	ret->count = 0;
	while (ret->count < MANAGEMENT_WORDS_MAX) {
		size_t len = 0;
		char c;
		while (*text == ' ')
			text++;
		if (*text == '\0')
			break;
		char *word = ret->word[ret->count];
		while ((c = next_character(&text, &quote)) != '\0')
			word[len++] = c;
		word[len] = '\0';
		ret->count++;
	}
	return quote == '\0';
}

__attribute__((format(printf, 2, 3))) static void refuse(
	struct management_command *c, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	c->verb = MANAGEMENT_REFUSED;
	(void)vsnprintf(c->error, sizeof(c->error), format, args);
	va_end(args);
}

/* Digits alone, and few enough of them. */
static bool read_number(const char *text, uint64_t *ret)
{
	uint64_t n = 0;
	size_t len = strlen(text);
	if (len == 0 || len > 18)
		return false;
	for (; *text != '\0'; text++) {
		if (isdigit((unsigned char)*text) == 0)
			return false;
		n = 10 * n + (uint64_t)(*text - '0');
	}
	*ret = n;
	return true;
}

static const char *argument(const struct words *w, unsigned int n)
{
	return n < w->count ? w->word[n] : "";
}

/* "on" or "off", and then perhaps "all" or how many lines. */
static bool read_switch(const struct words *w, struct management_command *ret)
{
	uint64_t lines;
	ret->is_on = strcmp(argument(w, 1), "on") == 0;
	ret->is_all = strcmp(argument(w, 2), "all") == 0 || read_number(argument(w, 2), &lines);
	return ret->is_on || strcmp(argument(w, 1), "off") == 0;
}

static void read_state(const struct words *w, struct management_command *ret)
{
	if (w->count == 1 || strcmp(w->word[1], "all") == 0
		|| read_number(w->word[1], &ret->number))
		ret->verb = MANAGEMENT_STATE;
	else if (read_switch(w, ret))
		ret->verb = MANAGEMENT_STATE_SWITCH;
	else
		refuse(ret, "state parameter must be 'on' or 'off' or some number n or 'all'");
}

static void read_log(const struct words *w, struct management_command *ret)
{
	if (strcmp(w->word[1], "all") == 0 || read_number(w->word[1], &ret->number))
		ret->verb = MANAGEMENT_LOG;
	else if (read_switch(w, ret))
		ret->verb = MANAGEMENT_LOG_SWITCH;
	else
		refuse(ret, "log parameter must be 'on' or 'off' or some number n or 'all'");
}

static void read_verb(const struct words *w, struct management_command *ret)
{
	ret->verb = w->count > 1 ? MANAGEMENT_VERB_SET : MANAGEMENT_VERB;
	if (w->count > 1 && (!read_number(w->word[1], &ret->number) || ret->number > VERB_MAX))
		refuse(ret, "verb level is out of range");
}

static void read_status(const struct words *w, struct management_command *ret)
{
	ret->verb = MANAGEMENT_STATUS;
	ret->number = STATUS_VERSION;
	if (w->count > 1
		&& (!read_number(w->word[1], &ret->number) || ret->number == 0
			|| ret->number > STATUS_VERSION_MAX))
		refuse(ret, "bad status format version number");
}

static void read_kill(const struct words *w, struct management_command *ret)
{
	const char *whom = w->word[1];
	if (whom[0] == '\0')
		refuse(ret, "kill parse");
	else if (ip_endpoint_parse(whom, &ret->address) == 0 && ret->address.port != 0)
		ret->verb = MANAGEMENT_KILL_ADDRESS;
	else /* usernames may have colons, too */
		ret->verb = MANAGEMENT_KILL_NAME;
	(void)snprintf(ret->text, sizeof(ret->text), "%s", whom);
}

static void read_client_kill(const struct words *w, struct management_command *ret)
{
	const char *how = argument(w, 2);
	ret->verb = MANAGEMENT_CLIENT_KILL;
	ret->halt = strcmp(how, "HALT") == 0;
	if (!read_number(w->word[1], &ret->number))
		refuse(ret, "cannot parse CID");
	else if (how[0] != '\0' && !ret->halt && strcmp(how, "RESTART") != 0)
		refuse(ret, "client-kill message must be HALT or RESTART");
}

static const struct {
	const char *name;
	enum management_verb verb; /* of those without parameters */
	unsigned int parameters; /* that it needs */
	bool takes_more;
	void (*read)(const struct words *w, struct management_command *ret);
} commands[] = {
	{"help", MANAGEMENT_HELP, 0, false, NULL},
	{"version", MANAGEMENT_VERSION, 0, false, NULL},
	{"load-stats", MANAGEMENT_LOAD_STATS, 0, false, NULL},
	{"quit", MANAGEMENT_QUIT, 0, false, NULL},
	{"exit", MANAGEMENT_QUIT, 0, false, NULL},
	{"state", MANAGEMENT_STATE, 0, false, read_state},
	{"status", MANAGEMENT_STATUS, 0, false, read_status},
	{"verb", MANAGEMENT_VERB, 0, false, read_verb},
	{"log", MANAGEMENT_LOG, 1, true, read_log},
	{"kill", MANAGEMENT_KILL_NAME, 1, false, read_kill},
	{"client-kill", MANAGEMENT_CLIENT_KILL, 1, true, read_client_kill},
};

static void read_words(const struct words *w, struct management_command *ret)
{
	for (size_t n = 0; n < sizeof(commands) / sizeof(commands[0]); n++) {
		if (strcmp(commands[n].name, w->word[0]) != 0)
			continue;
		ret->verb = commands[n].verb;
		if (w->count <= commands[n].parameters)
			refuse(ret, "the '%s' command requires %s%u parameter", w->word[0],
				commands[n].takes_more ? "at least " : "", commands[n].parameters);
		else if (commands[n].read != NULL)
			commands[n].read(w, ret);
		return;
	}
	refuse(ret, "unknown command [%s], enter 'help' for more options", w->word[0]);
}

void management_command_read(struct management_line *l, struct management_command *ret)
{
	struct words w;
	*ret = (struct management_command){.verb = MANAGEMENT_NOTHING};
	l->text[l->len] = '\0';
	if (l->is_too_long)
		refuse(ret, "the line is longer than %d bytes", MANAGEMENT_LINE_MAX - 1);
	else if (!split(l->text, &w))
		refuse(ret, "a quotation mark is not closed");
	else if (w.count > 0)
		read_words(&w, ret);
	*l = (struct management_line){0};
}
