/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_STORE_AUDIT_H
#define CONTROL_STORE_AUDIT_H

#include "control/model/name.h"
#include "control/store/store.h"
#include "dataplane/base/uuid.h"

#include <stdint.h>

struct audit_row {
	int64_t seq;
	struct uuid id;
	int64_t at;
	char actor_type[16];
	struct uuid actor_id;
	char actor_name[NAME_TEXT];
	char action[32];
	char object_type[16];
	struct uuid object_id;
	char object_name[NAME_TEXT];
	char request_id[UUID_TEXT];
};

/*
 * Newest first, those with a seq below `before`; row returns 0 to go on,
 * 1 for enough, or -errno, which the list returns.
 */
int audit_list(struct store *store, int64_t before,
	int (*row)(void *ctx, const struct audit_row *row), void *ctx);

#endif
