/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_MODEL_OPENVPN_H
#define CONTROL_MODEL_OPENVPN_H

#include "control/model/error.h"
#include "dataplane/base/uuid.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	OPENVPN_WRAP_KEY_LEN = 256, /* of tls-auth and tls-crypt */
	OPENVPN_WRAP_KEY_V2_LEN = 128, /* of tls-crypt-v2: the server's */
	OPENVPN_RENEGOTIATE_DEFAULT_S = 3600,
	OPENVPN_RENEGOTIATE_MIN_S = 10, /* less would be nothing but handshakes */
	OPENVPN_RENEGOTIATE_MAX_S = 7 * 24 * 3600,
	OPENVPN_SECURITY_LEVEL_MAX = 5, /* OpenSSL's SECLEVEL */
	OPENVPN_USERNAME_TEXT = 28, /* RouterOS takes 27 characters */
	OPENVPN_PASSWORD_CHARACTERS = 22, /* of 62: 130 bits */
	OPENVPN_PASSWORD_TEXT = OPENVPN_PASSWORD_CHARACTERS + 1,
	OPENVPN_SALT_LEN = 16,
	OPENVPN_HASH_LEN = 32,
};

enum openvpn_transport {
	OPENVPN_UDP,
	OPENVPN_TCP,
	OPENVPN__TRANSPORTS,
};

enum openvpn_wrap {
	OPENVPN_WRAP_NONE,
	OPENVPN_WRAP_TLS_AUTH,
	OPENVPN_WRAP_TLS_CRYPT,
	OPENVPN_WRAP_TLS_CRYPT_V2,
	OPENVPN_WRAP__COUNT,
};

enum openvpn_tls {
	OPENVPN_TLS_1_0,
	OPENVPN_TLS_1_2,
	OPENVPN_TLS_1_3,
	OPENVPN_TLS__COUNT,
};

enum openvpn_cipher {
	OPENVPN_AES_256_GCM,
	OPENVPN_AES_128_GCM,
	OPENVPN_CHACHA20_POLY1305,
	OPENVPN_AES_256_CBC,
	OPENVPN_AES_192_CBC,
	OPENVPN_AES_128_CBC,
	OPENVPN_CIPHER__COUNT,
};

enum openvpn_digest {
	OPENVPN_SHA1,
	OPENVPN_SHA256,
	OPENVPN_SHA512,
	OPENVPN_DIGEST__COUNT,
};

/* One of an instance's two listeners: what people set, and what was allocated for it. */
struct openvpn_listener {
	struct uuid id; /* zero: not yet; so port */
	uint16_t port;
	enum openvpn_wrap wrap;
	enum openvpn_tls tls_minimum;
	uint8_t security_level;
	uint32_t renegotiate_s; /* 0: never */
	enum openvpn_cipher ciphers[OPENVPN_CIPHER__COUNT]; /* the preferred first */
	size_t cipher_count;
	enum openvpn_digest digest; /* of tls-auth, and of ciphers in CBC mode */
	bool requires_certificate;
	bool requires_password;
};

/* The settings of a listener about which nobody has said anything. */
void openvpn_listener_init(struct openvpn_listener *l, enum openvpn_transport transport);
/* pointer is the listener's own, as "/openvpn/udp". */
void openvpn_listener_check(
	const struct openvpn_listener *l, const char *pointer, struct model_errors *errors);
const char *openvpn_transport_text(enum openvpn_transport transport);
const char *openvpn_wrap_text(enum openvpn_wrap wrap);
const char *openvpn_tls_text(enum openvpn_tls version);
const char *openvpn_cipher_text(enum openvpn_cipher cipher);
const char *openvpn_digest_text(enum openvpn_digest digest);
/* Back from text. false: there is no such word. */
bool openvpn_wrap_parse(const char *text, enum openvpn_wrap *ret);
bool openvpn_tls_parse(const char *text, enum openvpn_tls *ret);
bool openvpn_cipher_parse(const char *text, enum openvpn_cipher *ret);
bool openvpn_digest_parse(const char *text, enum openvpn_digest *ret);

/*
 * A username out of what people call a peer: a-z, 0-9 and single hyphens, the beginning of it. With
 * number above 1 it ends in that. Never empty.
 */
void openvpn_username_make(const char *name, unsigned int number, char ret[OPENVPN_USERNAME_TEXT]);
/* NULL when it can be one, else why not. */
const char *openvpn_username_check(const char *username);
/* Random letters and digits. The caller wipes. 0 or -errno. */
int openvpn_password_make(char ret[OPENVPN_PASSWORD_TEXT]);
/* SHA-256 of salt and password, in this order: enough for one with so many random bits. 0 or -EIO. */
int openvpn_password_hash(
	const uint8_t salt[OPENVPN_SALT_LEN], const char *password, uint8_t ret[OPENVPN_HASH_LEN]);

#endif
