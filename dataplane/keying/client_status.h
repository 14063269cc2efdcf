/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_KEYING_CLIENT_STATUS_H
#define DATAPLANE_KEYING_CLIENT_STATUS_H

#include "dataplane/base/ip.h"
#include "dataplane/base/uuid.h"
#include "dataplane/keying/keying.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * What operators see of OpenVPN's sessions that are up, and how they end one. Server thread only: each
 * call waits until the keying thread has answered, after all that it was told before.
 */
enum {
	KEYING_CLIENT_NAME_LEN = UUID_TEXT, /* with its NUL */
	KEYING_CIPHER_NAME_LEN = 24,
};

/* A copy. */
struct keying_client_status {
	uint64_t number; /* of the session, never used again; 0: the peer has none */
	uint64_t since_ns; /* CLOCK_REALTIME */
	uint64_t received_bytes, sent_bytes; /* data, with what OpenVPN adds to it, since then */
	struct ip_endpoint remote;
	struct ip_addr address4, address6; /* in the tunnel; zero: none */
	uint32_t peer_id;
	char name[KEYING_CLIENT_NAME_LEN]; /* common name: the username, or the peer's UUID */
	char username[KEYING_USERNAME_LEN]; /* "": none */
	char cipher[KEYING_CIPHER_NAME_LEN]; /* as OpenVPN calls it */
};

/* Of each of count peers by its handle. Takes no longer for many sessions than for few. */
void keying_client_status(struct keying *k, const uint64_t *peer, unsigned int count,
	struct keying_client_status *ret);

struct keying_client_load {
	uint32_t sessions;
	uint64_t received_bytes, sent_bytes; /* also of sessions that are over */
};

void keying_client_load(struct keying *k, const struct instance *i, struct keying_client_load *ret);

/* Which of the instance's sessions; what is zero, fits everybody. */
struct keying_client_choice {
	const struct instance *instance;
	uint64_t number;
	const char *name; /* common name */
	struct ip_endpoint remote;
};

/* They end, and the clients are told: to come back at once, or (halt) to stay away. How many. */
unsigned int keying_clients_kill(
	struct keying *k, const struct keying_client_choice *which, bool halt);

#endif
