/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_MODEL_ERROR_H
#define CONTROL_MODEL_ERROR_H

#include <stdbool.h>
#include <stddef.h>

enum {
	MODEL_ERRORS_MAX = 16,
	MODEL_POINTER_TEXT = 96,
	MODEL_DETAIL_TEXT = 256,
};

struct model_error {
	char pointer[MODEL_POINTER_TEXT]; /* JSON pointer into the request (RFC 6901) */
	char detail[MODEL_DETAIL_TEXT];
};

/* Why an object is refused: what is wrong with it, or with what is there already (conflict). */
struct model_errors {
	struct model_error list[MODEL_ERRORS_MAX];
	size_t count;
	bool has_conflict; /* only conflicts count as 409; anything else makes it 422 */
	bool has_invalid;
};

/* Past MODEL_ERRORS_MAX they are only counted as being there. */
void model_error_add(struct model_errors *errors, const char *pointer, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void model_conflict_add(struct model_errors *errors, const char *pointer, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
