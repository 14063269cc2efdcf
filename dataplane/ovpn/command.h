/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_OVPN_COMMAND_H
#define DATAPLANE_OVPN_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Control commands: NUL-terminated strings inside TLS, behind key method 2 (openvpn-rfc, "Control
 * channel messages"; OpenVPN's forward.c and push.c). Usually one a record, but a record may hold
 * several.
 */
enum command_kind {
	COMMAND_PUSH_REQUEST,
	COMMAND_EXIT,
	COMMAND_CR_RESPONSE, /* text is the base64 behind the comma */
	COMMAND_UNKNOWN, /* text is the whole of it */
	COMMAND_MALFORMED, /* no NUL at the end, or not printable; has no text */
};

enum {
	COMMAND_MAX = 1024, /* bytes that are written, with the NUL */
};

/* Zero it, then set both; borrowed while commands are taken out. */
struct command_reader {
	const uint8_t *at; /* the TLS record */
	size_t left;
};

struct command {
	enum command_kind kind;
	const char *text; /* in the record: text_len printable characters, no NUL */
	size_t text_len;
};

/* false: no more in this record. Trailing CR and LF are taken off; empty commands are left out. */
bool command_next(struct command_reader *r, struct command *ret);

/*
 * Each writes one command with its NUL into buf. reason and message: printable ASCII, NULL or empty:
 * none. Length with the NUL, or -EINVAL (not printable) or -ENOSPC.
 */
ssize_t command_write_auth_failed(uint8_t *buf, size_t size, const char *reason);
/* "Not now": to a client without IV_PROTO_AUTH_FAIL_TEMP in iv_proto this is a RESTART, because
 * AUTH_FAILED would end it. backoff_s: seconds it should wait, 0: as it likes. */
ssize_t command_write_auth_failed_temp(
	uint8_t *buf, size_t size, uint32_t iv_proto, uint32_t backoff_s, const char *reason);
/* Connect anew, to the next server if next_remote. -EINVAL also for a message that begins with a bracket:
 * the client would read flags. */
ssize_t command_write_restart(uint8_t *buf, size_t size, bool next_remote, const char *message);
ssize_t command_write_halt(uint8_t *buf, size_t size, const char *message);
ssize_t command_write_info(uint8_t *buf, size_t size, const char *message);

#endif
