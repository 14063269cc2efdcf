/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_STORE_EVENT_H
#define CONTROL_STORE_EVENT_H

#include "control/model/name.h"
#include "control/store/store.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum {
	EVENT_TYPE_TEXT = 48,
	EVENT_KIND_TEXT = 16,
	EVENTS_KEPT_S = 30 * 24 * 3600,
	EVENTS_MAX = 200000, /* the newest stay */
};

struct event {
	int64_t seq;
	int64_t at;
	struct uuid instance_id; /* zero: it is of the workspace */
	char type[EVENT_TYPE_TEXT]; /* "peer.connected" */
	char object_type[EVENT_KIND_TEXT];
	struct uuid object_id;
	char object_name[NAME_TEXT];
	json_t *data; /* owned object */
};

struct event_filter {
	int64_t after; /* seqs above this */
	const struct uuid *instance_id; /* NULL: any; so below */
	const char *type; /* "peer.*" */
	bool with_owners; /* also of keys and webhooks, which only owners see */
};

/* The oldest first. e is lent to row, which returns 0 to go on, 1 for enough, or -errno. */
int event_list(struct store *store, const struct event_filter *filter,
	int (*row)(void *ctx, const struct event *e), void *ctx);
/* One that is still there: -ENOENT. To be given to event_fini. */
int event_find(struct store *store, int64_t seq, struct event *ret);
void event_fini(struct event *e);
/* ret[0]: those up to it are gone; ret[1]: the newest there has been. */
int event_range(struct store *store, int64_t ret[2]);
/* The seq behind which the newest `count` lie. */
int event_before_last(struct store *store, int64_t count, int64_t *ret);
int events_prune(struct store *store);

#endif
