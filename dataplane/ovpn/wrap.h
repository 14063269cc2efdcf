/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_OVPN_WRAP_H
#define DATAPLANE_OVPN_WRAP_H

#include "dataplane/ovpn/framing.h"
#include "dataplane/ovpn/static_key.h"
#include "dataplane/ovpn/tls_crypt.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * How control packets travel (reference/openvpn-protocol.md, section 1.2): as they are, with an
 * HMAC (tls-auth), or encrypted (tls-crypt; tls-crypt-v2 is the same with the client's own key).
 * One owner thread each.
 */
enum wrap_mode {
	WRAP_NONE,
	WRAP_TLS_AUTH,
	WRAP_TLS_CRYPT,
	WRAP_TLS_CRYPT_V2,
};

enum wrap_digest {
	WRAP_SHA1,
	WRAP_SHA256,
	WRAP_SHA512,
};

enum key_direction {
	KEY_DIRECTION_NONE, /* both sides send and receive with key 0 */
	KEY_DIRECTION_0, /* sends with key 0: the server, as a rule */
	KEY_DIRECTION_1,
};

struct wrap_config {
	enum wrap_mode mode;
	enum wrap_digest digest; /* of tls-auth */
	enum key_direction direction; /* of tls-auth */
	bool is_client; /* of tls-crypt, where the server sends with key 0 and the client with 1 */
	const struct static_key *key; /* read in wrap_init() only; not of WRAP_NONE */
};

struct wrap {
	enum wrap_mode mode;
	bool is_client;
	size_t hmac_len; /* of tls-auth: 20, 32 or 64 */
	EVP_MAC_CTX *send_hmac, *receive_hmac; /* of tls-auth */
	struct tls_crypt send, receive; /* of tls-crypt */
};

/* What makes each wrapped packet different: the sender's time in seconds since 1970, and a count
 * from 1 within it. Both are zero where nothing is wrapped. */
struct wrap_stamp {
	uint32_t id, time;
};

/*
 * The control replay window, keyed by (time, id): time never goes back, within one time the last
 * WRAP_REPLAY_WINDOW ids may come in any order. One a session, zeroed when it begins.
 */
enum {
	WRAP_REPLAY_WINDOW = 64,
};

struct wrap_replay {
	struct wrap_stamp greatest;
	uint64_t seen; /* bit n: greatest.id - n came */
};

/* A packet out of its wrapping: for control_packet_parse(), which points into it. */
struct wrap_opened {
	struct wrap_stamp stamp;
	size_t len; /* bytes of plain */
	uint8_t plain[CONTROL_PACKET_MAX];
};

/* 0, -ENOMEM, or -EINVAL for a mode, digest or direction that is none; only after 0 is there
 * something to free. */
int wrap_init(struct wrap *w, const struct wrap_config *c);
/* Another client's key for the same wrap, in the modes of tls-crypt. 0, -EINVAL or -ENOMEM. */
int wrap_set_key(struct wrap *w, const struct static_key *key);
/* Wipes the keys. */
void wrap_fini(struct wrap *w);
/* Bytes that wrapping adds to a packet. */
size_t wrap_overhead(const struct wrap *w);

/*
 * Wraps a packet of control_packet_write(). Bytes written to wire, which may not overlap; -EBADMSG
 * (shorter than a control packet), -ENOSPC or -EIO. A wrapped client key is for the caller to put
 * behind it.
 */
ssize_t wrap_seal(struct wrap *w, const struct wrap_stamp *stamp, const uint8_t *plain, size_t len,
	uint8_t *wire, size_t size);
/*
 * Unwraps what came. 0, or -EBADMSG (length, opcode of another mode, not authentic) or -EALREADY
 * (authentic, but a replay); nobody is told, and ret->len is 0. replay moves only by a packet that is returned; it is
 * NULL before there is a session, which must neither ask nor move one (section 1.4). What is behind
 * the packet as wrapped client key is left out, not read (tls_crypt_v2_wkc_len()).
 */
int wrap_open(struct wrap *w, struct wrap_replay *replay, const uint8_t *wire, size_t len,
	struct wrap_opened *ret);

/* The stamp of the next packet after last, which it becomes; zeroed it begins with (now_s, 1). 0, or
 * -EOVERFLOW: all ids of that time are used up and the clock did not move on. */
int wrap_stamp_next(struct wrap_stamp *last, uint32_t now_s);
/* After the packet was authenticated: true, and remembered, when the stamp is new. */
bool wrap_replay_accept(struct wrap_replay *r, const struct wrap_stamp *stamp);

#endif
