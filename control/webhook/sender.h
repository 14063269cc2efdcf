/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_WEBHOOK_SENDER_H
#define CONTROL_WEBHOOK_SENDER_H

#include "control/config.h"
#include "control/store/event.h"
#include "control/store/store.h"

struct webhook_sender;

/*
 * Sends events to webhooks, on a thread of its own. Borrows config and store until the end; make
 * gives the text of an event (malloc; NULL without memory). 0 or -errno.
 */
int webhook_sender_new(const struct control_config *config, struct store *store,
	char *(*make)(const struct event *e), struct webhook_sender **ret);
/* What is on its way is cut off, and sent again by the next daemon. Takes NULL. */
void webhook_sender_free(struct webhook_sender *s);
/* There may be something to send. Any thread. */
void webhook_sender_wake(struct webhook_sender *s);

#endif
