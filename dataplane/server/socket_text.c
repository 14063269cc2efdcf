// SPDX-License-Identifier: Apache-2.0
#include "dataplane/server/socket_text.h"

#include "dataplane/base/hex.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
	PIECE_MAX = 512, /* bytes of one line with its NUL */
};

/* Not realloc(): it would leave keys behind. */
static bool make_room(struct socket_text *t, size_t need)
{
	if (t->room - t->len >= need)
		return true;
	size_t room = t->room == 0 ? 4096 : t->room;
	while (room - t->len < need)
		room *= 2;
	char *bytes = malloc(room);
	if (bytes == NULL) {
		t->out_of_memory = true;
		return false;
	}
	if (t->bytes != NULL) {
		memcpy(bytes, t->bytes, t->len);
		explicit_bzero(t->bytes, t->len);
	}
	free(t->bytes);
	t->bytes = bytes;
	t->room = room;
	return true;
}

void socket_text_add(struct socket_text *t, const char *format, ...)
{
	va_list args;
	if (!make_room(t, PIECE_MAX))
		return;
	va_start(args, format);
	int n = vsnprintf(t->bytes + t->len, PIECE_MAX, format, args);
	t->len += n < PIECE_MAX ? (size_t)n : PIECE_MAX - 1;
	va_end(args);
}

void socket_text_add_key(struct socket_text *t, const char *name, const struct key *key)
{
	char hex[2 * KEY_LEN + 1];
	hex_encode(key->bytes, KEY_LEN, hex);
	socket_text_add(t, "%s=%s\n", name, hex);
	explicit_bzero(hex, sizeof(hex));
}

int socket_text_flush(struct socket_text *t, int fd)
{
	while (t->sent < t->len) {
		ssize_t n =
			send(fd, t->bytes + t->sent, t->len - t->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		t->sent += (size_t)n;
	}
	if (t->len > 0)
		explicit_bzero(t->bytes, t->len);
	t->sent = t->len = 0;
	return t->out_of_memory ? -ENOMEM : 0;
}

void socket_text_fini(struct socket_text *t)
{
	if (t->bytes != NULL)
		explicit_bzero(t->bytes, t->len);
	free(t->bytes);
	*t = (struct socket_text){0};
}
