/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_MODEL_NAME_H
#define CONTROL_MODEL_NAME_H

#include "control/model/error.h"

#include <jansson.h>

enum {
	NAME_MAX_CHARACTERS = 64,
	NAME_TEXT = 4 * 64 + 1,
	LABELS_MAX = 64,
	LABEL_KEY_MAX_BYTES = 64,
	LABEL_VALUE_MAX_CHARACTERS = 256,
};

/* What people call a thing: 1-64 characters of printable UTF-8, no direction overrides. */
void name_check(const char *name, const char *pointer, struct model_errors *errors);
/* An object of strings; keys a-z A-Z 0-9 . _ / -. */
void labels_check(const json_t *labels, struct model_errors *errors);

#endif
