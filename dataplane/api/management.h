/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_API_MANAGEMENT_H
#define DATAPLANE_API_MANAGEMENT_H

#include "dataplane/base/uuid.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The socket at which programs made for OpenVPN's management interface ask about an instance: a
 * listening AF_UNIX stream socket, which comes as the message's file. Replaces the one before,
 * which is closed. -ENOENT: no such instance; -EINVAL: the file is no such socket.
 */
struct dp_management_set {
	struct uuid instance;
};
static_assert(sizeof(struct dp_management_set) == 16);

/* Its name in a folder of its own is that of the UAPI socket: dp_uapi_name(). Who asks may end sessions,
 * so the file is its owner's alone, and the dataplane asks each client who it is. */
enum {
	DP_MANAGEMENT_MODE = 0600,
	DP_MANAGEMENT_FOLDER_MODE = 0700, /* if there is none */
};

int dp_management_set_check(const uint8_t *payload, size_t len, const char **ret_reason);

#endif
