// SPDX-License-Identifier: Apache-2.0
#include "dataplane/base/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct {
	const char *program;
	enum log_level max;
	int prefix; /* write <n> for journald */
} config = {"nave", LOG_LEVEL_INFO, 0}; /* set: log_init(), before threads start */

static const struct {
	const char *name;
	int syslog; /* RFC 5424 severity */
} levels[LOG_LEVEL__COUNT] = {
	[LOG_LEVEL_ERROR] = {"error", 3},
	[LOG_LEVEL_WARNING] = {"warning", 4},
	[LOG_LEVEL_INFO] = {"info", 6},
	[LOG_LEVEL_DEBUG] = {"debug", 7},
};

void log_init(const char *program, enum log_level max)
{
	config.program = program;
	config.max = max;
	config.prefix = isatty(STDERR_FILENO) == 0;
}

int log_level_parse(const char *text, enum log_level *ret)
{
	for (unsigned int i = 0; i < LOG_LEVEL__COUNT; i++) {
		if (strcmp(text, levels[i].name) == 0) {
			*ret = (enum log_level)i;
			return 0;
		}
	}
	return -EINVAL;
}

/* One write a message, so that lines of several threads don't mix; control characters of what is
 * quoted can't forge a line. */
void log_message(enum log_level level, const char *format, ...)
{
	if (level > config.max)
		return;
	char line[1024];
	size_t n = 0;
	if (config.prefix)
		n = (size_t)snprintf(line, sizeof(line), "<%d>", levels[level].syslog);
	n += (size_t)snprintf(
		line + n, sizeof(line) - n, "%s: %s: ", config.program, levels[level].name);
	size_t text = n;
	va_list args;
	va_start(args, format);
	int more = vsnprintf(line + n, sizeof(line) - n - 1, format, args);
	va_end(args);
	n += more < 0 ? 0 : (size_t)more;
	if (n > sizeof(line) - 2)
		n = sizeof(line) - 2;
	for (size_t i = text; i < n; i++) {
		if ((unsigned char)line[i] < 32 || line[i] == 127)
			line[i] = ' ';
	}
	line[n++] = '\n';
	(void)!write(STDERR_FILENO, line, n);
}
