// SPDX-License-Identifier: Apache-2.0
/*
 * From a datagram to a handler and back. The table says who serves a message and in which scope it
 * writes; lengths, pads, enums and files were checked by the codec's table before a handler is
 * called. A frame that makes no sense ends the connection, a content that makes none is refused.
 */
#include "dataplane/server/request.h"

#include "dataplane/api/hello.h"
#include "dataplane/base/log.h"
#include "dataplane/server/connection.h"
#include "dataplane/server/state.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct service {
	serve_fn serve;
	uint8_t scope; /* enum dp_sync_scope that it writes in; 0: it does not write */
};

static const struct service services[DP_MSG__COUNT] = {
	[DP_MSG_HELLO] = {serve_hello, 0},
	[DP_MSG_INSTANCE_SET] = {serve_instance_set, DP_SYNC_DESIRED},
	[DP_MSG_INSTANCE_DEL] = {serve_instance_del, DP_SYNC_DESIRED},
	[DP_MSG_INSTANCE_LIST] = {serve_instance_list, 0},
	[DP_MSG_PEER_SET] = {serve_peer_set, DP_SYNC_DESIRED},
	[DP_MSG_PEER_DEL] = {serve_peer_del, DP_SYNC_DESIRED},
	[DP_MSG_PEER_RESET] = {serve_peer_reset, DP_SYNC_DESIRED},
	[DP_MSG_PEER_LIST] = {serve_peer_list, 0},
	[DP_MSG_PEER_STATS_LIST] = {serve_peer_stats_list, 0},
	[DP_MSG_ROUTE_SET] = {serve_route_set, DP_SYNC_DESIRED},
	[DP_MSG_ROUTE_DEL] = {serve_route_del, DP_SYNC_DESIRED},
	[DP_MSG_ROUTE_LIST] = {serve_route_list, 0},
	[DP_MSG_PORT_LIST] = {serve_port_list, 0},
	[DP_MSG_TAP_SET] = {serve_tap_set, 0},
	[DP_MSG_TUN_SET] = {serve_tun_set, 0},
	[DP_MSG_CAPTURE_SET] = {serve_capture_set, 0},
	[DP_MSG_LISTENER_SET] = {serve_listener_set, DP_SYNC_DESIRED},
	[DP_MSG_LISTENER_DEL] = {serve_listener_del, DP_SYNC_DESIRED},
	[DP_MSG_LISTENER_LIST] = {serve_listener_list, 0},
	[DP_MSG_LISTENER_SOCKET_SET] = {serve_listener_socket_set, DP_SYNC_DESIRED},
	[DP_MSG_PUSH_SET] = {serve_push_set, DP_SYNC_DESIRED},
	[DP_MSG_ADDRESS_SET] = {serve_address_set, DP_SYNC_UNDERLAY},
	[DP_MSG_NEIGHBOUR_SET] = {serve_neighbour_set, DP_SYNC_UNDERLAY},
	[DP_MSG_UNDERLAY_ROUTE_SET] = {serve_underlay_route_set, DP_SYNC_UNDERLAY},
	[DP_MSG_SYNC_BEGIN] = {serve_sync_begin, 0},
	[DP_MSG_SYNC_END] = {serve_sync_end, 0},
	[DP_MSG_GENERATION_SET] = {serve_generation_set, DP_SYNC_DESIRED},
	[DP_MSG_SYNC_STATE] = {serve_sync_state, 0},
	[DP_MSG_COUNTER_LIST] = {serve_counter_list, 0},
	[DP_MSG_EVENT_SUBSCRIBE] = {serve_event_subscribe, 0},
	[DP_MSG_UAPI_SET] = {serve_uapi_set, 0},
	[DP_MSG_MANAGEMENT_SET] = {serve_management_set, 0},
};

int request_refuse(struct request *q, int error, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	(void)vsnprintf(q->text, sizeof(q->text), format, args);
	va_end(args);
	return error;
}

int request_refuse_unknown(struct request *q, const char *noun, const struct uuid *id)
{
	char text[UUID_TEXT];
	return request_refuse(q, -ENOENT, "%s %s: does not exist", noun, uuid_format(id, text));
}

static int put_reply(struct request *q, uint16_t flags, int status, const void *payload, size_t len)
{
	struct dp_header h = {
		.type = q->header.type,
		.flags = DP_FLAG_REPLY | flags,
		.request_id = q->header.request_id,
		.status = status,
		.payload_len = (uint32_t)len,
	};
	return output_put(&q->connection->out, &h, payload);
}

int request_reply_object(struct request *q, const void *object, size_t len)
{
	return put_reply(q, 0, 0, object, len);
}

void request_answer(struct request *q, const void *payload, size_t len)
{
	memcpy(q->answer, payload, len);
	q->answer_len = len;
}

/* The last reply. Without room for it the client would wait for ever: then it is closed. */
static void finish(struct request *q, int status)
{
	int err;
	if (status == 0) {
		err = put_reply(q, DP_FLAG_DONE, 0, q->answer, q->answer_len);
	} else {
		if (q->text[0] == '\0')
			(void)request_refuse(q, status, "%s", strerrordesc_np(-status));
		err = put_reply(q, DP_FLAG_DONE, status, q->text, strlen(q->text));
	}
	if (err != 0)
		q->connection->dead = true;
}

/* Answers and hangs up. */
static void break_off(struct request *q, int error, const char *reason)
{
	log_warning("api: connection closed: %s", reason);
	finish(q, request_refuse(q, error, "%s", reason));
	q->connection->closing = true;
}

static void serve(struct request *q)
{
	const struct service *service = &services[q->header.type];
	int err = 0;
	if (service->scope != 0)
		err = sync_check_writer(q, service->scope);
	if (err == 0)
		err = service->serve(q);
	finish(q, err);
}

static void refuse_content(struct request *q, int error, const char *reason)
{
	const struct dp_msg_rule *rule = dp_msg_rule_find(q->header.type);
	sync_damage(&q->server->sync, q->connection);
	if (!q->connection->complained)
		log_warning(
			"api: malformed request: %s: %s", rule != NULL ? rule->name : "?", reason);
	q->connection->complained = true;
	finish(q, request_refuse(q, error, "%s", reason));
}

void request_dispatch(
	struct connection *c, const uint8_t *datagram, size_t len, int file, unsigned int files)
{
	struct request q = {.server = c->server, .connection = c, .file = file};
	const char *reason = "";
	if (dp_header_decode(datagram, len, &q.header) != 0) {
		break_off(&q, -EBADMSG, "a datagram's length is not its payload's");
	} else {
		q.payload = datagram + DP_HEADER_LEN;
		int err = dp_request_check(&q.header, q.payload, files, &reason);
		if (err == -EBADMSG)
			break_off(&q, err, reason);
		else if (!c->greeted && q.header.type != DP_MSG_HELLO)
			break_off(&q, -EPROTO, "the first request is not hello");
		else if (c->subscribed)
			break_off(&q, -EPROTO, "request on a subscribed connection");
		else if (err != 0)
			refuse_content(&q, err, reason);
		else
			serve(&q);
	}
	if (q.file >= 0)
		(void)close(q.file);
}

int serve_hello(struct request *q)
{
	struct dp_hello m;
	memcpy(&m, q->payload, sizeof(m));
	if (m.version != DP_API_VERSION) {
		q->connection->closing = true;
		return request_refuse(q, -EPROTONOSUPPORT, "version %u, this is %u", m.version,
			(unsigned int)DP_API_VERSION);
	}
	q->connection->greeted = true;
	m.pid = (uint32_t)getpid();
	m.boot_id = q->server->boot_id;
	request_answer(q, &m, sizeof(m));
	return 0;
}
