// SPDX-License-Identifier: Apache-2.0
/* A TLS record of control commands: what comes out lies in the record, is printable, and comes to an end. */
#include "dataplane/ovpn/command.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool held)
{
	if (!held)
		abort();
}

static void must_be_text_of(const struct command *c, const uint8_t *record, size_t size)
{
	const char *begin = (const char *)record;
	must(c->text >= begin && c->text_len <= size && c->text + c->text_len < begin + size);
	for (size_t i = 0; i < c->text_len; i++)
		must(c->text[i] >= ' ' && c->text[i] <= '~');
}

/* What a peer says is never sent on as it came, but a reason may quote it. */
static void may_be_quoted(const struct command *c)
{
	uint8_t buf[COMMAND_MAX];
	char *reason = strndup(c->text, c->text_len);
	must(reason != NULL);
	ssize_t len = command_write_auth_failed(buf, sizeof(buf), reason);
	must(len < 0 || (len <= COMMAND_MAX && strlen((char *)buf) + 1 == (size_t)len));
	free(reason);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct command c;
	uint8_t *record = malloc(size + 1); /* exact behind the first byte, which shifts it */
	must(record != NULL);
	if (size > 0)
		memcpy(record + 1, data, size);
	struct command_reader r = {.at = record + 1, .left = size};
	size_t left = r.left;
	while (command_next(&r, &c)) {
		must(r.left < left);
		left = r.left;
		if (c.kind == COMMAND_MALFORMED)
			continue;
		must_be_text_of(&c, record + 1, size);
		may_be_quoted(&c);
	}
	must(r.left == 0);
	free(record);
	return 0;
}
