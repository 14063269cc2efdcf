/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_SERVER_FIXTURE_H
#define TESTS_UNIT_SERVER_FIXTURE_H

#include "dataplane/api/client.h"
#include "dataplane/api/instance.h"
#include "dataplane/api/peer.h"
#include "dataplane/api/route.h"
#include "dataplane/api/sync.h"
#include "dataplane/keying/client_status.h"
#include "dataplane/keying/keying.h"
#include "dataplane/worker/capture.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * A real server over real tables in a thread of its own; keying and host I/O are played by the
 * test, which notes what they are told. Asserts with cmocka.
 */
struct server;
struct tables;

/* What the fakes saw since the last start. Read after a reply came. */
struct fake {
	unsigned int instances_set, peers_set, listeners_set, listeners_deleted, retired;
	unsigned int taps, tuns, tuns_deleted;
	_Atomic uint64_t captured[CAPTURES_MAX]; /* handles of peers; 0: none */
	unsigned int ends_before_open; /* this one, counted from 1, does before the next begins */
	struct keying_peer last_peer;
	const struct peer *last_reset;
	struct key last_private_key;
	uint32_t listener_sessions;
	struct keying_client_status client; /* of every peer that has a tunnel */
	unsigned int kills, kill_count; /* how many are said to be killed each time */
	struct keying_client_choice killed; /* the last, but for its name */
	char killed_name[64];
	bool halted;
	int keying_error; /* what the next keying_*_set return */
	int host_error;
};
extern struct fake fake;

/* Once a program: starts EAL with one port without hardware. cmocka group setup and teardown. */
int fixture_start_eal(void **state);
int fixture_stop_eal(void **state);
/* cmocka test setup and teardown. */
int fixture_start(void **state);
int fixture_stop(void **state);

struct server *fixture_server(void);
struct tables *fixture_tables(void);
const char *fixture_path(void);
struct dp_client *fixture_client(void);
/* A connected socket without HELLO. */
int fixture_socket(void);

/* Objects with small numbers for ids; the returned value is the dataplane's answer. */
struct uuid test_id(unsigned int n);
struct ip_prefix test_prefix(const char *text);
struct dp_instance_set test_instance(unsigned int n);
struct dp_peer_set test_peer(unsigned int n, unsigned int instance);
int set_instance(struct dp_client *c, unsigned int n);
int set_peer(struct dp_client *c, unsigned int n, unsigned int instance);
int set_route(struct dp_client *c, unsigned int instance, const char *prefix, unsigned int peer);
int del_peer(struct dp_client *c, unsigned int n);
int begin(struct dp_client *c, unsigned int epoch, uint64_t generation);
int end(struct dp_client *c, bool allow_empty);
/* Number of objects in a list. */
unsigned int list_length(struct dp_client *c, enum dp_msg_type type);
bool peer_exists(struct dp_client *c, unsigned int n);

#endif
