/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_OVPN_KEY_SOURCE_H
#define DATAPLANE_OVPN_KEY_SOURCE_H

#include "dataplane/ovpn/framing.h"

#include <stdint.h>

/*
 * From what both sides said in key method 2, or from the TLS exporter, to the keys of the data
 * channel (openvpn-rfc, "Data channel keys"; OpenVPN's key_source2 and ssl.c). Everything in here is
 * secret: whoever holds a struct wipes it.
 */
enum {
	KEY_SOURCE_PRE_MASTER_LEN = 48,
	KEY_SOURCE_RANDOM_LEN = 32,
	KEY_BLOCK_LEN = 256,
};

struct key_source_random {
	uint8_t random1[KEY_SOURCE_RANDOM_LEN];
	uint8_t random2[KEY_SOURCE_RANDOM_LEN];
};

struct key_source {
	uint8_t pre_master[KEY_SOURCE_PRE_MASTER_LEN]; /* the client's */
	struct key_source_random client, server;
};

/* Four slots of 64 bytes: client to server cipher and hmac, then server to client. Derived here, or of
 * tls_export(). */
struct key_block {
	uint8_t bytes[KEY_BLOCK_LEN];
};

enum key_block_direction {
	KEY_BLOCK_CLIENT_TO_SERVER,
	KEY_BLOCK_SERVER_TO_CLIENT,
};

/* Fresh from the kernel. 0 or -errno. */
int key_source_random_make(struct key_source_random *ret);
void key_source_random_wipe(struct key_source_random *r);
void key_source_wipe(struct key_source *s);

/*
 * The TLS 1.0 PRF (RFC 2246, section 5) over the source and both session ids, for clients without
 * tls-ekm. Call key_source_wipe() when no more is to be derived. 0, or -ENOTSUP (OpenSSL has no
 * MD5, as under FIPS) or -ENOMEM.
 */
int key_block_derive(const struct key_source *s, const struct session_id *client,
	const struct session_id *server, struct key_block *ret);
void key_block_wipe(struct key_block *b);

/* The two slots of one direction, for data_receive_init() and data_send_init(); in the block. */
const uint8_t *key_block_slots(const struct key_block *b, enum key_block_direction d);

#endif
