/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_KEYING_KEYING_H
#define DATAPLANE_KEYING_KEYING_H

#include "dataplane/base/ip.h"
#include "dataplane/base/key.h"
#include "dataplane/table/hash.h"

#include <stdbool.h>
#include <stdint.h>

struct counters;
struct instance;
struct keying;
struct keying_event;
struct peer;
struct rings;
struct tables;

/*
 * The thread that makes keys: WireGuard handshakes, timers, sessions and endpoints. It is the one
 * writer of all that. The server thread tells it of instances and peers by the calls below: they
 * are queued, in order; only keying_retire() waits.
 */
struct keying_config {
	struct tables *tables;
	struct rings *rings;
	struct counters *counters;
	unsigned int idle_sleep_us;
	/* Told what operators want to know; called on the keying thread, must not block. */
	void (*event)(void *ctx, const struct keying_event *e);
	void *ctx;
};

enum keying_event_type {
	KEYING_EVENT_SESSION_UP,
	KEYING_EVENT_ENDPOINT_MOVED,
	KEYING_EVENT_HANDSHAKE_FAILED,
	KEYING_EVENT_PEER_EXPIRED,
	KEYING_EVENT_NEIGHBOUR_MISSING,
};

struct keying_event {
	enum keying_event_type type;
	uint64_t peer; /* handle; 0 for NEIGHBOUR_MISSING */
	struct ip_endpoint remote; /* endpoint, or the missing neighbour's address */
	uint32_t port; /* NEIGHBOUR_MISSING */
	uint8_t failure; /* enum peer_failure */
};

/* 0 or -errno. */
int keying_start(const struct keying_config *config, struct keying **ret);
/* Ends the thread, wipes and frees all sessions. The workers must have stopped. */
void keying_stop(struct keying *k);

/* After instance_set(): (another) private key drops all sessions of the instance; with a key of zero
 * it has none, and no handshakes. -ENOMEM. */
int keying_instance_set(struct keying *k, struct instance *i, const struct key *private_key);

enum {
	KEYING_USERNAME_LEN = 32, /* with its NUL */
};

/* How a peer shows OpenVPN who it is. From has_certificate to address6 no byte is undefined. */
struct keying_credential {
	struct hash_entry by_certificate, by_username; /* credential.c */
	bool has_certificate;
	uint8_t certificate[32]; /* SHA-256 of its DER */
	char username[KEYING_USERNAME_LEN]; /* "": none */
	uint8_t salt[16];
	uint8_t password[32]; /* SHA-256 of salt and password */
	struct ip_addr address4, address6; /* in the tunnel; zero: none */
	struct peer *peer; /* credential.c */
};

struct keying_peer {
	struct keying_credential *credential; /* owned, of calloc(); NULL: no OpenVPN */
	bool keeps_credential; /* what it has stays */
	struct peer *peer; /* after peer_set(); its public_key and expires_at_s are read */
	bool keeps_preshared_key; /* what it has stays; so with keeps_keepalive */
	bool has_preshared_key;
	struct key preshared_key; /* another one is used from the next handshake on */
	bool keeps_keepalive;
	uint16_t keepalive_s; /* 0: none */
	uint64_t
		called_s; /* no initiation of earlier runs bore a later time, since 1970; 0: unknown */
	bool moves; /* the endpoint is no hint: the peer is there */
	struct ip_endpoint
		endpoint; /* port 0: unknown. Only a first hint: an authenticated packet knows better */
	uint8_t timestamp[12]; /* greatest TAI64N of earlier runs; zero: none */
};

/* -ENOMEM. */
int keying_peer_set(struct keying *k, const struct keying_peer *settings);
/* The next initiation of the peer is taken whatever its timestamp says. An older one could be
 * replayed then, so it is for operators who know why. -ENOMEM. */
int keying_peer_reset_timestamp(struct keying *k, struct peer *p);
/* Waits until keying has let go of every unlinked instance and peer in tables: their sessions are
 * unlinked, their packets freed. Then tables_reclaim() may follow. */
void keying_retire(struct keying *k);

/* What an operator sees of a peer; copies, any thread. */
struct keying_peer_status {
	struct ip_endpoint endpoint; /* port 0: none yet */
	uint8_t timestamp[12];
};

/* Server thread; the peer is linked. */
void keying_peer_status(struct keying *k, const struct peer *p, struct keying_peer_status *ret);

/* Waits until all that was told before has come into effect. Server thread. */
void keying_settle(struct keying *k);

/* A secret; zero: none. Server thread, after keying_settle() and before it tells anything else. */
void keying_private_key(const struct instance *i, struct key *ret);

#endif
