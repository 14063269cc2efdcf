/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_CLI_PEOPLE_H
#define CONTROL_CLI_PEOPLE_H

#include "control/cli/csv.h"

#include <stdbool.h>
#include <stddef.h>

/* A file of people: one client peer a line. */
struct person {
	unsigned int line;
	const char *name; /* of the peer */
	const char *user; /* "" none; so below */
	const char *email;
	const char *protocol;
	const char *route_all; /* "yes", "no" */
};

struct people {
	const char *file; /* borrowed */
	struct csv csv; /* owned */
	struct person *list; /* owned */
	size_t count;
	size_t faults; /* told so far */
};

/* Reads and checks all of it. false, after a line for each fault, with the number of its line. */
bool people_read(struct people *p, const char *path);
/* Also for one that is zeroed. */
void people_free(struct people *p);
/* One more fault, as "FILE:LINE: …" on standard error; after twenty they are only counted. */
void people_fault(struct people *p, unsigned int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
