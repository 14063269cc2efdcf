/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_WG_COOKIE_H
#define DATAPLANE_WG_COOKIE_H

#include "dataplane/base/ip.h"
#include "dataplane/base/key.h"
#include "dataplane/wg/messages.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * MAC1, MAC2 and the cookie reply (paper, sections 5.4.4, 5.4.7 and 5.3). The checker is the side
 * that receives handshakes, one an instance; the maker the side that sends them, one a remote.
 */
struct cookie_checker {
	uint8_t mac1_key[32]; /* HASH("mac1----" || own public key) */
	struct key cookie_key; /* HASH("cookie--" || own public key) */
	uint8_t secret[32]; /* changes every COOKIE_SECRET_MAX_AGE */
	uint64_t secret_birth_ns;
	bool has_secret;
};

struct cookie_maker {
	uint8_t mac1_key[32]; /* of the remote's public key */
	struct key cookie_key;
	uint8_t cookie[COOKIE_LEN];
	uint64_t cookie_birth_ns;
	uint8_t last_mac1[COOKIE_LEN];
	bool has_cookie;
	bool sent_mac1; /* a reply to last_mac1 may still come */
};

enum cookie_verdict {
	COOKIE_MAC_INVALID,
	COOKIE_MAC1_VALID,
	COOKIE_MAC2_VALID, /* and MAC1: the sender owns its address and port */
};

void cookie_checker_init(struct cookie_checker *c, const struct key *own_public);
void cookie_checker_fini(struct cookie_checker *c);
/* message: initiation or response, MACs at its end. source: where it came from. */
enum cookie_verdict cookie_check(struct cookie_checker *c, const void *message, size_t len,
	const struct ip_endpoint *source, uint64_t now_ns);
/* The answer to such a message under load. 0 or -errno. */
int cookie_reply_create(struct cookie_checker *c, const void *message, size_t len,
	const struct ip_endpoint *source, uint64_t now_ns, struct message_handshake_cookie *ret);

void cookie_maker_init(struct cookie_maker *m, const struct key *remote_public);
void cookie_maker_fini(struct cookie_maker *m);
/* Writes both MACs into the end of the message. */
void cookie_macs_add(struct cookie_maker *m, void *message, size_t len, uint64_t now_ns);
/* false: not authentic, or not asked for. */
bool cookie_reply_consume(
	struct cookie_maker *m, const struct message_handshake_cookie *reply, uint64_t now_ns);

#endif
