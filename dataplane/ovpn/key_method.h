/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_OVPN_KEY_METHOD_H
#define DATAPLANE_OVPN_KEY_METHOD_H

#include "dataplane/ovpn/key_source.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Key method 2 (openvpn-rfc, "Key method 2"; OpenVPN's ssl.c): the first message inside TLS, each way
 * once per key id.
 *   u32 0 | u8 2 | pre_master 48 (client only) | random1 32 | random2 32
 *   | options | username | password | peer_info
 * A string is its length with the trailing NUL (u16, big-endian) and its bytes; an absent one is the
 * length 0 alone. One TLS record is one message.
 */
enum {
	KEY_METHOD_OPTIONS_MAX = 512, /* sizes with the NUL */
	KEY_METHOD_USERNAME_MAX = 256, /* RouterOS takes 233 characters */
	KEY_METHOD_PASSWORD_MAX = 1024, /* RouterOS takes 1000 */
	KEY_METHOD_PEER_INFO_MAX = 2048,
	KEY_METHOD_SERVER_MAX = 5 + 2 * KEY_SOURCE_RANDOM_LEN + 2 + KEY_METHOD_OPTIONS_MAX + 6,
};

struct key_method_client {
	uint8_t pre_master[KEY_SOURCE_PRE_MASTER_LEN];
	struct key_source_random random;
	bool username_too_long, password_too_long; /* then it reads as empty */
	bool has_peer_info; /* the field is there, though it may be empty */
	char options[KEY_METHOD_OPTIONS_MAX];
	char username[KEY_METHOD_USERNAME_MAX]; /* any bytes but NUL */
	char password[KEY_METHOD_PASSWORD_MAX];
	char peer_info[KEY_METHOD_PEER_INFO_MAX];
};

/*
 * A client's message out of one TLS record. Fields that the record ends before are absent, which old
 * clients do with peer_info; bytes behind it are a later version's and left. 0, or -EBADMSG (truncated,
 * a string with a NUL inside or without one at its end), -EMSGSIZE (options or peer_info too long) or
 * -EPROTONOSUPPORT (another key method); on failure ret is wiped. Holds secrets: wipe it after use.
 */
int key_method_parse_client(const uint8_t *record, size_t len, struct key_method_client *ret);
void key_method_client_wipe(struct key_method_client *c);

/*
 * The server's message into buf (KEY_METHOD_SERVER_MAX is always enough), to be written as one record;
 * the caller wipes buf. options: NUL-terminated. Length, or -EMSGSIZE (options) or -ENOSPC.
 */
ssize_t key_method_write_server(
	const struct key_source_random *random, const char *options, uint8_t *buf, size_t size);

#endif
