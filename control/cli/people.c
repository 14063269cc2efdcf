// SPDX-License-Identifier: Apache-2.0
/*
 * What a file of people may say. All lines are looked at before anything is asked of the daemon, so
 * what can be known here is checked here, by the daemon's rules: a list of 300 that stops in its
 * middle for a typo is nobody's wish.
 */
#include "control/cli/people.h"

#include "control/cli/text.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
	FAULTS_TOLD = 20,
	FAULT_TEXT = 512,
	NAME_CHARACTERS = 64,
};

enum title {
	TITLE_NAME,
	TITLE_USER,
	TITLE_EMAIL,
	TITLE_PROTOCOL,
	TITLE_ROUTE_ALL,
	TITLE__COUNT,
};

static const char *const titles[TITLE__COUNT] = {
	[TITLE_NAME] = "name",
	[TITLE_USER] = "user",
	[TITLE_EMAIL] = "email",
	[TITLE_PROTOCOL] = "protocol",
	[TITLE_ROUTE_ALL] = "route_all",
};

void people_fault(struct people *p, unsigned int line, const char *format, ...)
{
	char text[FAULT_TEXT];
	va_list ap;
	if (++p->faults > FAULTS_TOLD)
		return;
	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	(void)fprintf(stderr, "nave: %s:%u: ", p->file, line);
	text_print(stderr, text);
	(void)fprintf(stderr, "\n");
}

static bool read_titles(struct people *p, size_t columns[TITLE__COUNT])
{
	const struct csv_row *row = &p->csv.rows[0];
	if (p->csv.count == 0) {
		people_fault(p, 1,
			"the file is empty; its first line is name,user,email,protocol,route_all");
		return false;
	}
	for (size_t i = 0; i < row->count; i++) {
		size_t t = 0;
		while (t < TITLE__COUNT && strcmp(titles[t], row->cell[i]) != 0)
			t++;
		if (t == TITLE__COUNT)
			people_fault(p, row->line,
				"there is no column \"%s\"; there are name, user, email, protocol and"
				" route_all, with commas between them",
				row->cell[i]);
		else if (csv_column(row, row->cell[i]) != i)
			people_fault(p, row->line, "the column %s is there twice", row->cell[i]);
	}
	for (size_t t = 0; t < TITLE__COUNT; t++)
		columns[t] = csv_column(row, titles[t]);
	if (columns[TITLE_NAME] == CSV_CELLS_MAX)
		people_fault(p, row->line, "the column name is missing");
	return p->faults == 0;
}

/* The daemon has more to say about names, but seldom. */
static void check_name(struct people *p, unsigned int line, const char *title, const char *name)
{
	size_t characters = 0, len = strlen(name);
	for (const char *c = name; *c != '\0'; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7f) {
			people_fault(p, line, "%s has a control character", title);
			return;
		}
		characters += ((unsigned char)*c & 0xc0) != 0x80;
	}
	if (len > 0 && (name[0] == ' ' || name[len - 1] == ' '))
		people_fault(p, line, "%s begins or ends with a space", title);
	if (characters > NAME_CHARACTERS)
		people_fault(p, line, "%s is longer than %d characters", title, NAME_CHARACTERS);
}

static void check_email(struct people *p, unsigned int line, const char *email)
{
	const char *at = strchr(email, '@');
	bool good = at != NULL && at != email && at[1] != '\0' && strchr(at + 1, '@') == NULL;
	for (const char *c = email; *c != '\0' && good; c++)
		good = (unsigned char)*c > 0x20 && *c != 0x7f && strchr("<>,", *c) == NULL;
	if (!good && email[0] != '\0')
		people_fault(p, line, "\"%s\" is no e-mail address", email);
}

static const char *read_switch(struct people *p, unsigned int line, const char *text)
{
	static const char *const words[2][4] = {
		{"no", "false", "off", "0"}, {"yes", "true", "on", "1"}};
	for (int on = 0; on < 2; on++) {
		for (int i = 0; i < 4; i++) {
			if (strcasecmp(text, words[on][i]) == 0)
				return words[on][0];
		}
	}
	if (text[0] != '\0')
		people_fault(p, line, "route_all cannot be \"%s\": yes, no, or nothing", text);
	return "";
}

static const char *cell_of(const struct csv_row *row, size_t column)
{
	return column < row->count ? row->cell[column] : "";
}

static void read_person(
	struct people *p, const struct csv_row *row, const size_t columns[TITLE__COUNT])
{
	unsigned int line = row->line;
	struct person *one = &p->list[p->count++];
	*one = (struct person){
		.line = line,
		.name = cell_of(row, columns[TITLE_NAME]),
		.user = cell_of(row, columns[TITLE_USER]),
		.email = cell_of(row, columns[TITLE_EMAIL]),
		.protocol = cell_of(row, columns[TITLE_PROTOCOL]),
		.route_all = read_switch(p, line, cell_of(row, columns[TITLE_ROUTE_ALL])),
	};
	if (row->count != p->csv.rows[0].count)
		people_fault(p, line, "has %zu cells, and the first line has %zu", row->count,
			p->csv.rows[0].count);
	if (one->name[0] == '\0')
		people_fault(p, line, "name is empty");
	check_name(p, line, "name", one->name);
	check_name(p, line, "user", one->user);
	check_email(p, line, one->email);
	if (strcmp(one->protocol, "") != 0 && strcmp(one->protocol, "wireguard") != 0
		&& strcmp(one->protocol, "openvpn") != 0 && strcmp(one->protocol, "any") != 0)
		people_fault(p, line,
			"protocol cannot be \"%s\": wireguard, openvpn, any, or nothing",
			one->protocol);
}

/* Two peers of one name, or one person with two addresses. */
static void check_twins(struct people *p)
{
	json_t *names = json_object(), *emails = json_object();
	for (size_t i = 0; i < p->count; i++) {
		const struct person *one = &p->list[i];
		const json_t *before = json_object_get(names, one->name);
		if (before != NULL)
			people_fault(p, one->line, "\"%s\" is in line %lld already", one->name,
				(long long)json_integer_value(before));
		else
			(void)json_object_set_new(names, one->name, json_integer(one->line));
		if (one->user[0] == '\0' || one->email[0] == '\0')
			continue;
		const char *email = json_string_value(json_object_get(emails, one->user));
		if (email != NULL && strcmp(email, one->email) != 0)
			people_fault(p, one->line, "%s has another e-mail address above: %s",
				one->user, email);
		(void)json_object_set_new(emails, one->user, json_string(one->email));
	}
	json_decref(names);
	json_decref(emails);
}

bool people_read(struct people *p, const char *path)
{
	size_t columns[TITLE__COUNT];
	memset(p, 0, sizeof(*p));
	p->file = path;
	if (!csv_read(path, &p->csv))
		return false;
	if (!read_titles(p, columns))
		return false;
	p->count = 0;
	p->list = calloc(p->csv.count, sizeof(*p->list));
	if (p->list == NULL)
		return false;
	for (size_t i = 1; i < p->csv.count; i++)
		read_person(p, &p->csv.rows[i], columns);
	check_twins(p);
	if (p->faults == 0 && p->count == 0)
		people_fault(p, p->csv.rows[0].line, "there is nobody below the first line");
	if (p->faults > FAULTS_TOLD)
		(void)fprintf(stderr, "nave: %s: and %zu more\n", path, p->faults - FAULTS_TOLD);
	return p->faults == 0;
}

void people_free(struct people *p)
{
	csv_free(&p->csv);
	free(p->list);
	p->list = NULL;
}
