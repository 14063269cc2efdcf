/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_SERVER_UAPI_REQUEST_H
#define DATAPLANE_SERVER_UAPI_REQUEST_H

#include "dataplane/base/ip.h"
#include "dataplane/base/key.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What a client of the UAPI socket asks (https://www.wireguard.com/xplatform/): lines of KEY=VALUE
 * up to an empty one. Bytes go in as they come, in pieces of any size; nothing is done here. A
 * request that is wrong anywhere is read to its end and is then only its error, so that the client
 * hears the answer.
 */
enum {
	UAPI_LINE_MAX = 128, /* bytes; the longest that means something has 79 */
	UAPI_PEERS_MAX = 1 << 18, /* blocks of one request */
	UAPI_ALLOWED_MAX = 1 << 18, /* allowed_ip lines of one request */
};

enum uapi_operation {
	UAPI_NONE, /* nothing came yet */
	UAPI_GET,
	UAPI_SET,
};

/* What a block names; each once. */
enum uapi_field {
	UAPI_PRIVATE_KEY = 1 << 0,
	UAPI_LISTEN_PORT = 1 << 1,
	UAPI_FWMARK = 1 << 2, /* only 0: none */
	UAPI_REPLACE_PEERS = 1 << 3,
	UAPI_REMOVE = 1 << 4,
	UAPI_UPDATE_ONLY = 1 << 5,
	UAPI_PRESHARED_KEY = 1 << 6,
	UAPI_ENDPOINT = 1 << 7,
	UAPI_KEEPALIVE = 1 << 8,
	UAPI_REPLACE_ALLOWED = 1 << 9,
	UAPI_PROTOCOL_VERSION = 1 << 10,
};

/* One block of a peer. */
struct uapi_peer {
	struct key public_key;
	struct key preshared_key; /* zero: none */
	struct ip_endpoint endpoint;
	uint16_t keepalive_s;
	uint16_t fields; /* enum uapi_field */
	uint32_t allowed_at, allowed_count; /* in uapi_request.allowed */
};

/* All zero at first. Holds secrets: uapi_request_fini(). */
struct uapi_request {
	enum uapi_operation operation;
	int error; /* 0 or -errno; then nothing else counts */
	uint16_t fields; /* of the device */
	uint16_t listen_port; /* 0: any */
	struct key private_key; /* zero: none */
	struct uapi_peer *peer;
	uint32_t peers, peers_room;
	struct ip_prefix *allowed; /* canonical */
	uint32_t alloweds, alloweds_room;
	uint16_t line_len;
	char line[UAPI_LINE_MAX]; /* that is not complete yet */
};

/*
 * Takes bytes up to the end of the request; ret_used says how many. true: the request is complete.
 */
bool uapi_request_feed(struct uapi_request *r, const char *bytes, size_t len, size_t *ret_used);
/* Wipes and frees; r is all zero again. */
void uapi_request_fini(struct uapi_request *r);

#endif
