/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_OVPN_PEER_INFO_H
#define DATAPLANE_OVPN_PEER_INFO_H

#include <stdbool.h>
#include <stdint.h>

/* The peer info of key method 2 (OpenVPN's push_peer_info() in ssl.c): lines of KEY=VALUE. */

/* IV_PROTO (OpenVPN's ssl.h). */
enum {
	IV_PROTO_DATA_V2 = 1 << 1,
	IV_PROTO_REQUEST_PUSH = 1 << 2, /* wants its push without a PUSH_REQUEST */
	IV_PROTO_TLS_KEY_EXPORT = 1 << 3,
	IV_PROTO_AUTH_PENDING_KW = 1 << 4,
	IV_PROTO_NCP_P2P = 1 << 5, /* does not pull */
	IV_PROTO_DNS_OPTION = 1 << 6, /* an early form */
	IV_PROTO_CC_EXIT_NOTIFY = 1 << 7, /* and protocol-flags */
	IV_PROTO_AUTH_FAIL_TEMP = 1 << 8,
	IV_PROTO_DYN_TLS_CRYPT = 1 << 9,
	IV_PROTO_DATA_EPOCH = 1 << 10,
	IV_PROTO_DNS_OPTION_V2 = 1 << 11,
	IV_PROTO_PUSH_UPDATE = 1 << 12,
};

enum {
	PEER_INFO_CIPHERS_MAX = 512, /* sizes with the NUL */
	PEER_INFO_TEXT_MAX = 64,
};

/* Numbers are 0 where they are absent or not decimal. Text is printable ASCII: what is not became
 * '_'. */
struct peer_info {
	uint32_t proto; /* IV_PROTO_* */
	uint32_t ncp; /* IV_NCP */
	uint32_t mtu; /* IV_MTU: the largest tun-mtu it can be told */
	bool has_ciphers; /* IV_CIPHERS is there, though it may be empty */
	bool has_comp_stub_v2; /* IV_COMP_STUBv2=1 */
	char ciphers[PEER_INFO_CIPHERS_MAX]; /* "A:B"; whole names only */
	char version[PEER_INFO_TEXT_MAX]; /* IV_VER, cut where it is longer */
	char platform[PEER_INFO_TEXT_MAX]; /* IV_PLAT, the same */
};

/* text: NUL-terminated; empty where the client sent none. What is not understood is left; of a key that
 * comes twice the first counts. */
void peer_info_parse(const char *text, struct peer_info *ret);

#endif
