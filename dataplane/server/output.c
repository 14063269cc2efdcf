// SPDX-License-Identifier: Apache-2.0
#include "dataplane/server/output.h"

#include "dataplane/server/bounds.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
	OUTPUT_KEEP = 64 << 10, /* bytes that an empty queue keeps */
};

void output_fini(struct output *out)
{
	free(out->bytes);
	*out = (struct output){0};
}

size_t output_pending(const struct output *out)
{
	return out->tail - out->head;
}

/* Room for need more bytes at the tail. */
static int make_room(struct output *out, size_t need)
{
	size_t waiting = output_pending(out);
	if (waiting + need > OUTPUT_MAX)
		return -ENOBUFS;
	if (out->tail + need <= out->size)
		return 0;
	if (out->head >= out->size / 2 && waiting + need <= out->size) {
		memmove(out->bytes, out->bytes + out->head, waiting);
		out->head = 0;
		out->tail = waiting;
		return 0;
	}
	size_t size = out->size > 0 ? out->size : OUTPUT_KEEP;
	while (size < out->tail + need)
		size *= 2;
	uint8_t *bytes = realloc(out->bytes, size);
	if (bytes == NULL)
		return -ENOMEM;
	out->bytes = bytes;
	out->size = size;
	return 0;
}

int output_put(struct output *out, const struct dp_header *header, const void *payload)
{
	uint32_t len = DP_HEADER_LEN + header->payload_len;
	int err = make_room(out, sizeof(len) + len);
	if (err != 0)
		return err;
	uint8_t *at = out->bytes + out->tail;
	memcpy(at, &len, sizeof(len));
	dp_header_encode(header, at + sizeof(len));
	if (header->payload_len > 0)
		memcpy(at + sizeof(len) + DP_HEADER_LEN, payload, header->payload_len);
	out->tail += sizeof(len) + len;
	return 0;
}

int output_flush(struct output *out, int fd)
{
	while (out->head < out->tail) {
		uint32_t len;
		memcpy(&len, out->bytes + out->head, sizeof(len));
		ssize_t n = send(
			fd, out->bytes + out->head + sizeof(len), len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		out->head += sizeof(len) + len;
	}
	out->head = out->tail = 0;
	if (out->size > OUTPUT_KEEP)
		output_fini(out);
	return 0;
}
