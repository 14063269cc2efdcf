/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_NODE_PIPELINE_H
#define CONTROL_NODE_PIPELINE_H

#include "dataplane/api/client.h"

/*
 * Many requests in flight on one connection to the dataplane. A refusal stops nothing: it is told
 * to the owner, who goes on. What does stop it is a connection that broke.
 */
struct pipeline {
	struct dp_client *dp; /* borrowed */
	unsigned int sent, answered; /* requests */
	/* Called for each refusal with the number of the request, counted from 0; NULL: nobody. */
	void (*refused)(void *ctx, unsigned int number, int status, const char *why);
	void *ctx;
};

/* Sends; waits for older answers when too many are open. 0 or what broke the connection. */
int pipeline_send(struct pipeline *p, enum dp_msg_type type, const void *payload, size_t len);
/* Waits for all answers. 0 or what broke the connection. */
int pipeline_finish(struct pipeline *p);

#endif
