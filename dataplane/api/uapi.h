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

/*
 * Its name in the folder where wg(8) looks, of instance number N: "naveN.sock". An answer has the
 * private key: the file is its owner's alone, and the dataplane asks each client who it is. Nothing
 * relies on the mode of the folder, which others may have made.
 */
enum {
	DP_UAPI_NAME = 24,
	DP_UAPI_MODE = 0600,
	DP_UAPI_FOLDER_MODE = 0700, /* if there is none */
};
const char *dp_uapi_name(uint32_t number, char ret[DP_UAPI_NAME]);

int dp_uapi_set_check(const uint8_t *payload, size_t len, const char **ret_reason);

#endif
