/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_API_MSG_H
#define DATAPLANE_API_MSG_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The contract between nave-node and nave-dataplane: a Unix SEQPACKET socket, one message a
 * datagram, header then payload, all in the byte order of the machine (both ends are on it).
 *
 * A request has flags and status 0. Its replies carry its type and request_id and the flag REPLY;
 * the last one also DONE. Everything but a list has one reply; a list has one reply an object and
 * then an empty one with DONE. A reply with a negative status (-errno) is always the last, and its
 * payload is a text (no NUL) that names the thing and the reason. Replies come in the order of the
 * requests. The first request of a connection is HELLO. Events come with the flag EVENT, id 0.
 *
 * Structs are fixed: explicit pads that must be zero, no pointers, no enums. Raise DP_API_VERSION
 * with any change of a layout or a meaning (tests/data/api.layout holds the layouts).
 */
enum {
	DP_API_VERSION = 2,
	DP_MSG_MAX = 65536, /* bytes of a datagram, header included */
	DP_HEADER_LEN = 16,
	DP_PAYLOAD_MAX = DP_MSG_MAX - DP_HEADER_LEN,
	DP_ERROR_TEXT_MAX = 240, /* bytes of text of a refusal */
};

enum dp_flag {
	DP_FLAG_REPLY = 1 << 0,
	DP_FLAG_DONE = 1 << 1,
	DP_FLAG_EVENT = 1 << 2,
};

struct dp_header {
	uint16_t type; /* enum dp_msg_type */
	uint16_t flags;
	uint32_t request_id; /* the client's choice */
	int32_t status;
	uint32_t payload_len;
};
static_assert(sizeof(struct dp_header) == DP_HEADER_LEN);

enum dp_msg_type {
	DP_MSG_HELLO = 1, /* dp_hello -> dp_hello */
	DP_MSG_INSTANCE_SET, /* dp_instance_set */
	DP_MSG_INSTANCE_DEL, /* dp_instance_del */
	DP_MSG_INSTANCE_LIST, /* -> dp_instance */
	DP_MSG_PEER_SET, /* dp_peer_set */
	DP_MSG_PEER_DEL, /* dp_peer_del */
	DP_MSG_PEER_LIST, /* dp_peer_list -> dp_peer */
	DP_MSG_PEER_STATS_LIST, /* dp_peer_list -> dp_peer_stats */
	DP_MSG_ROUTE_SET, /* dp_route_set */
	DP_MSG_ROUTE_DEL, /* dp_route_del */
	DP_MSG_ROUTE_LIST, /* dp_route_list -> dp_route_set */
	DP_MSG_PORT_LIST, /* -> dp_port */
	DP_MSG_TAP_SET, /* dp_tap_set + file */
	DP_MSG_TUN_SET, /* dp_tun_set + file */
	DP_MSG_ADDRESS_SET, /* dp_address_set */
	DP_MSG_NEIGHBOUR_SET, /* dp_neighbour_set */
	DP_MSG_UNDERLAY_ROUTE_SET, /* dp_underlay_route_set */
	DP_MSG_SYNC_BEGIN, /* dp_sync_begin */
	DP_MSG_SYNC_END, /* dp_sync_end */
	DP_MSG_GENERATION_SET, /* dp_generation_set */
	DP_MSG_SYNC_STATE, /* -> dp_sync_state */
	DP_MSG_COUNTER_LIST, /* -> dp_counter */
	DP_MSG_EVENT_SUBSCRIBE, /* then a stream of EVENT */
	DP_MSG_EVENT, /* dp_event, only from the dataplane */
	DP_MSG_PEER_RESET, /* dp_peer_reset */
	DP_MSG_UAPI_SET, /* dp_uapi_set + file */
	DP_MSG_CAPTURE_SET, /* dp_capture_set + file */
	DP_MSG_LISTENER_SET, /* dp_listener_set */
	DP_MSG_LISTENER_DEL, /* dp_listener_del */
	DP_MSG_LISTENER_LIST, /* -> dp_listener */
	DP_MSG_PUSH_SET, /* dp_push_set */
	DP_MSG_LISTENER_SOCKET_SET, /* dp_listener_socket_set + file */
	DP_MSG_MANAGEMENT_SET, /* dp_management_set + file */
	DP_MSG__COUNT,
};

/*
 * Checks a payload of which the length is already right. 0, or -EINVAL with *ret_reason (static
 * text, names the field; untouched on success).
 */
typedef int (*dp_check_fn)(const uint8_t *payload, size_t len, const char **ret_reason);

/* One direction of one message; check may be NULL when max is 0. */
struct dp_msg_body {
	uint16_t min;
	uint16_t max;
	dp_check_fn check;
};

/* One row of the message table. */
struct dp_msg_rule {
	const char *name; /* "peer_set" */
	struct dp_msg_body request;
	struct dp_msg_body reply; /* of a list: each object */
	bool is_list;
	bool takes_file; /* the request comes with exactly one file, all others with none */
	bool is_event; /* never a request */
};

/* NULL for an unknown type. */
const struct dp_msg_rule *dp_msg_rule_find(uint16_t type);

void dp_header_encode(const struct dp_header *header, uint8_t ret[DP_HEADER_LEN]);
/* 0, or -EBADMSG: shorter than a header, or payload_len is not what follows it. */
int dp_header_decode(const uint8_t *datagram, size_t len, struct dp_header *ret);

/*
 * Everything that can be said about a message without knowing any state. -EBADMSG for a wrong
 * frame, -EOPNOTSUPP for an unknown type, -EINVAL for a wrong content.
 */
int dp_request_check(const struct dp_header *header, const uint8_t *payload, unsigned int files,
	const char **ret_reason);
/* The same for what a client receives: replies and events. */
int dp_reply_check(const struct dp_header *header, const uint8_t *payload, const char **ret_reason);

#endif
