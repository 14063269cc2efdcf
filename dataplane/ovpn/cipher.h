/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_OVPN_CIPHER_H
#define DATAPLANE_OVPN_CIPHER_H

#include "dataplane/crypto/cipher.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The ciphers of the data channel and which of them a client gets (openvpn-rfc, "Cipher negotiation";
 * OpenVPN's ssl_ncp.c). No cipher with 64-bit blocks and no null cipher is in the table.
 */
struct data_cipher {
	const char *name; /* OpenVPN's */
	enum cipher_algorithm algorithm;
};

/* Of CBC: the HMAC's. */
struct data_digest {
	const char *name; /* OpenVPN's, and OpenSSL's */
	enum cipher_digest digest;
};

enum {
	DATA_CIPHER_COUNT = 7,
	DATA_DIGEST_COUNT = 3,
};

/* Every one, the order is that of preference. */
extern const struct data_cipher data_ciphers[DATA_CIPHER_COUNT];
extern const struct data_digest data_digests[DATA_DIGEST_COUNT];

/* name: len characters in any case. NULL: none of ours. Static storage. */
const struct data_cipher *data_cipher_find(const char *name, size_t len);
const struct data_digest *data_digest_find(const char *name, size_t len);

/* What a server allows: ciphers in its order of preference, digests for CBC in any. */
struct cipher_policy {
	const struct data_cipher *ciphers[DATA_CIPHER_COUNT];
	size_t cipher_count;
	const struct data_digest *digests[DATA_DIGEST_COUNT];
	size_t digest_count;
};

/* What a client says, NUL-terminated. */
struct cipher_offer {
	const char *iv_ciphers; /* of peer info, "A:B:C"; NULL: absent */
	unsigned int iv_ncp; /* of peer info; 0: absent */
	const char *occ_cipher, *occ_auth; /* of the options string; empty: absent */
};

struct cipher_choice {
	const char *name; /* of the cipher */
	struct cipher_suite suite;
	bool is_pushed; /* the client negotiates, so it is told */
};

enum cipher_verdict {
	CIPHER_CHOSEN,
	CIPHER_NOT_SHARED,
	CIPHER_NULL, /* it would send in the clear */
	CIPHER_SMALL_BLOCK, /* it knows one cipher, of 64-bit blocks (RouterOS's default) */
	CIPHER_AUTH_NOT_ALLOWED, /* CBC fits, its digest does not */
};

/*
 * The server's first cipher that the client has. A client without IV_CIPHERS has that of its options
 * string, too. Nobody negotiates the digest: it is the client's, SHA1 where it names none. ret
 * untouched but for CIPHER_CHOSEN.
 */
enum cipher_verdict cipher_choose(const struct cipher_policy *policy,
	const struct cipher_offer *offer, struct cipher_choice *ret);
/* For AUTH_FAILED and the log; NULL for CIPHER_CHOSEN. Static storage. */
const char *cipher_reason(enum cipher_verdict v);

#endif
