/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_SERVER_UAPI_GET_H
#define DATAPLANE_SERVER_UAPI_GET_H

#include <stdbool.h>
#include <stdint.h>

struct instance;
struct server;
struct socket_text;

/* "get=1" on its way: the peers that there were when it began. All zero: over. */
struct uapi_get {
	uint64_t *peer; /* handles: who is gone meanwhile is left out */
	uint32_t at, count;
	bool open;
};

/* What is to be told of the instance itself goes into out. 0 or -ENOMEM. */
int uapi_get_begin(
	struct uapi_get *g, struct server *s, const struct instance *i, struct socket_text *out);
/* The next peers, up to UAPI_CHUNK bytes and one peer more; the last piece has the "errno=0". */
void uapi_get_continue(struct uapi_get *g, struct server *s, struct socket_text *out);
bool uapi_get_is_over(const struct uapi_get *g);
void uapi_get_end(struct uapi_get *g);

#endif
