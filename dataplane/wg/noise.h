/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_WG_NOISE_H
#define DATAPLANE_WG_NOISE_H

#include "dataplane/base/key.h"
#include "dataplane/wg/keypair.h"
#include "dataplane/wg/messages.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * The handshake Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s as WireGuard uses it (paper, section 5.4).
 * Sans-I/O: bytes and a time go in, bytes come out; indices, MACs (cookie.h) and sessions are the
 * caller's. One thread an identity and its remotes.
 */

/* Our side: an instance's static key pair. Holds secrets: noise_identity_fini(). */
struct noise_identity {
	struct key private_key, public_key;
	uint8_t hash[32]; /* HASH(HASH(HASH(construction) || identifier) || own public key) */
};

enum noise_state {
	NOISE_STATE_NONE,
	NOISE_STATE_CREATED_INITIATION,
	NOISE_STATE_CONSUMED_INITIATION,
	NOISE_STATE_CREATED_RESPONSE,
	NOISE_STATE_CONSUMED_RESPONSE,
};

/* A handshake on its way. Holds secrets: noise_handshake_clear(). */
struct noise_handshake {
	uint8_t state; /* enum noise_state */
	uint32_t local_index, remote_index;
	struct key ephemeral_private; /* ours, as initiator */
	struct key remote_ephemeral; /* theirs, as responder */
	struct key chaining_key;
	uint8_t hash[32];
};

/*
 * Their side. Our own initiation lives here until it is answered. Theirs is answered at once, in a
 * handshake of the caller's, and leaves ours alone: when both begin at the same moment, each
 * response still finds what it answers. Holds secrets: noise_remote_fini().
 */
struct noise_remote {
	struct key public_key, preshared_key; /* zero: none */
	struct key static_static; /* computed at first use */
	uint8_t latest_timestamp[NOISE_TIMESTAMP_LEN]; /* greatest TAI64N accepted */
	uint8_t sent_timestamp[NOISE_TIMESTAMP_LEN]; /* greatest TAI64N sent: each is greater */
	bool has_static_static;
	uint64_t last_consumed_ns; /* an initiation was accepted; 0 never */
	struct noise_handshake initiation; /* ours */
};

/* An initiation whose static key was read; wiped by whoever asked for it. */
struct noise_initiation {
	struct key remote_static;
	struct key chaining_key, ephemeral;
	uint8_t hash[32];
	uint8_t encrypted_timestamp[NOISE_TIMESTAMP_LEN + NOISE_AUTHTAG_LEN];
	uint8_t timestamp[NOISE_TIMESTAMP_LEN]; /* of noise_initiation_accept() */
	uint32_t sender_index;
};

/* private_key is clamped. 0 or -EIO. */
int noise_identity_init(struct noise_identity *i, const struct key *private_key);
void noise_identity_fini(struct noise_identity *i);

/* preshared_key zero: none. */
void noise_remote_init(
	struct noise_remote *r, const struct key *public_key, const struct key *preshared_key);
/* Used from the next handshake message on. Zero: none. */
void noise_remote_set_preshared_key(struct noise_remote *r, const struct key *preshared_key);
/* The identity got another key: forget what was derived from the old one. */
void noise_remote_forget_identity(struct noise_remote *r);
void noise_remote_fini(struct noise_remote *r);

/*
 * Each writes what it returns, and the state of r, only when it returns 0; but for the timestamp of
 * an initiation, which is used up, and static_static, which is kept. -EKEYREJECTED: a
 * Diffie-Hellman result of zero; -EBADMSG: not authentic; -EIO: the library failed; -errno of the
 * random source. MACs are left zero.
 */
int noise_initiation_create(const struct noise_identity *i, struct noise_remote *r,
	uint32_t local_index, uint64_t realtime_ns, struct message_handshake_initiation *ret);
/* Reads who sent it. ret_opened holds secrets of the handshake. */
int noise_initiation_open(const struct noise_identity *i,
	const struct message_handshake_initiation *m, struct noise_initiation *ret_opened);
/*
 * Also -ESTALE: the timestamp is not greater than the greatest before; -EAGAIN: too soon after the
 * one before (INITIATIONS_PER_SECOND). With 0 and these two, opened->timestamp is authentic.
 */
int noise_initiation_accept(const struct noise_identity *i, struct noise_remote *r,
	struct noise_initiation *opened, uint64_t now_ns, struct noise_handshake *ret);
/* -EPROTO: no initiation was accepted into h. */
int noise_response_create(const struct noise_remote *r, struct noise_handshake *h,
	uint32_t local_index, struct message_handshake_response *ret);
/* -EPROTO: none was asked for, or it names another handshake. */
int noise_response_consume(const struct noise_identity *i, struct noise_remote *r,
	const struct message_handshake_response *m);
/* Ends the handshake: fills ret's keys, indices and birth, and forgets the rest. -EPROTO. */
int noise_session_begin(struct noise_handshake *h, uint64_t now_ns, struct keypair *ret);
/* Forgets a handshake on its way. */
void noise_handshake_clear(struct noise_handshake *h);

/* The TAI64N timestamp of the beginning of that second since 1970. */
void noise_timestamp_of_second(uint64_t unix_s, uint8_t ret[NOISE_TIMESTAMP_LEN]);
/* A TAI64N timestamp in seconds since 1970. Any bytes: they may be a hostile peer's. */
int64_t noise_timestamp_seconds(const uint8_t timestamp[NOISE_TIMESTAMP_LEN]);

#endif
