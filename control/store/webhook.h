/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_STORE_WEBHOOK_H
#define CONTROL_STORE_WEBHOOK_H

#include "control/model/error.h"
#include "control/model/name.h"
#include "control/store/event.h"
#include "control/store/store.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum {
	WEBHOOK_URL_TEXT = 1025,
	WEBHOOK_SECRET_TEXT = 8 + 43 + 1, /* "nave_wh_", 256 bits, NUL */
	WEBHOOK_FAILURE_TEXT = 160,
	WEBHOOK_TYPES_MAX = 32,
	WEBHOOKS_MAX = 50,
	DELIVERIES_WAIT_MAX = 1000, /* of one webhook; more wait as events */
	DELIVERIES_DEAD_MAX = 1000, /* of one webhook: the newest stay, for 30 days */
	DELIVERIES_AT_ONCE = 2, /* to one webhook */
};

struct webhook {
	struct uuid id;
	char name[NAME_TEXT];
	char url[WEBHOOK_URL_TEXT];
	json_t *types; /* owned array of texts; empty: all */
	bool is_enabled;
	json_t *labels; /* owned object */
	int64_t delivered_at, failed_at; /* 0: never */
	char failure[WEBHOOK_FAILURE_TEXT];
	int64_t pending, dead; /* deliveries */
	int64_t created_at;
	uint64_t version;
};

struct webhook_filter {
	const char *name; /* NULL: any; so below */
	const char *label_key, *label_value;
	struct uuid after;
};

void webhook_fini(struct webhook *w);
int webhook_find(struct store *store, const struct uuid *id, struct webhook *ret);
int webhook_list(struct store *store, const struct webhook_filter *filter,
	int (*row)(void *ctx, const struct webhook *w), void *ctx);
/* Checks all but the URL, and writes. 0, -EINVAL with errors, or another -errno. The secret is told once. */
int webhook_add(struct store *store, struct webhook *w, char ret_secret[WEBHOOK_SECRET_TEXT],
	struct model_errors *errors);
/* One that is switched on again begins with what happens from then on. */
int webhook_set(struct store *store, struct webhook *w, struct model_errors *errors);
int webhook_del(struct store *store, const struct webhook *w);

/* One event on its way to one webhook. */
struct delivery {
	int64_t seq;
	struct uuid id;
	struct uuid webhook_id;
	int64_t event_seq;
	char type[EVENT_TYPE_TEXT];
	bool is_dead;
	int64_t attempts;
	int64_t next_at;
	char failure[WEBHOOK_FAILURE_TEXT];
	int64_t created_at;
};

/* The oldest first, behind a seq. dead: -1 all, else only those that are, or are not. */
int delivery_list(struct store *store, const struct uuid *webhook_id, int dead, int64_t after,
	int (*row)(void *ctx, const struct delivery *d), void *ctx);
int delivery_find(struct store *store, const struct uuid *webhook_id, const struct uuid *id,
	struct delivery *ret);
/* Tried again from the beginning, at once. */
int delivery_again(struct store *store, const struct webhook *w, struct delivery *d);

/* What the sender does with them. */

/* What is about to be sent; to be given to parcel_fini. */
struct parcel {
	int64_t seq;
	struct uuid id;
	char url[WEBHOOK_URL_TEXT];
	char secret[WEBHOOK_SECRET_TEXT];
	char type[EVENT_TYPE_TEXT];
	char *body; /* owned */
};

void parcel_fini(struct parcel *p);
/* Is there an event that nobody has made deliveries of, or one that is due? 1, 0 or -errno. */
int deliveries_are_due(struct store *store);
/* Deliveries of the next events, each with the text that make gives of it (malloc, or NULL). */
int deliveries_make(struct store *store, char *(*make)(const struct event *e));
/* The next that is due, from now on on its way. -ENOENT: there is none. */
int delivery_claim(struct store *store, struct parcel *ret);
/* failure NULL: it was taken. Else it is tried again after retry_s, or, 0, given up. */
int delivery_end(struct store *store, int64_t seq, const char *failure, int64_t retry_s);
int delivery_attempts(struct store *store, int64_t seq, int64_t *ret);
/* At the start: what was on its way when the daemon ended is due again. */
int deliveries_recall(struct store *store);
int deliveries_prune(struct store *store);

#endif
