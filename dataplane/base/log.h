/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_BASE_LOG_H
#define DATAPLANE_BASE_LOG_H

#include <stdarg.h>

/*
 * One line a message on standard error, "<level>program: text"; the level prefix is the one that
 * journald understands (sd-daemon(3)) and only there when the output is a journal or a file.
 * For daemons' main files and handlers; libraries (base api wg model kernel) return errors and
 * never log. Never called from a worker. Thread-safe. Messages hold no secrets.
 */
enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
	LOG_LEVEL__COUNT,
};

/* program must outlive all messages. Called once, before threads start. */
void log_init(const char *program, enum log_level max);
/* "error", "warning", "info", "debug"; 0 or -EINVAL. */
int log_level_parse(const char *text, enum log_level *ret);
void log_message(enum log_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#define log_error(...) log_message(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_message(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...) log_message(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_message(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
