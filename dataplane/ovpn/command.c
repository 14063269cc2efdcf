// SPDX-License-Identifier: Apache-2.0
#include "dataplane/ovpn/command.h"

#include "dataplane/ovpn/peer_info.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool is_printable(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] < ' ' || text[i] > '~')
			return false;
	return true;
}

static struct command sort(const char *text, size_t len)
{
	static const char push_request[] = "PUSH_REQUEST", leave[] = "EXIT",
			  cr_response[] = "CR_RESPONSE,";
	const size_t cr_len = sizeof(cr_response) - 1;
	if (!is_printable(text, len))
		return (struct command){.kind = COMMAND_MALFORMED};
	if (len == sizeof(push_request) - 1 && memcmp(text, push_request, len) == 0)
		return (struct command){COMMAND_PUSH_REQUEST, text, len};
	if (len == sizeof(leave) - 1 && memcmp(text, leave, len) == 0)
		return (struct command){COMMAND_EXIT, text, len};
	if (len >= cr_len && memcmp(text, cr_response, cr_len) == 0)
		return (struct command){COMMAND_CR_RESPONSE, text + cr_len, len - cr_len};
	return (struct command){COMMAND_UNKNOWN, text, len};
}

bool command_next(struct command_reader *r, struct command *ret)
{
	while (r->left > 0) {
		const char *text = (const char *)r->at;
		size_t len = strnlen(text, r->left);
		if (len == r->left) {
			r->left = 0;
			*ret = (struct command){.kind = COMMAND_MALFORMED};
			return true;
		}
		r->at += len + 1;
		r->left -= len + 1;
		while (len > 0 && (text[len - 1] == '\r' || text[len - 1] == '\n'))
			len--;
		if (len == 0)
			continue;
		*ret = sort(text, len);
		return true;
	}
	return false;
}

/* head, and the text behind the separator if there is any. */
static ssize_t write_command(
	uint8_t *buf, size_t size, const char *head, const char *separator, const char *text)
{
	if (text == NULL)
		text = "";
	if (!is_printable(text, strlen(text)))
		return -EINVAL;
	char out[COMMAND_MAX];
	int len =
		snprintf(out, sizeof(out), "%s%s%s", head, text[0] != '\0' ? separator : "", text);
	if (len < 0 || (size_t)len >= sizeof(out) || (size_t)len >= size)
		return -ENOSPC;
	memcpy(buf, out, (size_t)len + 1);
	return len + 1;
}

ssize_t command_write_auth_failed(uint8_t *buf, size_t size, const char *reason)
{
	return write_command(buf, size, "AUTH_FAILED", ",", reason);
}

ssize_t command_write_auth_failed_temp(
	uint8_t *buf, size_t size, uint32_t iv_proto, uint32_t backoff_s, const char *reason)
{
	char head[64] = "AUTH_FAILED,TEMP";
	if ((iv_proto & IV_PROTO_AUTH_FAIL_TEMP) == 0)
		return command_write_restart(buf, size, false, reason);
	if (backoff_s != 0)
		(void)snprintf(
			head, sizeof(head), "AUTH_FAILED,TEMP[backoff %" PRIu32 "]", backoff_s);
	return write_command(buf, size, head, ":", reason);
}

ssize_t command_write_restart(uint8_t *buf, size_t size, bool next_remote, const char *message)
{
	/* the client would take it for flags */
	if (message != NULL && message[0] == '[')
		return -EINVAL;
	return next_remote ? write_command(buf, size, "RESTART,[N]", "", message)
			   : write_command(buf, size, "RESTART", ",", message);
}

ssize_t command_write_halt(uint8_t *buf, size_t size, const char *message)
{
	return write_command(buf, size, "HALT", ",", message);
}

ssize_t command_write_info(uint8_t *buf, size_t size, const char *message)
{
	return write_command(buf, size, "INFO", ",", message);
}
