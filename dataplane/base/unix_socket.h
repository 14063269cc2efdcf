/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_BASE_UNIX_SOCKET_H
#define DATAPLANE_BASE_UNIX_SOCKET_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Listens at path with a socket of that type (SOCK_STREAM, SOCK_SEQPACKET) that does not block;
 * its file has that mode from the first moment on. -EADDRINUSE: somebody answers there, or it is
 * no socket; a socket at which nobody answers is replaced. -ENAMETOOLONG, -errno.
 */
int unix_socket_listen(const char *path, int type, mode_t mode, int backlog, int *ret_fd);
/* A socket of that type at which nobody answers. */
bool unix_socket_is_stale(const char *path, int type);

#endif
