/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_API_CLIENT_H
#define DATAPLANE_API_CLIENT_H

#include "dataplane/api/event.h"
#include "dataplane/api/msg.h"
#include "dataplane/base/uuid.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A connection to the dataplane, used by one thread. Functions return 0 or -errno: either the
 * status of the dataplane's reply, or a failure of the connection (timeout, close, a reply that
 * makes no sense), after which the client is broken and every call fails: free it and open another.
 */
struct dp_client;

enum {
	DP_CLIENT_TIMEOUT_MS = 5000, /* for each wait */
	DP_CLIENT_WINDOW = 64, /* requests sent whose reply was not received */
};

/* payload is the client's own and valid until its next call. */
struct dp_reply {
	uint32_t request_id;
	uint16_t type;
	int status; /* 0 or -errno */
	bool done; /* false: an object of a list, more replies follow */
	const uint8_t *payload;
	size_t len;
};

/* Called for each object; payload is valid during the call. Anything but 0 is what list returns. */
typedef int (*dp_list_fn)(void *ctx, const uint8_t *payload, size_t len);

/* Connects and says HELLO. -EPROTONOSUPPORT: the dataplane is of another version. */
int dp_client_open(const char *path, struct dp_client **ret_client);
/* The same over a connected SEQPACKET socket. fd belongs to the client, also on failure. */
int dp_client_open_fd(int fd, struct dp_client **ret_client);
/* Accepts NULL. */
void dp_client_free(struct dp_client *client);

/* Of the run of the dataplane that this connection leads to. */
const struct uuid *dp_client_boot_id(const struct dp_client *client);
uint32_t dp_client_pid(const struct dp_client *client);
bool dp_client_is_broken(const struct dp_client *client);
/* What went wrong last, "peer_set: public_key is zero"; "" before anything did. Never NULL. */
const char *dp_client_error(const struct dp_client *client);
/* For poll(2). Readable after a subscribe: call dp_client_event; else: the connection is gone. */
int dp_client_fd(const struct dp_client *client);

/*
 * One request and its reply. fd: a file to go with it, or -1; it stays the caller's. ret_reply may
 * be NULL. -EBUSY while requests are in flight.
 */
int dp_client_call(struct dp_client *client, enum dp_msg_type type, const void *payload, size_t len,
	int fd, struct dp_reply *ret_reply);
/* One list; on failure some objects may have been seen. -EBUSY while requests are in flight. */
int dp_client_list(struct dp_client *client, enum dp_msg_type type, const void *payload, size_t len,
	dp_list_fn object, void *ctx);

/*
 * Pipelining: up to DP_CLIENT_WINDOW sends, then receives in the same order. send checks the
 * payload first (-EINVAL: nothing was sent); -EAGAIN: the window is full. receive returns 0 when
 * there is a reply, whatever its status (the text of a refusal is dp_client_error); -ENODATA: none
 * is in flight.
 */
int dp_client_send(struct dp_client *client, enum dp_msg_type type, const void *payload, size_t len,
	int fd, uint32_t *ret_request_id);
int dp_client_receive(struct dp_client *client, struct dp_reply *ret_reply);
unsigned int dp_client_in_flight(const struct dp_client *client);

/*
 * From then on the connection carries events and takes no requests. dp_client_event never waits:
 * 0 with an event, -EAGAIN when there is none, else the connection broke.
 */
int dp_client_subscribe(struct dp_client *client);
int dp_client_event(struct dp_client *client, struct dp_event *ret_event);

#endif
