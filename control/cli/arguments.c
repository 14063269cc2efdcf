// SPDX-License-Identifier: Apache-2.0
/*
 * The words behind a verb, against the table of the command: "--name value", "--name=value",
 * operands in any place, "--" before operands that begin with a dash. Nothing is guessed: an
 * option that is unknown, shortened, given twice or without its value is refused.
 */
#include "control/cli/arguments.h"

#include <stdio.h>
#include <string.h>

static const struct option_rule *find_rule(
	const struct option_rule *rules, const char *name, size_t len)
{
	for (const struct option_rule *r = rules; r != NULL && r->name != NULL; r++) {
		if (strlen(r->name) == len && memcmp(r->name, name, len) == 0)
			return r;
	}
	return NULL;
}

static bool complain(const char *word, const char *why)
{
	(void)fprintf(stderr, "nave: %s: %s\n", word, why);
	return false;
}

static bool add_value(struct arguments *a, const struct option_rule *rule, const char *text)
{
	if (!rule->is_repeated && argument_is_given(a, rule->name))
		return complain(rule->name, "given twice");
	if (a->values == ARGUMENTS_VALUES_MAX)
		return complain(rule->name, "given too often");
	a->value[a->values++] = (struct argument_value){rule, text};
	return true;
}

/* "--name value", "--name=value" or "--name". *at moves over the value. */
static bool read_option(
	struct arguments *a, int count, char **words, int *at, const struct option_rule *rules)
{
	const char *word = words[*at], *name = word + 2;
	const char *equals = strchr(name, '=');
	size_t len = equals != NULL ? (size_t)(equals - name) : strlen(name);
	const struct option_rule *rule = find_rule(rules, name, len);
	if (rule == NULL)
		return complain(word, "no such option here; see --help");
	if (rule->value == NULL)
		return equals == NULL ? add_value(a, rule, "")
				      : complain(word, "this option has no value");
	if (equals != NULL)
		return add_value(a, rule, equals + 1);
	if (*at + 1 == count)
		return complain(word, "needs a value");
	return add_value(a, rule, words[++*at]);
}

static bool check_complete(const struct arguments *a, const struct option_rule *rules, size_t wants)
{
	if (a->operands < wants)
		return complain("too few arguments", "see --help");
	for (const struct option_rule *r = rules; r != NULL && r->name != NULL; r++) {
		if (r->is_required && !argument_is_given(a, r->name)) {
			(void)fprintf(stderr, "nave: --%s is needed: %s\n", r->name, r->help);
			return false;
		}
	}
	return true;
}

bool arguments_parse(
	struct arguments *a, int count, char **words, const struct option_rule *rules, size_t wants)
{
	bool options = true;
	memset(a, 0, sizeof(*a));
	for (int at = 0; at < count; at++) {
		if (options && strcmp(words[at], "--") == 0) {
			options = false;
		} else if (options && strncmp(words[at], "--", 2) == 0) {
			if (!read_option(a, count, words, &at, rules))
				return false;
		} else if (options && words[at][0] == '-' && words[at][1] != '\0') {
			return complain(words[at], "no such option here; see --help");
		} else if (a->operands == wants) {
			return complain(words[at], "one argument too many; see --help");
		} else {
			a->operand[a->operands++] = words[at];
		}
	}
	return check_complete(a, rules, wants);
}

const char *argument_next(const struct arguments *a, const char *name, size_t *at)
{
	while (*at < a->values) {
		const struct argument_value *v = &a->value[(*at)++];
		if (strcmp(v->rule->name, name) == 0)
			return v->text;
	}
	return NULL;
}

const char *argument(const struct arguments *a, const char *name)
{
	const char *last = NULL, *v;
	size_t at = 0;
	while ((v = argument_next(a, name, &at)) != NULL)
		last = v;
	return last;
}

bool argument_is_given(const struct arguments *a, const char *name)
{
	return argument(a, name) != NULL;
}
