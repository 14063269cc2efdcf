/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_PATH_SUBJECT_H
#define BENCH_PATH_SUBJECT_H

#include "bench/openvpn_hub.h"

#include <stdbool.h>
#include <stdint.h>

/* Whose packets bench/path sends. */
struct subject {
	struct memory_hub *hub;
	const char *protocol; /* of a figure's name */
	char cipher[32]; /* the same, in small letters */
	char suffix[40]; /* of a stage's name: "" or a dot and more */
	unsigned int step; /* 1: from anybody to anybody; 2: from the even peers to the odd ones */
	struct openvpn_hub openvpn; /* where it has one */
	/* A packet as peer `from` sends it; NULL: no buffers. */
	struct rte_mbuf *(*frame)(
		struct subject *t, unsigned int from, const uint8_t *inner, uint16_t len);
	/* What the path does to PATH_VECTOR frames, but only opening and sealing: cycles of each. */
	bool (*crypto)(struct subject *t, uint16_t size, struct rte_mbuf *const *frames,
		uint64_t *ret_open, uint64_t *ret_seal);
};

struct subject subject_wireguard(struct memory_hub *h);
/* OpenVPN's name of a cipher, or "mixed". 0 or -errno. */
int subject_openvpn(struct subject *t, const char *cipher);
void subject_openvpn_end(struct subject *t);

#endif
