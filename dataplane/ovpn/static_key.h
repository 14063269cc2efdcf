/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_OVPN_STATIC_KEY_H
#define DATAPLANE_OVPN_STATIC_KEY_H

#include <stddef.h>
#include <stdint.h>

/*
 * The 256 bytes of "OpenVPN Static key V1": two keys, each with 64 bytes for a cipher and 64 for an
 * HMAC (reference/openvpn-protocol.md, section 1.2). Of them come the keys of tls-auth and
 * tls-crypt; a tls-crypt-v2 client key is one too. Whoever holds one wipes it.
 */
enum {
	STATIC_KEY_LEN = 256,
	STATIC_KEY_SLOT_LEN = 64,
	STATIC_KEY_TEXT = 640, /* room for the text with its NUL */
};

struct static_key {
	uint8_t bytes[STATIC_KEY_LEN];
};

/* Fresh random bytes. 0 or -errno. */
int static_key_generate(struct static_key *ret);
void static_key_wipe(struct static_key *k);
/*
 * The text of a key file, len bytes without a NUL: anything, the line that begins the key, 512 hex
 * digits with white space between them, the line that ends it, anything. 0 or -EINVAL; ret is
 * untouched on failure.
 */
int static_key_from_text(const char *text, size_t len, struct static_key *ret);
/* The same lines; writes into buf and returns it. */
char *static_key_to_text(const struct static_key *k, char buf[STATIC_KEY_TEXT]);
/* 64 bytes each, of key 0 or 1; they live as long as k. */
const uint8_t *static_key_cipher(const struct static_key *k, unsigned int which);
const uint8_t *static_key_hmac(const struct static_key *k, unsigned int which);

#endif
