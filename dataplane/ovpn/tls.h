/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_OVPN_TLS_H
#define DATAPLANE_OVPN_TLS_H

#include "dataplane/ovpn/key_source.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * TLS inside the control channel (reference/openvpn-protocol.md, section 2.1): OpenSSL between two
 * buffers in memory, always as the server, a new object for each key id. No resumption, tickets,
 * renegotiation or compression. One owner thread an object; a context is read only and shared.
 */
enum tls_version {
	TLS_VERSION_1_0, /* old routers; security level 0 goes with it */
	TLS_VERSION_1_2,
	TLS_VERSION_1_3,
};

struct tls_config {
	/* PEM, NUL-terminated, read in tls_context_new() only */
	const char *certificate; /* the server's, and what leads to its CA */
	const char *private_key;
	const char *ca; /* whose client certificates are taken; NULL: none is asked for */
	bool certificate_required; /* of the client */
	enum tls_version min;
	int security_level; /* OpenSSL's, 0..5 */
	const char *ciphers; /* up to TLS 1.2, OpenSSL's notation; NULL: its default */
};

enum {
	TLS_FINGERPRINT_LEN = 32, /* SHA-256 */
	TLS_PENDING_MAX = 64 * 1024, /* bytes that wait to be read: a certificate chain and more */
	TLS_NAME_MAX = 64, /* RFC 5280 ub-common-name */
};

struct tls_context;
struct tls;

/* 0; -ENOMEM; -EINVAL, and *ret_what names the part that is refused ("private key"); static. */
int tls_context_new(
	const struct tls_config *config, struct tls_context **ret, const char **ret_what);
/* Objects made from it stay as they are. */
void tls_context_free(struct tls_context *c);

/* 0 or -ENOMEM. */
int tls_new(struct tls_context *c, struct tls **ret);
/* Wipes what it knows. */
void tls_free(struct tls *t);

/* The client's bytes, in order. 0; -ENOBUFS: more than TLS_PENDING_MAX would wait; -ENOMEM. */
int tls_receive(struct tls *t, const uint8_t *data, size_t len);
/* Takes bytes for the client; 0: there are none. */
size_t tls_take(struct tls *t, uint8_t *buf, size_t size);
/* Bytes that tls_take() has. */
size_t tls_pending(const struct tls *t);

/* Goes on with what was received. 0: done; -EAGAIN: the client is to speak; -EPROTO: failed for
 * good, tls_failure() says why, and an alert may be there to take. */
int tls_handshake(struct tls *t);
/*
 * After the handshake: the text of one TLS record, which is one message of OpenVPN's. Its length;
 * -EAGAIN; -EMSGSIZE: longer than size; -EPIPE: the client has ended TLS; -EPROTO.
 */
ssize_t tls_read(struct tls *t, uint8_t *buf, size_t size);
/* All of it, as one record when it is at most 16 KiB. 0, -ENOTCONN before the handshake's end, or
 * -EPROTO. */
int tls_write(struct tls *t, const uint8_t *data, size_t len);

/* RFC 5705 with OpenVPN's label (section 2.5). 0, or -ENOTCONN before the handshake's end. */
int tls_export(struct tls *t, struct key_block *ret);
/* The client's certificate, after the handshake. -ENOENT: it has none, or no common name; -EINVAL: a
 * name with a NUL or too long for an honest one. */
int tls_peer_name(const struct tls *t, char ret[TLS_NAME_MAX + 1]);
int tls_peer_fingerprint(const struct tls *t, uint8_t ret[TLS_FINGERPRINT_LEN]);
/* In OpenSSL's words, of the last -EPROTO; static, never NULL. */
const char *tls_failure(const struct tls *t);
/* What failed is the client's certificate: it showed none, or one that is not to be trusted. */
bool tls_refused_certificate(const struct tls *t);
/* Which one that is. Nobody has shown that it is his. -ENOENT: there is none. */
int tls_refused_fingerprint(const struct tls *t, uint8_t ret[TLS_FINGERPRINT_LEN]);

#endif
