/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_API_UAPI_H
#define DATAPLANE_API_UAPI_H

#include "dataplane/base/uuid.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The socket at which wg(8) asks about an instance (https://www.wireguard.com/xplatform/): a
 * listening AF_UNIX stream socket, which comes as the message's file. Replaces the one before,
 * which is closed. -ENOENT: no such instance; -EINVAL: the file is no such socket.
 */
struct dp_uapi_set {
	struct uuid instance;
};
static_assert(sizeof(struct dp_uapi_set) == 16);

int dp_uapi_set_check(const uint8_t *payload, size_t len, const char **ret_reason);

#endif
