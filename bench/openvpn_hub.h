/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_OPENVPN_HUB_H
#define BENCH_OPENVPN_HUB_H

#include "bench/memory_hub.h"
#include "dataplane/crypto/cipher.h"
#include "dataplane/table/tunnel.h"

/*
 * OpenVPN in a memory hub: peers get tunnels with random keys, and their own side of them, so that
 * anybody can make their packets. What stands here is freed before its hub.
 */
struct openvpn_hub {
	struct memory_hub *hub;
	struct cipher_engine *engine; /* of the peers' side; makes all keys */
	struct tunnel **tunnel; /* owned array, by peer; NULL: it speaks WireGuard */
	struct data_key **key; /* the same: the hub's */
	struct data_send *client; /* the same: the peer's */
};

/* Tunnels for the peers first, first + step ... 0 or -errno. */
int openvpn_hub_new(struct openvpn_hub *o, struct memory_hub *h, const struct cipher_suite *suite,
	unsigned int first, unsigned int step);
void openvpn_hub_free(struct openvpn_hub *o);
/* The frame in which a peer that has a tunnel sends this inner packet. NULL without buffers. */
struct rte_mbuf *openvpn_hub_frame(
	struct openvpn_hub *o, unsigned int from, const uint8_t *inner, uint16_t len);

#endif
