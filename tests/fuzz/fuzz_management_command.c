// SPDX-License-Identifier: Apache-2.0
/*
 * What a client writes to a management socket: any bytes, in two pieces, are lines that mean the same as in
 * one piece, and every command's parts lie within their limits.
 */
#include "dataplane/server/management_command.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_line(const char *text, size_t room)
{
	size_t len = strnlen(text, room);
	for (size_t n = 0; n < len; n++) {
		if (text[n] < ' ' || text[n] > '~')
			return false;
	}
	return len < room;
}

static void check(const struct management_command *c)
{
	if (!is_line(c->text, sizeof(c->text)) || !is_line(c->error, sizeof(c->error)))
		abort();
	if ((c->verb == MANAGEMENT_REFUSED) != (c->error[0] != '\0'))
		abort();
	if (c->verb == MANAGEMENT_STATUS && (c->number == 0 || c->number > 3))
		abort();
	if (c->verb == MANAGEMENT_KILL_ADDRESS && c->address.port == 0)
		abort();
	if (c->verb == MANAGEMENT_KILL_NAME && c->text[0] == '\0')
		abort();
}

/* true: complete, at *ret_end. */
static bool feed(
	struct management_line *l, const char *text, size_t size, size_t first, size_t *ret_end)
{
	bool complete = management_line_feed(l, text, first, ret_end);
	if (complete || first == size)
		return complete;
	complete = management_line_feed(l, text + first, size - first, ret_end);
	*ret_end += first;
	return complete;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct management_line whole = {0}, cut = {0};
	struct management_command one, other;
	const char *text = (const char *)data;
	size_t end = 0, cut_end = 0;
	while (feed(&whole, text, size, size, &end)) {
		if (!feed(&cut, text, size, size / 2, &cut_end) || end != cut_end)
			abort();
		management_command_read(&whole, &one);
		management_command_read(&cut, &other);
		check(&one);
		if (one.verb != other.verb || strcmp(one.text, other.text) != 0
			|| strcmp(one.error, other.error) != 0)
			abort();
		text += end;
		size -= end;
	}
	return 0;
}
