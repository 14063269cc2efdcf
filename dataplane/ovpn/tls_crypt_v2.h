/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_OVPN_TLS_CRYPT_V2_H
#define DATAPLANE_OVPN_TLS_CRYPT_V2_H

#include "dataplane/ovpn/framing.h"
#include "dataplane/ovpn/static_key.h"
#include "dataplane/ovpn/tls_crypt.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * tls-crypt-v2 (reference/openvpn-protocol.md, sections 1.2 and 1.3): each client has a key of its
 * own, Kc, and brings it along wrapped under the server's, as WKc = tag(32) | cipher(Kc | metadata) |
 * uint16 length of it all. So the server keeps no client keys.
 */
enum {
	TLS_CRYPT_V2_SERVER_KEY_LEN = 128,
	TLS_CRYPT_V2_WKC_LENGTH_LEN = 2,
	TLS_CRYPT_V2_WKC_MAX = 1024,
	TLS_CRYPT_V2_METADATA_MAX = TLS_CRYPT_V2_WKC_MAX - TLS_CRYPT_TAG_LEN - STATIC_KEY_LEN
		- TLS_CRYPT_V2_WKC_LENGTH_LEN, /* with its type */
	TLS_CRYPT_V2_WKC_MIN = TLS_CRYPT_V2_WKC_MAX - TLS_CRYPT_V2_METADATA_MAX + 1,
	TLS_CRYPT_V2_SERVER_KEY_TEXT = 320, /* room for the text with its NUL */
	TLS_CRYPT_V2_CLIENT_KEY_TEXT = 2048,
};

enum metadata_type {
	METADATA_TYPE_USER = 0,
	METADATA_TYPE_TIMESTAMP = 1, /* int64 of seconds since 1970: when the key was issued */
};

/* Text of the file is PEM. Whoever holds one wipes it. */
struct tls_crypt_v2_server_key {
	uint8_t bytes[TLS_CRYPT_V2_SERVER_KEY_LEN];
};

/* The server's key, ready. One owner thread. */
struct tls_crypt_v2_server {
	struct tls_crypt cipher;
};

/* What a WKc holds. Whoever holds one wipes it. */
struct tls_crypt_v2_client {
	struct static_key key; /* Kc */
	size_t metadata_len; /* 1..TLS_CRYPT_V2_METADATA_MAX */
	uint8_t metadata[TLS_CRYPT_V2_METADATA_MAX]; /* the first byte is the type */
};

/* Fresh random bytes. 0 or -errno. */
int tls_crypt_v2_server_key_generate(struct tls_crypt_v2_server_key *ret);
void tls_crypt_v2_server_key_wipe(struct tls_crypt_v2_server_key *k);
/* text: len bytes without a NUL. 0, -EINVAL or -ENOMEM; ret is untouched on failure. */
int tls_crypt_v2_server_key_from_text(
	const char *text, size_t len, struct tls_crypt_v2_server_key *ret);
/* 0 or -ENOMEM. */
int tls_crypt_v2_server_key_to_text(
	const struct tls_crypt_v2_server_key *k, char buf[TLS_CRYPT_V2_SERVER_KEY_TEXT]);
/* The client's file: Kc, then its WKc of wkc_len bytes. 0, -EINVAL (length) or -ENOMEM. */
int tls_crypt_v2_client_key_to_text(const struct static_key *key, const uint8_t *wkc,
	size_t wkc_len, char buf[TLS_CRYPT_V2_CLIENT_KEY_TEXT]);

/* 0 or -ENOMEM, then there is nothing to free. */
int tls_crypt_v2_server_init(
	struct tls_crypt_v2_server *s, const struct tls_crypt_v2_server_key *key);
void tls_crypt_v2_server_fini(struct tls_crypt_v2_server *s);

/* A fresh Kc, issued at now_s seconds since 1970. 0 or -errno. */
int tls_crypt_v2_client_generate(struct tls_crypt_v2_client *ret, int64_t now_s);
void tls_crypt_v2_client_wipe(struct tls_crypt_v2_client *c);
/* Bytes of the WKc written, -EINVAL (length of the metadata) or -EIO. */
ssize_t tls_crypt_v2_wrap(struct tls_crypt_v2_server *s, const struct tls_crypt_v2_client *c,
	uint8_t wkc[TLS_CRYPT_V2_WKC_MAX]);
/*
 * wkc: exactly what tls_crypt_v2_wkc_len() found. 0, or -EBADMSG: length, or not authentic; ret is
 * wiped then. Metadata is for after the three-way handshake (section 1.2).
 */
int tls_crypt_v2_unwrap(struct tls_crypt_v2_server *s, const uint8_t *wkc, size_t len,
	struct tls_crypt_v2_client *ret);
/*
 * Length of the WKc at the end of a P_CONTROL_HARD_RESET_CLIENT_V3 or P_CONTROL_WKC_V1. -EBADMSG:
 * another opcode, no WKc can be that short or long, or it leaves no packet in front of it.
 */
ssize_t tls_crypt_v2_wkc_len(const uint8_t *wire, size_t len);
/* Seconds since 1970. 0, -ENOENT (the metadata are no timestamp) or -EBADMSG (a broken one). */
int tls_crypt_v2_issued(const struct tls_crypt_v2_client *c, int64_t *ret_s);

/*
 * Early negotiation (section 1.3). A client that can resend its WKc begins its replay ids at
 * 0x0f000001; the server asks for it in the payload of its reset, so that it need not remember.
 */
enum {
	EARLY_NEG_FLAG_RESEND_WKC = 1,
	EARLY_NEG_LEN = 6, /* type, length, flags: 2 bytes each */
};

/* replay_id: of the client's first packet. */
bool early_negotiation_is_supported(uint32_t replay_id);
void early_negotiation_write(uint8_t payload[EARLY_NEG_LEN], uint16_t flags);
/* The flags in a hard reset; 0 where there are none, or the packet is not a hard reset with packet
 * id 0. Unknown types are skipped. 0, or -EBADMSG: broken, the packet is to be ignored. */
int early_negotiation_read(const struct control_packet *p, uint16_t *ret_flags);

#endif
