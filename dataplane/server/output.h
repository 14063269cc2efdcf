/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_SERVER_OUTPUT_H
#define DATAPLANE_SERVER_OUTPUT_H

#include "dataplane/api/msg.h"

#include <stddef.h>
#include <stdint.h>

/* Datagrams that wait for a socket that is full. One buffer, given back when it runs empty. */
struct output {
	uint8_t *bytes;
	size_t head, tail; /* what waits: each datagram behind its length */
	size_t size;
};

void output_fini(struct output *out);
/* -ENOBUFS over OUTPUT_MAX, -ENOMEM; then nothing was added. */
int output_put(struct output *out, const struct dp_header *header, const void *payload);
size_t output_pending(const struct output *out);
/* Sends what fd takes. 0: nothing waits any more; -EAGAIN: fd is full; else -errno. */
int output_flush(struct output *out, int fd);

#endif
