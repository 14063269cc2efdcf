/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_MODEL_HOSTNAME_H
#define CONTROL_MODEL_HOSTNAME_H

enum {
	HOSTNAME_MIN = 3,
	HOSTNAME_MAX = 20,
	HOSTNAME_TEXT = HOSTNAME_MAX + 1,
};

/* Folds case into ret and returns NULL, or says why the label cannot be a hostname. */
const char *hostname_check(const char *label, char ret[HOSTNAME_TEXT]);

#endif
