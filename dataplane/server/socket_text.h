/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_SERVER_SOCKET_TEXT_H
#define DATAPLANE_SERVER_SOCKET_TEXT_H

#include "dataplane/base/key.h"

#include <stdbool.h>
#include <stddef.h>

/* An answer of the UAPI socket on its way out. All zero at first; holds secrets. */
struct socket_text {
	char *bytes;
	size_t sent, len, room;
	bool out_of_memory; /* something was left out */
};

__attribute__((format(printf, 2, 3))) void socket_text_add(
	struct socket_text *t, const char *format, ...);
/* "NAME=HEX\n" */
void socket_text_add_key(struct socket_text *t, const char *name, const struct key *key);
/* Sends what fd takes. 0: all is gone, and wiped; -EAGAIN: fd is full; -ENOMEM: what was sent is not
 * whole; else -errno. */
int socket_text_flush(struct socket_text *t, int fd);
/* Wipes and frees; t is all zero again. */
void socket_text_fini(struct socket_text *t);

#endif
