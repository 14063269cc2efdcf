/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_API_HELLO_H
#define DATAPLANE_API_HELLO_H

#include "dataplane/base/uuid.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

/* Request and reply of HELLO. An unequal version is answered with -EPROTONOSUPPORT and a close. */
struct dp_hello {
	uint32_t version; /* DP_API_VERSION */
	uint32_t pid;
	struct uuid
		boot_id; /* of this run of the dataplane; a new one has no state. Request: zero */
};
static_assert(sizeof(struct dp_hello) == 24);

/* The version is not looked at: its refusal is the server's. */
int dp_hello_check(const uint8_t *payload, size_t len, const char **ret_reason);
int dp_hello_reply_check(const uint8_t *payload, size_t len, const char **ret_reason);

#endif
