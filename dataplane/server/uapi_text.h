/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_SERVER_UAPI_TEXT_H
#define DATAPLANE_SERVER_UAPI_TEXT_H

#include "dataplane/base/key.h"

#include <stdbool.h>
#include <stddef.h>

/* An answer of the UAPI socket on its way out. All zero at first; holds secrets. */
struct uapi_text {
	char *bytes;
	size_t sent, len, room;
	bool out_of_memory; /* something was left out */
};

__attribute__((format(printf, 2, 3))) void uapi_text_add(
	struct uapi_text *t, const char *format, ...);
/* "NAME=HEX\n" */
void uapi_text_add_key(struct uapi_text *t, const char *name, const struct key *key);
/* Sends what fd takes. 0: all is gone, and wiped; -EAGAIN: fd is full; -ENOMEM: what was sent is not
 * whole; else -errno. */
int uapi_text_flush(struct uapi_text *t, int fd);
/* Wipes and frees; t is all zero again. */
void uapi_text_fini(struct uapi_text *t);

#endif
