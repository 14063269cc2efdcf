/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_CLI_NOUN_H
#define CONTROL_CLI_NOUN_H

#include "control/cli/command.h"
#include "control/cli/text.h"

#include <jansson.h>

/* What is done with every noun of the API. Paths begin with "/v1/". */

/* The path of the first object for which a filter holds, to be freed; NULL: there is none. */
enum exit_code noun_find(
	struct cli *cli, const char *list, const char *filter, const char *value, char **ret);
/*
 * The path of one object, by its id or its name; to be freed. list: "/v1/users"; what: "user", for
 * the message when there is none.
 */
enum exit_code noun_path(
	struct cli *cli, const char *list, const char *what, const char *name, char **ret);
enum exit_code noun_list(struct cli *cli, const char *list, const struct column *columns);
enum exit_code noun_show(struct cli *cli, const char *path);
/* body is borrowed. Prints what was made. */
enum exit_code noun_create(struct cli *cli, const char *list, const json_t *body);
/* Reads the version first. Prints what it is then. */
enum exit_code noun_update(struct cli *cli, const char *path, const json_t *patch);
enum exit_code noun_delete(struct cli *cli, const char *path);
enum exit_code noun_action(struct cli *cli, const char *path, const char *action);
/* An object as a table or as JSON. */
void noun_print(const struct cli *cli, const json_t *object);

/* Puts an option's value into a body under a name, when it was given. */
void noun_put_text(const struct cli *cli, json_t *body, const char *option, const char *name);
/* All values of a repeated option. */
void noun_put_list(const struct cli *cli, json_t *body, const char *option, const char *name);
/* false after a line on standard error: no number. */
bool noun_put_number(const struct cli *cli, json_t *body, const char *option, const char *name);
/* "on" or "off". */
bool noun_put_switch(const struct cli *cli, json_t *body, const char *option, const char *name);
/* --label key=value…; "key=" takes a label away in an update. */
bool noun_put_labels(const struct cli *cli, json_t *body);
/* A time, or "never". */
void noun_put_time(const struct cli *cli, json_t *body, const char *option, const char *name);

#endif
