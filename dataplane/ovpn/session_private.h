/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_OVPN_SESSION_PRIVATE_H
#define DATAPLANE_OVPN_SESSION_PRIVATE_H

#include "dataplane/ovpn/command.h"
#include "dataplane/ovpn/options.h"
#include "dataplane/ovpn/reliability.h"
#include "dataplane/ovpn/session.h"

/*
 * What the files of a session share: session.c has its packets and timers, session_key.c the control
 * channel of one key id, session_auth.c who the client is, session_push.c what it is told,
 * session_event.c what the owner is told.
 */
enum {
	SESSION_EVENTS_MAX = 32, /* an owner who asks after each call never has more than a few */
	/* Of the control channel, to one client that does not ack. Above it nothing more is taken in, so that
	 * a client cannot make answers faster than it takes them. */
	SESSION_OUT_MAX = 64 * 1024,
	SESSION_RECORD_MAX = 4096, /* the longest key method 2 */
	SESSION_RETRY_S = 10, /* after a renegotiation that failed */
	SESSION_RENEWAL_S = 2, /* between those that the client begins: each costs a signature */
	SESSION_LINGER_S = 5, /* in which an end is said and heard */
	SESSION_PUSH_REPEAT_S = 30, /* in which one PUSH_REPLY answers all requests */
	SESSION_TEXT_MAX = 256, /* of a failure, with the NUL */
};

enum session_key_state {
	SESSION_KEY_HANDSHAKE, /* of TLS, with the resets before it */
	SESSION_KEY_SILENT, /* the client's key method 2 is to come */
	SESSION_KEY_ASKED, /* the owner is asked who this is */
	SESSION_KEY_ACCEPTED, /* there are data keys; the client may not have ours yet */
	SESSION_KEY_ACTIVE,
	SESSION_KEY_FAILED, /* nothing comes of it; what is to be said is being said */
};

/* One key id: a control channel of its own. Secret. */
struct session_key {
	uint8_t key_id;
	enum session_key_state state;
	uint32_t serial; /* key ids come back, this does not */
	bool has_answered; /* our key method 2 is written */
	bool is_heard; /* and the client has it */
	bool is_tls_over; /* no more can be said or heard inside */
	bool was_told; /* KEY_READY, so that its end is told, too */
	bool owes_farewell; /* s->farewell is to be said as soon as it is heard */
	uint64_t deadline_ns; /* to be agreed upon; of a lame duck: to be forgotten */
	struct tls *tls;
	struct key_source source;
	struct ovpn_session_key data; /* from ACCEPTED on, until it is told */
	struct reliability reliability;
};

/* A data key whose control channel may be gone already. */
struct session_old_key {
	bool is_set;
	uint8_t key_id;
	uint64_t expires_ns;
};

struct session_event {
	enum ovpn_session_event_type type;
	uint8_t key_id;
	uint32_t serial;
};

/* The commands of one message, each with its NUL, one behind the other. */
struct session_text {
	size_t len;
	char bytes[];
};

/* Who was let in first: a renewal must come from the same. */
struct session_identity {
	bool has_certificate;
	uint8_t fingerprint[TLS_FINGERPRINT_LEN];
	char username[KEY_METHOD_USERNAME_MAX];
};

struct ovpn_session {
	const struct ovpn_session_config *config;
	struct wrap wrap;
	struct wrap_stamp last_stamp;
	struct wrap_replay replay;
	struct session_id own, client;
	bool has_begun; /* the client is known */

	struct session_key *negotiating, *current, *lame;
	struct session_old_key old;
	uint32_t last_serial;

	bool is_connected, is_closing, is_over;
	uint64_t connect_by_ns, active_ns, renegotiate_ns, life_ends_ns, linger_ns;

	struct key_method_client *asked; /* of the negotiating key while it is ASKED */
	struct ovpn_credentials credentials;
	bool is_accepted;
	struct session_identity identity;
	struct options options;
	struct peer_info peer_info;
	struct cipher_choice cipher;
	bool exports_keys;

	struct session_text *reply, *held_update;
	bool push_wanted, has_replied;
	uint64_t replied_ns;
	uint8_t farewell[COMMAND_MAX];
	size_t farewell_len;

	struct session_event events[SESSION_EVENTS_MAX];
	unsigned int event_first, event_count;
	struct ovpn_session_key told; /* by the last event */
	enum ovpn_session_failure failure;
	char text[SESSION_TEXT_MAX];
};

/* session.c */
void session_fail(
	struct ovpn_session *s, enum ovpn_session_failure why, const char *text, uint64_t now_ns);
/* Without a failure: the client goes. */
void session_close(struct ovpn_session *s, uint64_t now_ns);
/* The negotiating key failed: the whole session, unless it has a key that goes on. */
void session_key_failed(
	struct ovpn_session *s, enum ovpn_session_failure why, const char *text, uint64_t now_ns);
/* All of it, with AUTH_FAILED inside k, which may be NULL: then nobody hears it. */
void session_end(struct ovpn_session *s, struct session_key *k, enum ovpn_session_failure why,
	const char *text, const char *reason, uint64_t now_ns);
/* The negotiating key, and the client is told AUTH_FAILED. reason: NULL or empty is none. */
void session_key_refused(struct ovpn_session *s, enum ovpn_session_failure why, const char *text,
	const char *reason, uint64_t now_ns);
/* The client has it: the negotiating key becomes the current one. */
void session_key_activate(struct ovpn_session *s, uint64_t now_ns);
/* What was received in order, and all that follows from it. */
void session_pump(struct ovpn_session *s, struct session_key *k, uint64_t now_ns);

/* session_key.c */
struct session_key *session_key_new(
	struct ovpn_session *s, uint8_t key_id, uint32_t next_id, uint64_t now_ns);
/* Wipes it. NULL is allowed. */
void session_key_free(struct session_key *k);
/* Nothing waits to be sent or acked. */
bool session_key_is_flushed(const struct session_key *k);
/* From TLS into the window. */
void session_key_fill(const struct ovpn_session *s, struct session_key *k);
/* Each NUL-terminated command in a record of its own. 0, -ENOBUFS, -ENOTCONN or -EPROTO. */
int session_key_say(struct session_key *k, const char *text, size_t len);
/* The client's bytes for TLS, in order, and what follows from them. */
void session_key_take(struct ovpn_session *s, struct session_key *k, const uint8_t *data,
	size_t len, uint64_t now_ns);
/* Our key method 2. 0 or -errno. */
int session_key_answer(const struct ovpn_session *s, struct session_key *k, const char *options);
/* The data keys of both key method 2s. 0 or -errno. */
int session_key_derive(const struct ovpn_session *s, struct session_key *k);

/* session_auth.c */
/* The client's key method 2, the first message of the negotiating key. */
void session_take_key_method(
	struct ovpn_session *s, const uint8_t *record, size_t len, uint64_t now_ns);
void session_forget_question(struct ovpn_session *s);

/* session_push.c */
/* Commands inside TLS, behind key method 2. */
void session_take_commands(struct ovpn_session *s, struct session_key *k, const uint8_t *record,
	size_t len, uint64_t now_ns);
/* PUSH_REPLY, when the client wants it and may have it. */
void session_push_reply(struct ovpn_session *s, struct session_key *k, uint64_t now_ns);
/* PUSH_UPDATE that came while there was no channel for it. */
void session_push_held(struct ovpn_session *s);
/* PUSH_REPLY for this and later requests. 0 or -errno. */
int session_push_keep(struct ovpn_session *s, const struct push *push);

/* session_event.c */
void session_tell(
	struct ovpn_session *s, enum ovpn_session_event_type type, const struct session_key *k);
void session_tell_expired(struct ovpn_session *s, uint8_t key_id);

#endif
