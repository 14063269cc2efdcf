/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_API_INSTANCE_H
#define DATAPLANE_API_INSTANCE_H

#include "dataplane/base/ip.h"
#include "dataplane/base/key.h"
#include "dataplane/base/uuid.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

enum {
	DP_INSTANCE_NUMBER_MAX = 65535, /* a conntrack zone of Linux has 16 bits */
	DP_MTU_MIN = 1280, /* RFC 8200 section 5 */
	DP_MTU_MAX = 9000,
};

enum dp_instance_flag {
	DP_INSTANCE_SITE_TO_SITE = 1 << 0,
	DP_INSTANCE_CLIENT_TO_SITE = 1 << 1,
	DP_INSTANCE_CLIENT_TO_CLIENT = 1 << 2,
	DP_INSTANCE_EGRESS_V4 = 1 << 3,
	DP_INSTANCE_EGRESS_V6 = 1 << 4,
	DP_INSTANCE_FLAGS_ALL = (1 << 5) - 1,
};

/*
 * Creates or replaces. Number, port and addresses of a living instance cannot change (-EBUSY: delete
 * it first); a changed key ends the sessions of all its peers. -EEXIST: the number is another
 * instance's; -EADDRINUSE: the port is; -ENOSPC: table full.
 */
struct dp_instance_set {
	struct uuid id;
	struct key wireguard_private_key;
	uint32_t number; /* 1..DP_INSTANCE_NUMBER_MAX: the N of naveN */
	uint32_t flags; /* enum dp_instance_flag */
	uint16_t wireguard_port;
	uint16_t mtu; /* of the tunnel */
	struct ip_prefix
		address4; /* the hub's inner address with its net's length; all zero: none */
	struct ip_prefix address6;
	uint8_t pad[2];
};
static_assert(sizeof(struct dp_instance_set) == 96);

/* With its peers and routes. Deleting what does not exist succeeds: so with every *_del here. */
struct dp_instance_del {
	struct uuid id;
};
static_assert(sizeof(struct dp_instance_del) == 16);

/* An object of INSTANCE_LIST. */
struct dp_instance {
	struct uuid id;
	uint32_t number;
	uint32_t flags;
	uint16_t wireguard_port;
	uint16_t mtu;
	struct ip_prefix address4;
	struct ip_prefix address6;
	uint8_t has_tun; /* 1 after TUN_SET */
	uint8_t has_uapi; /* 1 after UAPI_SET */
	uint8_t has_management; /* 1 after MANAGEMENT_SET */
	uint8_t pad[3];
};
static_assert(sizeof(struct dp_instance) == 68);

int dp_instance_set_check(const uint8_t *payload, size_t len, const char **ret_reason);
int dp_instance_del_check(const uint8_t *payload, size_t len, const char **ret_reason);
int dp_instance_check(const uint8_t *payload, size_t len, const char **ret_reason);

#endif
