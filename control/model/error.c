// SPDX-License-Identifier: Apache-2.0
#include "control/model/error.h"

#include <stdarg.h>
#include <stdio.h>

__attribute__((format(printf, 3, 0))) static void add_error(
	struct model_errors *errors, const char *pointer, const char *format, va_list ap)
{
	if (errors->count == MODEL_ERRORS_MAX)
		return;
	struct model_error *e = &errors->list[errors->count++];
	(void)snprintf(e->pointer, sizeof(e->pointer), "%s", pointer);
	(void)vsnprintf(e->detail, sizeof(e->detail), format, ap);
}

void model_error_add(struct model_errors *errors, const char *pointer, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	add_error(errors, pointer, format, ap);
	va_end(ap);
	errors->has_invalid = true;
}

void model_conflict_add(struct model_errors *errors, const char *pointer, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	add_error(errors, pointer, format, ap);
	va_end(ap);
	errors->has_conflict = true;
}
