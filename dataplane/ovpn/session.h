/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_OVPN_SESSION_H
#define DATAPLANE_OVPN_SESSION_H

#include "dataplane/crypto/cipher.h"
#include "dataplane/ovpn/cipher.h"
#include "dataplane/ovpn/framing.h"
#include "dataplane/ovpn/key_method.h"
#include "dataplane/ovpn/key_source.h"
#include "dataplane/ovpn/peer_info.h"
#include "dataplane/ovpn/push.h"
#include "dataplane/ovpn/tls.h"
#include "dataplane/ovpn/wrap.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * One client of a listener, from its first packet to its end: the whole control channel, with no I/O
 * and no clock of its own (reference/openvpn-protocol.md, sections 1 to 3). The owner gives it what
 * came, takes what is to be sent, asks what happened, and comes back when a deadline is due. Data
 * packets, pings and addresses are the owner's. One owner thread; an older session of the same client
 * knows nothing of it.
 *
 * Times are nanoseconds of CLOCK_MONOTONIC; now_s is of the realtime clock, for wrapping alone.
 */

/* What all sessions of a listener share; borrowed for their whole lives. Between calls tls may become
 * another, as with a new certificate: the next renegotiation takes it. */
struct ovpn_session_config {
	struct tls_context *tls;
	const struct cipher_policy *ciphers;
	bool is_tcp;
	bool requires_certificate, requires_password;
	uint32_t renegotiate_s; /* by this side; 0: never */
	uint32_t hand_window_s; /* in which a key must be agreed upon: 60 */
	uint32_t transition_window_s; /* how long the key before is still heard: 3600 */
	uint16_t tun_mtu; /* of our options string */
};

/* How it began. */
struct ovpn_session_begin {
	const struct ovpn_session_config *config;
	struct wrap wrap; /* moved into the session, on failure too */
	/* UDP, after start_check(): ours, which the client has echoed; both packet ids go on from 1.
	 * TCP: zero, and the session makes its own and answers the client's reset. */
	struct session_id own;
	struct session_id client; /* UDP; TCP: zero, the first reset tells it */
	/* UDP: now, in seconds since 1970, as in ovpn_session_take(): start_reply()'s packet, which was id 1
	 * of its second, is not later. TCP: 0 */
	uint32_t wrap_time;
};

enum ovpn_session_event_type {
	OVPN_SESSION_NOTHING,
	OVPN_SESSION_AUTHENTICATE, /* who is it? answered by ovpn_session_accept() or _refuse() */
	OVPN_SESSION_KEY_READY, /* .key: what comes under it is to be opened */
	OVPN_SESSION_KEY_ACTIVE, /* .key_id: what goes is to be sealed with it: the client has it */
	OVPN_SESSION_KEY_EXPIRED, /* .key_id: not to be used for anything any more */
	OVPN_SESSION_CONNECTED, /* PUSH_REPLY is on its way, for the first time */
	OVPN_SESSION_EXITED, /* the client said that it goes */
	OVPN_SESSION_FAILED, /* .failure, .text: it never comes up, or cannot go on. Last of all */
};

/* Why it came to nothing; people are told. */
enum ovpn_session_failure {
	OVPN_FAILURE_NONE,
	OVPN_FAILURE_TIMEOUT, /* no key within the hand window */
	OVPN_FAILURE_TLS, /* the handshake; text is OpenSSL's */
	OVPN_FAILURE_CERTIFICATE, /* none, of another CA, or refused by the owner */
	OVPN_FAILURE_PASSWORD, /* none, or refused by the owner */
	OVPN_FAILURE_CIPHER, /* none in common */
	OVPN_FAILURE_OPTIONS, /* fragment, another tunnel type, or a message that cannot be read */
	OVPN_FAILURE_MEMORY,
	OVPN_FAILURE__COUNT,
};

/* What a client says of itself in one key exchange; secret, valid until it is answered. */
struct ovpn_credentials {
	bool has_certificate; /* which OpenSSL has verified */
	uint8_t fingerprint[TLS_FINGERPRINT_LEN];
	char name[TLS_NAME_MAX + 1]; /* common name; "" without one */
	const char *username, *password; /* "": none */
	/* The session was authenticated before, and it must be the same peer. Another certificate or username
	 * never comes this far: that renewal alone is refused and the session stays. ovpn_session_refuse()
	 * of a renewal ends it. */
	bool is_renewal;
};

/* A data key; secret, wiped by the session when the next event is asked for. */
struct ovpn_session_key {
	uint8_t key_id;
	struct cipher_suite suite;
	struct key_block block; /* seal: KEY_BLOCK_SERVER_TO_CLIENT */
};

struct ovpn_session_event {
	enum ovpn_session_event_type type;
	uint8_t key_id;
	enum ovpn_session_failure failure;
	const char *text; /* of FAILED: the reason in words, static or the session's; never NULL */
	const struct ovpn_session_key *key;
	/* of FAILED: who it said it is, without the password, as far as it came; nothing of it is proven
	 * but the certificate, and not even that when it is the failure */
	const struct ovpn_credentials *credentials;
};

struct ovpn_session;

/* 0 or -errno. */
int ovpn_session_new(
	const struct ovpn_session_begin *begin, uint64_t now_ns, struct ovpn_session **ret);
/* Wipes all secrets. NULL is allowed. */
void ovpn_session_free(struct ovpn_session *s);

/*
 * A control packet as it came: of UDP a datagram (with a wrapped client key behind it, perhaps), of TCP
 * what the framer gave. 0, or -EBADMSG (not authentic, not of this session, malformed), -EALREADY (a
 * replay): to be counted and dropped, the session has not changed. It never ends a session that is up.
 */
int ovpn_session_receive(struct ovpn_session *s, const uint8_t *wire, size_t len, uint64_t now_ns);
/* Timers: retransmissions, hand window, renegotiation, expiry of keys. */
void ovpn_session_tick(struct ovpn_session *s, uint64_t now_ns);
/* When ovpn_session_tick() is due next; UINT64_MAX: never. */
uint64_t ovpn_session_deadline(const struct ovpn_session *s);
/* The next wire packet to be sent now, at most CONTROL_PACKET_MAX bytes; 0: none. To be called until it
 * gives none after each of receive, tick, accept, refuse, command and renegotiate. */
size_t ovpn_session_take(
	struct ovpn_session *s, uint8_t *buf, size_t size, uint64_t now_ns, uint32_t now_s);
/* What happened, oldest first; to be asked until there is nothing. */
void ovpn_session_event(struct ovpn_session *s, struct ovpn_session_event *ret);

/*
 * Answers AUTHENTICATE. push is copied as far as PUSH_REPLY needs it (routes and names, too): written
 * when the client asks, or at once when it announced IV_PROTO_REQUEST_PUSH. The session itself fills in
 * cipher, compression and the key export flags. 0 or -errno of push_reply_write(): then it is refused.
 * Of a renewal push is not looked at. -ENOTCONN: nobody is asked about (any more); -ETIMEDOUT: of a
 * renewal, the client has given up. Neither changes anything.
 */
int ovpn_session_accept(struct ovpn_session *s, const struct push *push, uint64_t now_ns);
/* AUTH_FAILED[,reason] for the client; the failure for people. The session then ends by itself when the
 * client has heard it or does not answer (FAILED comes at once; packets are still to be taken for a
 * few seconds: ovpn_session_is_over()). */
void ovpn_session_refuse(struct ovpn_session *s, enum ovpn_session_failure why,
	const char *reason_for_client, uint64_t now_ns);
/* Nothing is to be sent any more, it may be freed. */
bool ovpn_session_is_over(const struct ovpn_session *s);

/* To a client that is connected. PUSH_UPDATE: -EOPNOTSUPP when it does not know it. -ENOTCONN. */
int ovpn_session_push_update(struct ovpn_session *s, const struct push *push, uint64_t now_ns);
/* RESTART (comes back at once), HALT (stays away): before the owner ends it. -ENOTCONN. */
int ovpn_session_command(struct ovpn_session *s, const char *command, uint64_t now_ns);
/* A data key is nearly used up: a soft reset, if none is on its way. */
void ovpn_session_renegotiate(struct ovpn_session *s, uint64_t now_ns);

/* After AUTHENTICATE: what the client said of itself. */
const struct peer_info *ovpn_session_peer_info(const struct ovpn_session *s);
/* After accept: how its data is framed, and whether it sends and takes P_DATA_V2. */
enum push_compression ovpn_session_compression(const struct ovpn_session *s);
bool ovpn_session_has_data_v2(const struct ovpn_session *s);
const char *ovpn_session_cipher(const struct ovpn_session *s);
struct session_id ovpn_session_own_id(const struct ovpn_session *s);

#endif
