/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_API_LISTENER_H
#define DATAPLANE_API_LISTENER_H

#include "dataplane/base/uuid.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

/* Where an instance speaks OpenVPN, and how. */

enum {
	DP_WRAP_KEY_LEN = 256,
	DP_CIPHERS_MAX = 8,
	DP_PEM_MAX = 24576, /* bytes of all three texts */
};

enum dp_transport {
	DP_TRANSPORT_UDP = 1,
	DP_TRANSPORT_TCP,
	DP_TRANSPORT__COUNT,
};

enum dp_wrap {
	DP_WRAP_NONE,
	DP_WRAP_TLS_AUTH, /* key direction 0: clients have 1 */
	DP_WRAP_TLS_CRYPT,
	DP_WRAP_TLS_CRYPT_V2, /* the key is the server's: 128 bytes */
	DP_WRAP__COUNT,
};

enum dp_digest {
	DP_DIGEST_SHA1,
	DP_DIGEST_SHA256,
	DP_DIGEST_SHA512,
	DP_DIGEST__COUNT,
};

enum dp_tls {
	DP_TLS_1_0,
	DP_TLS_1_2,
	DP_TLS_1_3,
	DP_TLS__COUNT,
};

enum dp_cipher {
	DP_CIPHER_NONE,
	DP_CIPHER_AES_256_GCM,
	DP_CIPHER_AES_192_GCM,
	DP_CIPHER_AES_128_GCM,
	DP_CIPHER_CHACHA20_POLY1305,
	DP_CIPHER_AES_256_CBC,
	DP_CIPHER_AES_192_CBC,
	DP_CIPHER_AES_128_CBC,
	DP_CIPHER__COUNT,
};

enum dp_listener_flag {
	DP_LISTENER_CERTIFICATE = 1 << 0, /* clients must have one */
	DP_LISTENER_PASSWORD = 1 << 1, /* and a username with its password */
	DP_LISTENER_FLAGS_ALL = (1 << 2) - 1,
};

/*
 * Creates or replaces; sessions that are up go on, another certificate is shown from the next
 * handshake on. Instance, transport and port of a living listener cannot change (-EBUSY: delete it
 * first). -ENOENT: no such instance; -EADDRINUSE: the port is another listener's; -EKEYREJECTED: a
 * certificate or key cannot be read, or they do not belong together.
 */
struct dp_listener_set {
	struct uuid id;
	struct uuid instance;
	uint8_t wrap_key[DP_WRAP_KEY_LEN]; /* secret; zero from where the mode's key ends */
	uint32_t renegotiate_s; /* 0: never by the hub */
	uint16_t port;
	uint8_t transport; /* enum dp_transport */
	uint8_t wrap; /* enum dp_wrap */
	uint8_t wrap_digest; /* enum dp_digest, of DP_WRAP_TLS_AUTH */
	uint8_t tls_minimum; /* enum dp_tls */
	uint8_t security_level; /* OpenSSL's, 0..5 */
	uint8_t flags; /* enum dp_listener_flag */
	uint8_t cipher[DP_CIPHERS_MAX]; /* enum dp_cipher, best first, then DP_CIPHER_NONE */
	/* of the texts in pem, each with its NUL, in this order */
	uint16_t ca_len;
	uint16_t certificate_len;
	uint16_t private_key_len; /* secret */
	uint8_t pad[2];
	char pem[DP_PEM_MAX]; /* on the wire: the sum of the three */
};
static_assert(sizeof(struct dp_listener_set) == 316 + DP_PEM_MAX);

/* Its sessions end. */
struct dp_listener_del {
	struct uuid id;
};
static_assert(sizeof(struct dp_listener_del) == 16);

/* An object of LISTENER_LIST: no secrets. */
struct dp_listener {
	struct uuid id;
	struct uuid instance;
	uint32_t sessions; /* that are up */
	uint16_t port;
	uint8_t transport;
	uint8_t wrap;
	uint8_t has_socket; /* 1 after LISTENER_SOCKET_SET */
	uint8_t pad[3];
};
static_assert(sizeof(struct dp_listener) == 44);

/* The file is a TCP socket that listens at the port of a listener of DP_TRANSPORT_TCP; another one takes
 * its place. Connections stay. -ENOENT: no such listener; -EINVAL: it is not of TCP. */
struct dp_listener_socket_set {
	struct uuid id;
};
static_assert(sizeof(struct dp_listener_socket_set) == 16);

/* Bytes on the wire, from the three lengths. */
size_t dp_listener_set_size(const struct dp_listener_set *set);

int dp_listener_set_check(const uint8_t *payload, size_t len, const char **ret_reason);
int dp_listener_del_check(const uint8_t *payload, size_t len, const char **ret_reason);
int dp_listener_socket_set_check(const uint8_t *payload, size_t len, const char **ret_reason);
int dp_listener_check(const uint8_t *payload, size_t len, const char **ret_reason);

#endif
