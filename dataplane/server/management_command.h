/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_SERVER_MANAGEMENT_COMMAND_H
#define DATAPLANE_SERVER_MANAGEMENT_COMMAND_H

#include "dataplane/base/ip.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What a client of OpenVPN's management interface says: a line, of words that blanks part, with quotes
 * and backslashes as OpenVPN has them. Bytes go in as they come, in pieces of any size; nothing is done
 * here. Bytes that cannot be printed are left out, as OpenVPN does; a line that is too long is read to
 * its end and is then only that.
 */
enum {
	MANAGEMENT_LINE_MAX = 256, /* with its NUL: OpenVPN's */
	MANAGEMENT_WORDS_MAX = 4, /* that mean something; more are left out */
};

enum management_verb {
	MANAGEMENT_NOTHING, /* an empty line */
	MANAGEMENT_REFUSED, /* error says why */
	MANAGEMENT_HELP,
	MANAGEMENT_VERSION,
	MANAGEMENT_STATE,
	MANAGEMENT_STATE_SWITCH, /* on, off */
	MANAGEMENT_LOAD_STATS,
	MANAGEMENT_STATUS, /* number: version of the format, 1 to 3 */
	MANAGEMENT_KILL_NAME, /* text: common name */
	MANAGEMENT_KILL_ADDRESS,
	MANAGEMENT_CLIENT_KILL, /* number */
	MANAGEMENT_LOG,
	MANAGEMENT_LOG_SWITCH, /* on, off */
	MANAGEMENT_VERB,
	MANAGEMENT_VERB_SET,
	MANAGEMENT_QUIT,
};

/* A line on its way. All zero at first. */
struct management_line {
	bool is_too_long;
	uint16_t len;
	char text[MANAGEMENT_LINE_MAX];
};

struct management_command {
	enum management_verb verb;
	bool is_on; /* of a switch */
	bool is_all; /* of a switch: and what has been until now */
	bool halt; /* of CLIENT_KILL: not to come back */
	uint64_t number;
	struct ip_endpoint address;
	char text[MANAGEMENT_LINE_MAX];
	char error[MANAGEMENT_LINE_MAX + 64]; /* of REFUSED: what stands behind "ERROR: " */
};

/* Takes bytes up to the end of the line; ret_used says how many. true: the line is complete. */
bool management_line_feed(
	struct management_line *l, const char *bytes, size_t len, size_t *ret_used);
/* Of a complete line, which is all zero again. */
void management_command_read(struct management_line *l, struct management_command *ret);

#endif
