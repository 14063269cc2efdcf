/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_API_PEER_H
#define DATAPLANE_API_PEER_H

#include "dataplane/base/ip.h"
#include "dataplane/base/key.h"
#include "dataplane/base/uuid.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

enum {
	DP_ALLOWED_MAX = 64, /* prefixes of allowed[] */
	DP_ALLOWED_ALL = 0xffff, /* allowed_count: no list, all that the instance permits */
	DP_TIMESTAMP_LEN = 12, /* TAI64N */
	DP_SHA256_LEN = 32,
	DP_SALT_LEN = 16,
	DP_USERNAME_LEN = 32, /* with at least one NUL; RouterOS takes 27 characters */
};

enum dp_peer_type {
	DP_PEER_SITE = 1,
	DP_PEER_CLIENT,
	DP_PEER__COUNT,
};

/* Why a peer's last attempt to get a session failed. */
enum dp_failure {
	DP_FAILURE_NONE,
	DP_FAILURE_OLD_TIMESTAMP, /* a replay, or a router whose clock went back */
	DP_FAILURE_FLOOD, /* initiations faster than the limit */
	DP_FAILURE_BAD_HANDSHAKE, /* did not authenticate: e.g. another preshared key */
	DP_FAILURE_NO_RESPONSE, /* our initiations were not answered */
	DP_FAILURE_CLOCK_AHEAD, /* accepted, but its clock is over a day ahead */
	/* of OpenVPN */
	DP_FAILURE_OPENVPN_TIMEOUT, /* no key within 60 s */
	DP_FAILURE_OPENVPN_TLS,
	DP_FAILURE_OPENVPN_CERTIFICATE, /* none, or another one than this peer's */
	DP_FAILURE_OPENVPN_PASSWORD,
	DP_FAILURE_OPENVPN_CIPHER, /* none in common */
	DP_FAILURE_OPENVPN_OPTIONS, /* e.g. fragment */
	DP_FAILURE__COUNT,
};

enum dp_protocol {
	DP_PROTOCOL_NONE,
	DP_PROTOCOL_WIREGUARD,
	DP_PROTOCOL_OPENVPN,
	DP_PROTOCOL__COUNT,
};

/*
 * How a peer shows OpenVPN who it is: by that of this which the listener asks for. Control sees to it that
 * two peers of an instance have neither certificate nor username in common.
 */
struct dp_openvpn {
	uint8_t certificate[DP_SHA256_LEN]; /* SHA-256 of its DER; zero: none */
	char username[DP_USERNAME_LEN]; /* zero: none */
	uint8_t salt[DP_SALT_LEN];
	uint8_t password[DP_SHA256_LEN]; /* SHA-256 of salt and password; zero without username */
	struct ip_addr address4, address6; /* in the tunnel, also routes to it; zero: none */
};
static_assert(sizeof(struct dp_openvpn) == 144);

/*
 * Creates or replaces; a living peer keeps its sessions, and another preshared key is used from the
 * next handshake on; other credentials end its OpenVPN session. A peer without public_key has no
 * WireGuard, one without has_openvpn no OpenVPN. called_s, endpoint and timestamp are hints from before a restart: used when
 * the dataplane knows nothing newer. The peer's tunnel addresses and networks are routes (ROUTE_SET).
 * -ENOENT: no such instance; -EEXIST: the key is another peer's of the instance; -EBUSY: instance
 * and public key of a living peer cannot change, delete it first; -EINVAL: the endpoint or the key
 * is the hub's own; -ENOSPC: table full.
 */
struct dp_peer_set {
	struct uuid id;
	struct uuid instance;
	struct key public_key; /* zero: none, only with has_openvpn */
	struct key preshared_key; /* all zero without has_preshared_key */
	uint64_t expires_at; /* seconds since 1970; 0: never */
	uint64_t called_s; /* since 1970: no initiation of the hub bore a later time; 0: unknown */
	struct ip_endpoint endpoint; /* all zero: unknown */
	uint8_t timestamp[DP_TIMESTAMP_LEN]; /* greatest TAI64N seen; zero: none */
	uint16_t keepalive_s; /* 0: off */
	uint16_t allowed_count; /* 0..DP_ALLOWED_MAX or DP_ALLOWED_ALL */
	uint8_t type; /* enum dp_peer_type */
	uint8_t route_all; /* 1: may reach the internet through the hub */
	uint8_t has_preshared_key;
	uint8_t has_openvpn;
	uint8_t pad[2];
	struct dp_openvpn openvpn; /* all zero without has_openvpn */
	struct ip_prefix allowed[DP_ALLOWED_MAX]; /* on the wire: allowed_count of them */
};
static_assert(sizeof(struct dp_peer_set) == 1384);

struct dp_peer_del {
	struct uuid id;
};
static_assert(sizeof(struct dp_peer_del) == 16);

/*
 * The peer's next handshake is taken whatever its timestamp says: for a router whose clock was ahead
 * or went back. Its sessions stay. Old handshakes could be replayed until then. -ENOENT.
 */
struct dp_peer_reset {
	struct uuid id;
};
static_assert(sizeof(struct dp_peer_reset) == 16);

/* Request of PEER_LIST and PEER_STATS_LIST. */
struct dp_peer_list {
	struct uuid instance; /* zero: of all instances */
};
static_assert(sizeof(struct dp_peer_list) == 16);

/* An object of PEER_LIST: no secrets. */
struct dp_peer {
	struct uuid id;
	struct uuid instance;
	struct key public_key;
	uint64_t expires_at;
	struct ip_endpoint endpoint; /* as it is now */
	uint8_t timestamp[DP_TIMESTAMP_LEN]; /* as it is now */
	uint16_t allowed_count;
	uint8_t type;
	uint8_t route_all;
	uint8_t pad[6];
	struct ip_prefix allowed[DP_ALLOWED_MAX]; /* on the wire: allowed_count of them */
};
static_assert(sizeof(struct dp_peer) == 1200);

/* An object of PEER_STATS_LIST. Times in nanoseconds since 1970, 0: never. */
struct dp_peer_stats {
	struct uuid id;
	struct uuid instance;
	uint64_t last_handshake_ns;
	uint64_t last_rx_ns; /* of the last authenticated packet */
	uint64_t rx_bytes; /* counted since the peer was made in this run of the dataplane */
	uint64_t tx_bytes;
	uint64_t rx_packets;
	uint64_t tx_packets;
	uint64_t last_failure_ns;
	int64_t last_failure_clock_s; /* of OLD_TIMESTAMP and CLOCK_AHEAD: seconds that the peer's
					 clock is behind ours; negative: ahead */
	struct ip_endpoint endpoint;
	uint8_t timestamp[DP_TIMESTAMP_LEN];
	uint8_t last_failure; /* enum dp_failure */
	uint8_t protocol; /* enum dp_protocol: what packets to it are sealed with now */
};
static_assert(sizeof(struct dp_peer_stats) == 128);

/* Bytes on the wire, from allowed_count. */
size_t dp_peer_set_size(const struct dp_peer_set *set);
size_t dp_peer_size(const struct dp_peer *peer);
/* "no_response"; NULL when it is none of enum dp_failure. */
const char *dp_failure_name(uint8_t failure);

int dp_peer_set_check(const uint8_t *payload, size_t len, const char **ret_reason);
int dp_peer_del_check(const uint8_t *payload, size_t len, const char **ret_reason);
int dp_peer_reset_check(const uint8_t *payload, size_t len, const char **ret_reason);
int dp_peer_list_check(const uint8_t *payload, size_t len, const char **ret_reason);
int dp_peer_check(const uint8_t *payload, size_t len, const char **ret_reason);
int dp_peer_stats_check(const uint8_t *payload, size_t len, const char **ret_reason);

#endif
