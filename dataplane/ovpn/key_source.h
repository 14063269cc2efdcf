/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_OVPN_KEY_SOURCE_H
#define DATAPLANE_OVPN_KEY_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * From what both sides said in key method 2, or from the TLS exporter, to the keys of the data
 * channel (openvpn-rfc, "Data channel keys"; OpenVPN's key_source2 and ssl.c). Everything in here is
 * secret: whoever holds a struct wipes it.
 */
enum {
	KEY_SOURCE_PRE_MASTER_LEN = 48,
	KEY_SOURCE_RANDOM_LEN = 32,
	KEY_SOURCE_SESSION_ID_LEN = 8,
	KEY_BLOCK_LEN = 256,
	KEY_BLOCK_SLOT_LEN = 64,
	DATA_KEY_CIPHER_MAX = 32,
	DATA_KEY_IMPLICIT_IV_LEN = 8,
};

/* Of the TLS exporter (RFC 5705), without a context, where tls-ekm was pushed. */
#define KEY_SOURCE_EXPORTER_LABEL "EXPORTER-OpenVPN-datakeys"

struct key_source_random {
	uint8_t random1[KEY_SOURCE_RANDOM_LEN];
	uint8_t random2[KEY_SOURCE_RANDOM_LEN];
};

struct key_source {
	uint8_t pre_master[KEY_SOURCE_PRE_MASTER_LEN]; /* the client's */
	struct key_source_random client, server;
};

/* Four slots of 64 bytes: client to server cipher and hmac, then server to client. */
struct key_block {
	uint8_t bytes[KEY_BLOCK_LEN];
};

enum key_block_direction {
	KEY_BLOCK_CLIENT_TO_SERVER,
	KEY_BLOCK_SERVER_TO_CLIENT,
};

/* The keys of one direction. AEAD: cipher and implicit_iv; CBC: cipher and hmac. */
struct data_key {
	uint8_t cipher[DATA_KEY_CIPHER_MAX];
	uint8_t hmac[KEY_BLOCK_SLOT_LEN];
	uint8_t implicit_iv[DATA_KEY_IMPLICIT_IV_LEN];
	uint8_t cipher_len; /* 16, 24 or 32 */
	uint8_t hmac_len; /* 0 for AEAD, else the length of the digest */
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
int key_block_derive(const struct key_source *s,
	const uint8_t client_sid[KEY_SOURCE_SESSION_ID_LEN],
	const uint8_t server_sid[KEY_SOURCE_SESSION_ID_LEN], struct key_block *ret);
/* What the TLS exporter gave; the caller wipes exported. */
void key_block_from_export(const uint8_t exported[KEY_BLOCK_LEN], struct key_block *ret);
void key_block_wipe(struct key_block *b);

/* The keys of one direction, of cipher_len bytes (1 .. 32) and hmac_len bytes (0 .. 64; 0: AEAD, which
 * has an implicit IV instead). 0 or -EINVAL; ret untouched on failure. */
int data_key_get(const struct key_block *b, enum key_block_direction d, size_t cipher_len,
	size_t hmac_len, struct data_key *ret);
void data_key_wipe(struct data_key *k);

#endif
