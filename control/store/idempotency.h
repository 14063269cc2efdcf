/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_STORE_IDEMPOTENCY_H
#define CONTROL_STORE_IDEMPOTENCY_H

#include "control/store/store.h"

#include <stddef.h>
#include <stdint.h>

enum {
	IDEMPOTENCY_ID_LEN = 32,
	IDEMPOTENCY_HEADER_TEXT = 256,
};

/* An answer that was given, kept for 48 hours beside what it answered. The body lies sealed. */
struct kept_answer {
	uint8_t fingerprint[IDEMPOTENCY_ID_LEN]; /* of the request's body */
	unsigned int status;
	char location[IDEMPOTENCY_HEADER_TEXT]; /* "" none */
	char etag[IDEMPOTENCY_HEADER_TEXT];
	char content_type[IDEMPOTENCY_HEADER_TEXT];
	char *body; /* owned by whoever found it; NUL behind it */
	size_t body_len;
};

int idempotency_find(
	struct store *store, const uint8_t id[IDEMPOTENCY_ID_LEN], struct kept_answer *ret);
int idempotency_add(struct store *store, const uint8_t id[IDEMPOTENCY_ID_LEN],
	const struct kept_answer *answer);

#endif
