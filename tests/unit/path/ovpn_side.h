/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_PATH_OVPN_SIDE_H
#define TESTS_UNIT_PATH_OVPN_SIDE_H

#include "dataplane/table/session.h"
#include "dataplane/table/tunnel.h"
#include "tests/unit/path/fixture.h"

/*
 * A peer of the hub in memory as an OpenVPN client: its tunnel as keying would make it, and the other end
 * of its key.
 */
enum {
	OVPN_PORT = 1194,
};

struct ovpn_side {
	unsigned int peer;
	struct tunnel *tunnel;
	struct data_key *key; /* the hub's, of key id 0 */
	struct data_send send; /* the client's */
	struct data_receive receive;
	struct cipher_engine *engine;
	struct endpoint *before;
	struct endpoint *endpoint;
};

/* Zeroed: AES-128-GCM, P_DATA_V1, no compression, IPv4. */
struct ovpn_kind {
	struct cipher_suite suite;
	bool is_v2, is_v6, is_tcp;
	enum data_compression compression;
};

int ovpn_group_start(void **state);
int ovpn_test_end(void **state);
void ovpn_open_port(void);
void ovpn_side_begin(struct ovpn_side *s, unsigned int peer, const struct ovpn_kind *kind);
void ovpn_side_end(struct ovpn_side *s);
/* The frame in which the client sends that, framed and sealed. */
struct rte_mbuf *ovpn_frame(struct ovpn_side *s, const uint8_t *payload, uint16_t len);
/* Any UDP payload from the client's address. */
struct rte_mbuf *ovpn_frame_of(const struct ovpn_side *s, const uint8_t *packet, uint16_t len);
/* Opens what the hub has sent behind so many bytes of outer headers; points into the frame. */
const uint8_t *ovpn_open(
	struct ovpn_side *s, struct rte_mbuf *m, uint16_t outer, uint32_t *ret_len);
/* Every cipher of every listener. */
extern const struct cipher_suite ovpn_suites[];
extern const unsigned int ovpn_suite_count;

#endif
