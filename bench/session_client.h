/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_SESSION_CLIENT_H
#define BENCH_SESSION_CLIENT_H

#include "bench/certificate.h"
#include "dataplane/ovpn/key_source.h"
#include "dataplane/ovpn/reliability.h"
#include "dataplane/ovpn/wrap.h"

#include <openssl/ssl.h>

/*
 * The other end of a session: an OpenVPN client made of the library's own parts and OpenSSL's client,
 * with the habits of several real ones. As sans-I/O as the session is.
 */
enum {
	CLIENT_KEYS = 8,
	CLIENT_HEARD_MAX = 20000,
};

/* Borrowed; zeroed is a 2.6 client on UDP that pulls. */
struct session_client_setup {
	enum wrap_mode mode;
	bool is_tcp;
	int tls_min, tls_max; /* 0: OpenSSL's */
	const struct certificate *who;
	const char *username, *password; /* NULL: absent */
	const char *options; /* NULL: a usual one */
	const char *peer_info; /* NULL: no such field, which old routers do */
	const struct static_key *key; /* of every wrapping */
	const uint8_t *wkc; /* behind packets of tls-crypt-v2 */
	size_t wkc_len;
	size_t chunk; /* bytes of TLS in a packet; 0: 900 */
	bool double_reset; /* RouterOS 6 */
	bool early_hello; /* RouterOS 7.1 */
	bool acks_alone; /* 2.4 and 2.5 */
	bool does_not_pull;
	bool push_with_key_method; /* PUSH_REQUEST before it heard our key method 2 */
};

struct client_key {
	bool is_used, has_said, has_heard; /* key method 2 */
	uint8_t key_id;
	uint32_t
		acked; /* the last; 2.6 repeats its acks, so that a lost one does not cost the attempt */
	bool has_acked;
	SSL *ssl;
	BIO *in, *out;
	struct reliability reliability;
	struct key_source source;
	struct key_block prf, exported; /* both, the test takes what was agreed upon */
};

struct session_client {
	struct session_client_setup setup;
	SSL_CTX *context;
	struct wrap wrap;
	struct wrap_stamp stamp;
	struct wrap_replay replay;
	struct session_id own, server;
	bool knows_server, sends_wkc, tls_failed;
	const char *tls_failure; /* in OpenSSL's words: an alert, say; static, NULL: none */
	uint8_t newest; /* key id */
	struct client_key key[CLIENT_KEYS];
	char heard[CLIENT_HEARD_MAX]; /* commands, each with a newline behind it */
	size_t heard_len;
	unsigned int refused; /* packets */
};

void session_client_init(struct session_client *c, const struct session_client_setup *setup);
void session_client_fini(struct session_client *c);
/* A packet of the server. */
void session_client_receive(struct session_client *c, const uint8_t *wire, size_t len);
/* The next packet for it; 0: none. buf: CONTROL_PACKET_MAX. */
size_t session_client_take(struct session_client *c, uint8_t *buf, uint64_t now_ns, uint32_t now_s);
uint64_t session_client_deadline(const struct session_client *c);
/* Inside TLS of the newest key, as one record; the NUL is the caller's. */
void session_client_say(struct session_client *c, const void *record, size_t len);
/* Its own soft reset. */
void session_client_renegotiate(struct session_client *c);
/* Any packet, wrapped as the next of this client; length on the wire. */
size_t session_client_wrap(
	struct session_client *c, const struct control_packet *p, uint8_t *buf, uint32_t now_s);

#endif
