// SPDX-License-Identifier: Apache-2.0
/*
 * A TCP stream into the framer. The first byte is the cap, the second says how the others are cut into
 * segments; a twin that has the whole stream before it says what must come out.
 */
#include "dataplane/ovpn/framing.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	BUF_SIZE = 200,
};

static void must(bool held)
{
	if (!held)
		abort();
}

/* The packet at *at as the twin sees it; as tcp_framer_read(), but that 0 leaves *at where it is. */
static ssize_t twin_read(const uint8_t *data, size_t size, size_t cap, size_t *at)
{
	if (size - *at < TCP_LENGTH_LEN)
		return 0;
	size_t len = (size_t)data[*at] << 8 | data[*at + 1];
	if (len == 0 || len > cap)
		return -EBADMSG;
	if (size - *at - TCP_LENGTH_LEN < len)
		return 0;
	*at += TCP_LENGTH_LEN + len;
	return (ssize_t)len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tcp_framer f;
	size_t twin_at = 0;
	if (size < 2)
		return 0;
	size_t cap = data[0] < BUF_SIZE ? data[0] : BUF_SIZE;
	size_t segment = data[1] == 0 ? size : data[1];
	uint8_t *buf = malloc(BUF_SIZE);
	must(buf != NULL);
	data += 2;
	size -= 2;
	tcp_framer_init(&f, buf, BUF_SIZE);
	tcp_framer_set_cap(&f, data[-2]);
	for (size_t at = 0; at < size && !f.broken;) {
		const uint8_t *from = data + at;
		size_t left = segment < size - at ? segment : size - at;
		at += left;
		for (ssize_t n = 1; n > 0;) {
			n = tcp_framer_read(&f, &from, &left);
			must(n > 0 || left == 0 || f.broken);
			ssize_t want = n == 0 ? 0 : twin_read(data, size, cap, &twin_at);
			must(n == want);
			if (n > 0)
				must(memcmp(buf, data + twin_at - n, (size_t)n) == 0);
		}
	}
	/* all of it was seen */
	must(f.broken || twin_read(data, size, cap, &twin_at) == 0);
	free(buf);
	return 0;
}
