/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_NODE_DESIRED_H
#define CONTROL_NODE_DESIRED_H

#include "dataplane/api/listener.h"
#include "dataplane/api/peer.h"
#include "dataplane/api/push.h"
#include "dataplane/base/ip.h"
#include "dataplane/base/key.h"
#include "dataplane/base/uuid.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the control daemon wants of this hub: the node API's JSON as structs. */

enum {
	DESIRED_ADDRESSES_MAX = 4,
	DESIRED_PREFIXES_MAX = 1024, /* subnets of a peer */
	DESIRED_ERROR_TEXT = 256,
};

struct desired_prefixes {
	struct ip_prefix *prefix; /* owned */
	unsigned int count;
};

/* The numbers are those of dp_listener_set. */
struct desired_listener {
	struct uuid id;
	uint32_t renegotiate_s;
	uint16_t port;
	uint8_t transport, wrap, wrap_digest, tls_minimum, security_level, flags;
	uint8_t cipher[DP_CIPHERS_MAX];
	uint8_t wrap_key[DP_WRAP_KEY_LEN];
};

/* What all listeners of an instance have in common, and what its clients are told. */
struct desired_openvpn {
	char *ca, *certificate, *private_key; /* owned texts in PEM */
	struct desired_prefixes routes;
	struct ip_addr dns[DP_PUSH_DNS_MAX];
	char domain[DP_PUSH_DOMAINS_MAX][DP_PUSH_DOMAIN_LEN];
	struct desired_listener *listener; /* owned */
	unsigned int listeners;
};

enum desired_protocol {
	DESIRED_WIREGUARD,
	DESIRED_OPENVPN,
	DESIRED_ANY,
};

struct desired_instance {
	struct uuid id;
	uint32_t number;
	struct key private_key;
	uint16_t port, mtu;
	struct ip_prefix address4, address6;
	bool site_to_site, client_to_site, client_to_client;
	bool egress4, egress6;
	struct desired_openvpn *openvpn; /* owned; NULL: none */
};

struct desired_peer {
	struct uuid id, instance;
	bool is_site, route_all, has_preshared_key, allowed_any;
	enum desired_protocol protocol; /* that it may speak */
	struct key public_key, preshared_key; /* zero: none */
	struct dp_openvpn *openvpn; /* owned, without the addresses; NULL: nothing to show */
	uint16_t keepalive;
	uint64_t expires_at;
	uint64_t
		timestamp_reset; /* counts how often somebody asked to forget its greatest TAI64N */
	uint8_t timestamp[DP_TIMESTAMP_LEN]; /* greatest that any hub has told of; zero: none */
	struct ip_endpoint endpoint;
	struct ip_addr address[DESIRED_ADDRESSES_MAX];
	unsigned int addresses;
	struct desired_prefixes subnets, allowed;
};

/* A capture to be begun once: the answer after it was asked for tells it, and no other does. */
struct desired_capture {
	struct uuid id, peer;
	bool is_inner;
	uint32_t seconds, max_bytes;
};

struct desired {
	bool known; /* something was told */
	struct uuid epoch;
	uint64_t generation;
	struct desired_instance *instance; /* owned; sorted by id, and so are the peers */
	struct desired_peer *peer;
	unsigned int instances, peers;
	struct desired_capture *capture; /* owned; of the last answer alone */
	unsigned int captures;
};

/*
 * Takes an answer of GET /node/v1/desired in: a full one replaces everything, another changes
 * what it names. All or nothing: -EINVAL with the reason in error leaves d as it was; -ENOMEM.
 */
int desired_merge(struct desired *d, const char *json, size_t len, char error[DESIRED_ERROR_TEXT]);
/* Wipes the keys. */
void desired_fini(struct desired *d);

#endif
