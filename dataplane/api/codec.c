// SPDX-License-Identifier: Apache-2.0
/*
 * The message table and what can be said of a message by looking at it alone. Both ends use it:
 * the server checks requests, the client checks its own requests before it sends them and then
 * replies and events. Nothing behind these two functions sees a length, a pad or an enum that is
 * out of range. The order of a reply's or request's checks is frame, type, flags, size, content.
 */
#include "dataplane/api/address.h"
#include "dataplane/api/capture.h"
#include "dataplane/api/check.h"
#include "dataplane/api/counter.h"
#include "dataplane/api/event.h"
#include "dataplane/api/hello.h"
#include "dataplane/api/instance.h"
#include "dataplane/api/listener.h"
#include "dataplane/api/management.h"
#include "dataplane/api/msg.h"
#include "dataplane/api/neighbour.h"
#include "dataplane/api/peer.h"
#include "dataplane/api/port.h"
#include "dataplane/api/push.h"
#include "dataplane/api/route.h"
#include "dataplane/api/sync.h"
#include "dataplane/api/uapi.h"
#include "dataplane/api/underlay_route.h"

#include <errno.h>
#include <string.h>

/* A body of one size: the struct and its check. */
#define BODY(noun)                                                                    \
	{                                                                             \
		sizeof(struct dp_##noun), sizeof(struct dp_##noun), dp_##noun##_check \
	}
/* From the fixed part to the whole struct, whose last member is a list. */
#define BODY_WITH(list, noun)                                                                 \
	{                                                                                     \
		offsetof(struct dp_##noun, list), sizeof(struct dp_##noun), dp_##noun##_check \
	}

static const struct dp_msg_rule rules[DP_MSG__COUNT] = {
	[DP_MSG_HELLO] = {.name = "hello",
		.request = BODY(hello),
		.reply = {sizeof(struct dp_hello), sizeof(struct dp_hello), dp_hello_reply_check}},
	[DP_MSG_INSTANCE_SET] = {.name = "instance_set", .request = BODY(instance_set)},
	[DP_MSG_INSTANCE_DEL] = {.name = "instance_del", .request = BODY(instance_del)},
	[DP_MSG_INSTANCE_LIST] = {.name = "instance_list",
		.reply = BODY(instance),
		.is_list = true},
	[DP_MSG_PEER_SET] = {.name = "peer_set", .request = BODY_WITH(allowed, peer_set)},
	[DP_MSG_PEER_DEL] = {.name = "peer_del", .request = BODY(peer_del)},
	[DP_MSG_PEER_RESET] = {.name = "peer_reset", .request = BODY(peer_reset)},
	[DP_MSG_PEER_LIST] = {.name = "peer_list",
		.request = BODY(peer_list),
		.reply = BODY_WITH(allowed, peer),
		.is_list = true},
	[DP_MSG_PEER_STATS_LIST] = {.name = "peer_stats_list",
		.request = BODY(peer_list),
		.reply = BODY(peer_stats),
		.is_list = true},
	[DP_MSG_ROUTE_SET] = {.name = "route_set", .request = BODY(route_set)},
	[DP_MSG_ROUTE_DEL] = {.name = "route_del", .request = BODY(route_del)},
	[DP_MSG_ROUTE_LIST] = {.name = "route_list",
		.request = BODY(route_list),
		.reply = BODY(route_set),
		.is_list = true},
	[DP_MSG_PORT_LIST] = {.name = "port_list", .reply = BODY(port), .is_list = true},
	[DP_MSG_TAP_SET] = {.name = "tap_set", .request = BODY(tap_set), .takes_file = true},
	[DP_MSG_TUN_SET] = {.name = "tun_set", .request = BODY(tun_set), .takes_file = true},
	[DP_MSG_CAPTURE_SET] = {.name = "capture_set",
		.request = BODY(capture_set),
		.takes_file = true},
	[DP_MSG_LISTENER_SET] = {.name = "listener_set", .request = BODY_WITH(pem, listener_set)},
	[DP_MSG_LISTENER_DEL] = {.name = "listener_del", .request = BODY(listener_del)},
	[DP_MSG_LISTENER_LIST] = {.name = "listener_list",
		.reply = BODY(listener),
		.is_list = true},
	[DP_MSG_LISTENER_SOCKET_SET] = {.name = "listener_socket_set",
		.request = BODY(listener_socket_set),
		.takes_file = true},
	[DP_MSG_PUSH_SET] = {.name = "push_set", .request = BODY_WITH(route, push_set)},
	[DP_MSG_ADDRESS_SET] = {.name = "address_set", .request = BODY(address_set)},
	[DP_MSG_NEIGHBOUR_SET] = {.name = "neighbour_set", .request = BODY(neighbour_set)},
	[DP_MSG_UNDERLAY_ROUTE_SET] = {.name = "underlay_route_set",
		.request = BODY(underlay_route_set)},
	[DP_MSG_SYNC_BEGIN] = {.name = "sync_begin", .request = BODY(sync_begin)},
	[DP_MSG_SYNC_END] = {.name = "sync_end", .request = BODY(sync_end)},
	[DP_MSG_GENERATION_SET] = {.name = "generation_set", .request = BODY(generation_set)},
	[DP_MSG_SYNC_STATE] = {.name = "sync_state", .reply = BODY(sync_state)},
	[DP_MSG_COUNTER_LIST] = {.name = "counter_list", .reply = BODY(counter), .is_list = true},
	[DP_MSG_EVENT_SUBSCRIBE] = {.name = "event_subscribe"},
	[DP_MSG_EVENT] = {.name = "event", .reply = BODY(event), .is_event = true},
	[DP_MSG_UAPI_SET] = {.name = "uapi_set", .request = BODY(uapi_set), .takes_file = true},
	[DP_MSG_MANAGEMENT_SET] = {.name = "management_set",
		.request = BODY(management_set),
		.takes_file = true},
};

const struct dp_msg_rule *dp_msg_rule_find(uint16_t type)
{
	if (type >= DP_MSG__COUNT || rules[type].name == NULL)
		return NULL;
	return &rules[type];
}

void dp_header_encode(const struct dp_header *header, uint8_t ret[DP_HEADER_LEN])
{
	memcpy(ret, header, DP_HEADER_LEN);
}

int dp_header_decode(const uint8_t *datagram, size_t len, struct dp_header *ret)
{
	struct dp_header h;

	if (len < DP_HEADER_LEN || len > DP_MSG_MAX)
		return -EBADMSG;
	memcpy(&h, datagram, DP_HEADER_LEN);
	if (h.payload_len != len - DP_HEADER_LEN)
		return -EBADMSG;
	*ret = h;
	return 0;
}

static int check_body(
	const struct dp_msg_body *body, const uint8_t *payload, size_t len, const char **ret_reason)
{
	if (len < body->min || len > body->max)
		return check_refuse(ret_reason, "wrong length");
	return body->check != NULL ? body->check(payload, len, ret_reason) : 0;
}

int dp_request_check(const struct dp_header *header, const uint8_t *payload, unsigned int files,
	const char **ret_reason)
{
	const struct dp_msg_rule *rule = dp_msg_rule_find(header->type);

	if (rule == NULL || rule->is_event) {
		*ret_reason = "unknown type";
		return -EOPNOTSUPP;
	}
	if (header->flags != 0 || header->status != 0) {
		*ret_reason = "flags or status in a request";
		return -EBADMSG;
	}
	if (files != (rule->takes_file ? 1 : 0))
		return check_refuse(ret_reason, "wrong number of files");
	return check_body(&rule->request, payload, header->payload_len, ret_reason);
}

/* Text of a refusal: short, and nothing that a terminal would obey. */
static bool is_text(const uint8_t *payload, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (payload[i] < 0x20 || payload[i] > 0x7e)
			return false;
	}
	return len <= DP_ERROR_TEXT_MAX;
}

static bool flags_are_right(const struct dp_msg_rule *rule, const struct dp_header *h)
{
	bool done = (h->flags & DP_FLAG_DONE) != 0;

	if (rule->is_event)
		return h->flags == DP_FLAG_EVENT && h->request_id == 0 && h->status == 0;
	if ((h->flags & ~DP_FLAG_DONE) != DP_FLAG_REPLY || h->status > 0)
		return false;
	return done || (rule->is_list && h->status == 0);
}

int dp_reply_check(const struct dp_header *header, const uint8_t *payload, const char **ret_reason)
{
	const struct dp_msg_rule *rule = dp_msg_rule_find(header->type);
	bool done = (header->flags & DP_FLAG_DONE) != 0;

	if (rule == NULL) {
		*ret_reason = "unknown type";
		return -EOPNOTSUPP;
	}
	if (!flags_are_right(rule, header)) {
		*ret_reason = "wrong flags or status";
		return -EBADMSG;
	}
	if (header->status < 0) {
		if (!is_text(payload, header->payload_len))
			return check_refuse(ret_reason, "refusal with a bad text");
		return 0;
	}
	if (rule->is_list && done) {
		if (header->payload_len != 0)
			return check_refuse(ret_reason, "end of list with a payload");
		return 0;
	}
	return check_body(&rule->reply, payload, header->payload_len, ret_reason);
}
