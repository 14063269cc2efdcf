/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_MODEL_PEER_H
#define CONTROL_MODEL_PEER_H

#include "control/model/certificate.h"
#include "control/model/error.h"
#include "control/model/instance.h"
#include "control/model/name.h"
#include "control/model/openvpn.h"
#include "control/model/subnet.h"
#include "dataplane/base/ip.h"
#include "dataplane/base/key.h"
#include "dataplane/base/uuid.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum {
	KEEPALIVE_DEFAULT_S = 25,
	KEEPALIVE_MAX_S = 65535,
	CONNECTED_MIN_S = 180, /* connected: heard within max(3 * keepalive, this) */
	REVEAL_S = 600, /* a reveal opens the private key for this long */
	TIMESTAMP_TEXT = 25, /* TAI64N in hex */
	PEER_FAILURE_TEXT = 256,
	PEER_PROTOCOL_TEXT = 12, /* "wireguard" */
};

enum peer_type {
	PEER_SITE,
	PEER_CLIENT,
};

enum peer_protocol {
	PROTOCOL_WIREGUARD,
	PROTOCOL_ANY, /* clients: whatever they come with */
	PROTOCOL_OPENVPN,
};

enum peer_state {
	PEER_ACTIVE,
	PEER_SUSPENDED,
	PEER_EXPIRED,
};

/* What the hub last told. Kept apart from what people asked for: it has no version. */
struct peer_status {
	char endpoint[IP_ENDPOINT_TEXT]; /* "" unknown */
	int64_t last_handshake_at; /* unix seconds, 0 never; so below */
	int64_t last_seen_at;
	uint64_t rx_bytes, tx_bytes, rx_packets, tx_packets;
	char timestamp[TIMESTAMP_TEXT];
	char failure[PEER_FAILURE_TEXT]; /* a sentence for people; "" none */
	int64_t failure_at;
	char protocol[PEER_PROTOCOL_TEXT]; /* in use when it was last seen; "" not told */
};

struct peer {
	struct uuid id;
	struct uuid instance_id;
	enum peer_type type;
	enum peer_protocol protocol;
	char name[NAME_TEXT];
	struct uuid site_id; /* zero: none */
	struct uuid user_id; /* zero: none */
	struct key public_key;
	bool key_is_ours; /* the pair was made here */
	bool has_private_key; /* and its private half is still kept */
	char username[OPENVPN_USERNAME_TEXT]; /* "" none: it speaks no OpenVPN */
	bool has_openvpn_secrets; /* made here, and still kept to be revealed */
	struct subnets subnets;
	bool allow_broad_routes;
	bool route_all;
	bool has_allowed;
	struct subnets allowed;
	uint32_t keepalive;
	int64_t expires_at; /* 0: never */
	bool is_suspended; /* itself */
	bool user_is_suspended; /* or whom it belongs to; read only */
	uint32_t host; /* its number in the instance's networks */
	struct ip_addr addresses[2];
	json_t *labels; /* owned object */
	int64_t revealed_until;
	uint64_t clock_resets; /* how often the hub was told to forget its clock */
	char profile_digest[65]; /* of the profile that was last handed out; "" none */
	struct peer_status status;
	int64_t created_at;
	uint64_t version;
};

void peer_init(struct peer *p);
void peer_fini(struct peer *p);
/* Everything that needs no other peer. */
void peer_check(const struct peer *p, const struct instance *i, struct model_errors *errors);
enum peer_state peer_state_at(const struct peer *p, int64_t now);
bool peer_is_connected(const struct peer *p, int64_t now);
const char *peer_state_text(enum peer_state state);
const char *peer_protocol_text(enum peer_protocol protocol);
bool peer_speaks_wireguard(const struct peer *p);
bool peer_speaks_openvpn(const struct peer *p);

#endif
