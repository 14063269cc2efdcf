// SPDX-License-Identifier: Apache-2.0
#include "dataplane/server/output.h"

#include "dataplane/server/bounds.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
	OUTPUT_KEEP = 64 << 10, /* bytes that an empty queue keeps */
	SEND_BURST = 64, /* datagrams a call */
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

/* The datagrams at the head, as many as one call sends. */
static unsigned int gather(
	const struct output *out, struct iovec iov[SEND_BURST], struct mmsghdr message[SEND_BURST])
{
	unsigned int n = 0;
	for (size_t at = out->head; at < out->tail && n < SEND_BURST; n++) {
		uint32_t len;
		memcpy(&len, out->bytes + at, sizeof(len));
		iov[n] = (struct iovec){out->bytes + at + sizeof(len), len};
		message[n] = (struct mmsghdr){.msg_hdr = {.msg_iov = &iov[n], .msg_iovlen = 1}};
		at += sizeof(len) + len;
	}
	return n;
}

int output_flush(struct output *out, int fd)
{
	struct iovec iov[SEND_BURST];
	struct mmsghdr message[SEND_BURST];
	while (out->head < out->tail) {
		unsigned int n = gather(out, iov, message);
		int sent = sendmmsg(fd, message, n, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return -errno;
		for (int i = 0; i < sent; i++)
			out->head += sizeof(uint32_t) + iov[i].iov_len;
	}
	out->head = out->tail = 0;
	if (out->size > OUTPUT_KEEP)
		output_fini(out);
	return 0;
}
