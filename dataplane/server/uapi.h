/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_SERVER_UAPI_H
#define DATAPLANE_SERVER_UAPI_H

#include "dataplane/server/instance_socket.h"

/* The sockets at which wg(8) asks about instances. It asks, and asks again when it has its answer. */
extern const struct socket_kind uapi_kind;

#endif
