/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_NODE_DESIRED_H
#define CONTROL_NODE_DESIRED_H

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

struct desired_instance {
	struct uuid id;
	uint32_t number;
	struct key private_key;
	uint16_t port, mtu;
	struct ip_prefix address4, address6;
	bool site_to_site, client_to_site, client_to_client;
	bool egress4, egress6;
};

struct desired_prefixes {
	struct ip_prefix *prefix; /* owned */
	unsigned int count;
};

struct desired_peer {
	struct uuid id, instance;
	bool is_site, route_all, has_preshared_key, allowed_any;
	struct key public_key, preshared_key;
	uint16_t keepalive;
	uint64_t expires_at;
	uint64_t
		timestamp_reset; /* counts how often somebody asked to forget its greatest TAI64N */
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
