/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_SERVER_MANAGEMENT_H
#define DATAPLANE_SERVER_MANAGEMENT_H

#include "dataplane/server/instance_socket.h"

/*
 * The sockets at which programs made for OpenVPN's management interface ask about instances: who is there,
 * with how many bytes, and to end a session. Nothing that happens is told unasked, and nothing that
 * belongs to the node can be changed.
 */
extern const struct socket_kind management_kind;

#endif
