/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_OVPN_SESSION_WORLD_H
#define TESTS_UNIT_OVPN_SESSION_WORLD_H

#include "bench/session_client.h"
#include "dataplane/base/clock.h"
#include "dataplane/ovpn/session.h"
#include "dataplane/ovpn/start.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/*
 * One client, the owner of one session, and the wire between them, in a time of its own. What the owner
 * is told becomes a line of words: "AUTHENTICATE READY0 ACTIVE0 CONNECTED".
 */
enum {
	WIRE_MAX = 256, /* packets under way */
	SAID_MAX = 4000,
	PEER_ID = 7,
	KEPT_MAX = 64,
};

struct wire_packet {
	bool to_session;
	uint64_t at_ns;
	size_t len;
	uint8_t data[CONTROL_PACKET_MAX];
};

struct world {
	struct ovpn_session_config config;
	struct cipher_policy ciphers;
	struct static_key key;
	uint8_t wkc[1024];
	struct tls_context *tls;
	struct start start;
	struct start_path path;
	struct ovpn_session *session;
	struct session_client client;
	struct session_client_setup setup;
	uint64_t now_ns;

	/* the wire: of 100 packets so many are lost, doubled or late */
	unsigned int lost, doubled, late;
	uint64_t seed;
	bool cut; /* nothing comes through */
	struct wire_packet wire[WIRE_MAX];
	unsigned int under_way, longest;
	unsigned int sent_by_session;
	/* all that went to the session, and came from it, from the first on */
	struct wire_packet kept[KEPT_MAX];
	unsigned int kept_count;

	/* the owner */
	struct push push;
	const char *right_password; /* NULL: whoever */
	bool defers; /* accept comes from the test */
	char said[SAID_MAX];
	struct ovpn_session_key keys[8];
	bool has_key[8];
	unsigned int authenticated, renewals;
	enum ovpn_session_failure failure;
	char text[300], username[300], name[TLS_NAME_MAX + 1];
	bool has_certificate; /* as it was asked about, or failed */
	int refused; /* packets that the session did not take */
};

/* Certificates for all tests of a program. */
int world_certificates_make(void **state);
int world_certificates_free(void **state);
extern struct certificate world_alice, world_bob, world_stranger;

/* Defaults: a certificate is required, 2.6 as client, UDP, plain. After it setup, config and so on may be
 * changed; world_start() then begins. */
void world_init(struct world *w, enum wrap_mode mode);
void world_start(struct world *w);
void world_fini(struct world *w);
/* Until then, or nothing is to happen any more. */
void world_run(struct world *w, uint64_t seconds);
void world_run_ms(struct world *w, uint64_t ms);
/* What waits at both ends, onto the wire. */
void world_flush(struct world *w);
/* Runs until both ends have it. */
void world_connect(struct world *w);
/* Runs, and then the owner was told exactly this since world_forget(). */
void world_expect(struct world *w, uint64_t seconds, const char *said);
/* A packet to the session as it is; what it says to it. */
int world_inject(struct world *w, const uint8_t *wire, size_t len);
/* The client's data keys of a key id are the session's. */
void world_keys_agree(const struct world *w, unsigned int key_id, bool exported);
/* Forgets what was said; so that a test can look at what comes. */
void world_forget(struct world *w);

#endif
