/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_KEYING_FIXTURE_H
#define TESTS_UNIT_KEYING_FIXTURE_H

#include "dataplane/keying/keying_private.h"

#include <stddef.h>
#include <stdint.h>

/*
 * Keying without its thread: the test calls what the thread would call, and time is k.now_ns. The
 * hub is 203.0.113.1:51820; the client plays its part with its own keys, as a real one would.
 */
enum {
	FIXTURE_OUTER = 42, /* Ethernet, IPv4, UDP */
	FIXTURE_EVENTS = 16,
};

struct wg_client {
	struct noise_identity identity;
	struct noise_remote hub;
	struct cookie_maker cookie;
	struct keypair keys;
	uint64_t realtime_ns; /* of its next initiation */
	const char *endpoint;
};

struct fixture {
	struct keying k;
	struct rings rings;
	struct tables *tables;
	struct counters *counters;
	struct instance *instance;
	struct key hub_private;
	struct key hub_public;
	struct keying_event event[FIXTURE_EVENTS];
	unsigned int events;
	uint64_t queue_delay_ns; /* how long what is delivered has waited in the ring */
};

extern struct fixture f;

int fixture_start_eal(void **state);
int fixture_stop_eal(void **state);
int fixture_start(void **state);
int fixture_end(void **state);

/* A client and, at the hub, its peer. endpoint_hint: what the hub is told, or NULL. */
struct peer *client_new(struct wg_client *c, uint8_t number, const char *endpoint_hint);
/* What the client sends; MACs included. */
void client_initiation(struct wg_client *c, struct message_handshake_initiation *ret);
/* As the path hands it over: in a frame from the client's endpoint. */
void deliver(const struct wg_client *c, const void *message, size_t len);
/* A whole handshake begun by the client; the hub's session is not confirmed yet. */
void client_handshake(struct wg_client *c);
/* The next packet for the workers, or NULL; the caller frees it. */
struct rte_mbuf *take_injected(void);
/* The one packet for the workers is a message of that length for the peer, and goes to ret. */
void take_message(const struct peer *p, void *ret, size_t len);
void assert_nothing_injected(void);
uint64_t counted(enum counter c);
/* The last event is of that type and about that peer. */
void assert_event(enum keying_event_type type, const struct peer *p);

#endif
