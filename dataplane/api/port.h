/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_API_PORT_H
#define DATAPLANE_API_PORT_H

#include "dataplane/base/uuid.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

enum {
	DP_PORT_NAME_LEN = 32,
	DP_PORT_MAX = 64, /* ids are 0..DP_PORT_MAX - 1 */
	DP_MAC_LEN = 6,
};

/* An object of PORT_LIST. Ports come from dataplane.conf and stay for the whole run. */
struct dp_port {
	char name[DP_PORT_NAME_LEN]; /* as in dataplane.conf; zero-filled, at least one NUL */
	uint16_t id;
	uint16_t mtu;
	uint8_t mac[DP_MAC_LEN];
	uint8_t link_up;
	uint8_t has_tap; /* 1 after TAP_SET */
};
static_assert(sizeof(struct dp_port) == 44);

/*
 * The host side of a port: a queue of a TAP device (IFF_TAP | IFF_NO_PI | IFF_VNET_HDR with a
 * 10-byte header), which comes as the message's file. Replaces the one before, which is closed.
 */
struct dp_tap_set {
	uint16_t port;
	uint8_t pad[6];
};
static_assert(sizeof(struct dp_tap_set) == 8);

/* The host and egress side of an instance: a queue of a TUN device (IFF_TUN, the rest as above). */
struct dp_tun_set {
	struct uuid instance;
};
static_assert(sizeof(struct dp_tun_set) == 16);

int dp_port_check(const uint8_t *payload, size_t len, const char **ret_reason);
int dp_tap_set_check(const uint8_t *payload, size_t len, const char **ret_reason);
int dp_tun_set_check(const uint8_t *payload, size_t len, const char **ret_reason);

#endif
