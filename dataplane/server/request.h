/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_SERVER_REQUEST_H
#define DATAPLANE_SERVER_REQUEST_H

#include "dataplane/api/msg.h"
#include "dataplane/base/uuid.h"

#include <stddef.h>
#include <stdint.h>

struct connection;
struct server;

/* A checked request on its way through its handler. */
struct request {
	struct server *server;
	struct connection *connection;
	struct dp_header header;
	const uint8_t *payload; /* header.payload_len bytes, any alignment */
	int file; /* what came with it, or -1; a handler that takes it over sets -1 */
	char text[DP_ERROR_TEXT_MAX + 1]; /* of a refusal */
	uint8_t answer[64]; /* payload of the one reply */
	size_t answer_len;
};

/* The handlers: 0 or -errno, with a text from request_refuse where errno does not say it all. */
typedef int (*serve_fn)(struct request *q);

int serve_hello(struct request *q);
int serve_instance_set(struct request *q);
int serve_instance_del(struct request *q);
int serve_instance_list(struct request *q);
int serve_peer_set(struct request *q);
int serve_peer_del(struct request *q);
int serve_peer_reset(struct request *q);
int serve_peer_list(struct request *q);
int serve_peer_stats_list(struct request *q);
int serve_route_set(struct request *q);
int serve_route_del(struct request *q);
int serve_route_list(struct request *q);
int serve_port_list(struct request *q);
int serve_tap_set(struct request *q);
int serve_tun_set(struct request *q);
int serve_capture_set(struct request *q);
int serve_listener_set(struct request *q);
int serve_listener_del(struct request *q);
int serve_listener_list(struct request *q);
int serve_listener_socket_set(struct request *q);
int serve_push_set(struct request *q);
int serve_address_set(struct request *q);
int serve_neighbour_set(struct request *q);
int serve_underlay_route_set(struct request *q);
int serve_sync_begin(struct request *q);
int serve_sync_end(struct request *q);
int serve_generation_set(struct request *q);
int serve_sync_state(struct request *q);
int serve_counter_list(struct request *q);
int serve_event_subscribe(struct request *q);
int serve_uapi_set(struct request *q);
int serve_management_set(struct request *q);

/* Checks one datagram, lets its handler work and queues the reply. Owns file, which may be -1;
 * files counts all that came. */
void request_dispatch(
	struct connection *c, const uint8_t *datagram, size_t len, int file, unsigned int files);

/* Notes the text of a refusal; returns error. */
__attribute__((format(printf, 3, 4))) int request_refuse(
	struct request *q, int error, const char *format, ...);
/* -ENOENT with the text "<noun> <id>: does not exist". */
int request_refuse_unknown(struct request *q, const char *noun, const struct uuid *id);
/* Queues an object of a list. 0 or -errno: then the list ends there. */
int request_reply_object(struct request *q, const void *object, size_t len);
/* The payload of the one reply. */
void request_answer(struct request *q, const void *payload, size_t len);

#endif
