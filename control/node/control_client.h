/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_NODE_CONTROL_CLIENT_H
#define CONTROL_NODE_CONTROL_CLIENT_H

#include "control/node/config.h"
#include "dataplane/base/uuid.h"

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The node API of the control daemon: enrols, keeps one long poll for the desired state open, and
 * posts reports one at a time. After a failure it waits 0.1 s, then twice as long up to 5 s. Never
 * blocks but in control_client_wait. Main thread.
 */
struct control_client;

struct control_events {
	/* An answer of GET desired; text is lent. false: it makes no sense, ask for everything. */
	bool (*desired)(void *ctx, const char *json, size_t len);
	/* What the hub has, for the next question. A zero epoch asks for everything. */
	void (*position)(void *ctx, struct uuid *ret_epoch, uint64_t *ret_generation);
	/* A report has been taken, or was lost. */
	void (*reported)(void *ctx, bool taken);
	/* A capture has been taken or is not wanted (true), or was lost. */
	void (*captured)(void *ctx, const struct uuid *id, bool done);
	void *ctx;
};

/* config is borrowed, events are copied. 0 or -ENOMEM. */
int control_client_new(const struct node_config *config, const struct control_events *events,
	struct control_client **ret);
void control_client_free(struct control_client *c);
/* Waits for its own sockets and for those of others, at most until timeout_ms; then goes on with
 * what came. */
void control_client_wait(
	struct control_client *c, struct pollfd *others, unsigned int count, int timeout_ms);
/* Takes json over (malloc). -EAGAIN: one is on its way, or we are not enrolled: json stays the
 * caller's. */
int control_client_report(struct control_client *c, char *json);
/* The same for a capture. */
int control_client_capture(struct control_client *c, const struct uuid *id, char *json);
bool control_client_can_capture(const struct control_client *c);
bool control_client_can_report(const struct control_client *c);

#endif
