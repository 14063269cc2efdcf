/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_STORE_INSTANCE_H
#define CONTROL_STORE_INSTANCE_H

#include "control/model/error.h"
#include "control/model/instance.h"
#include "control/store/store.h"

#include <stdbool.h>
#include <stdint.h>

struct instance_filter {
	const char *name; /* NULL: any; so below */
	const char *hostname;
	const char *label_key;
	const char *label_value;
	const struct uuid *id; /* only this one */
	struct uuid after; /* ids above this */
};

int instance_find(struct store *store, const struct uuid *id, struct instance *ret);
/*
 * i is lent to row for the call; row returns 0 to go on,
 * 1 for enough, or -errno, which the list returns. In the order of ids.
 */
int instance_list(struct store *store, const struct instance_filter *filter,
	int (*row)(void *ctx, const struct instance *i), void *ctx);
/*
 * Checks everything, then writes. 0, -EINVAL with errors, or another -errno. add makes id, number
 * and, where they were not given, networks out of pool.
 */
int instance_add(struct store *store, struct instance *i, const struct ip_prefix *pool,
	struct model_errors *errors);
/* Writes what people may change; i gets its new version. */
int instance_set(struct store *store, struct instance *i, struct model_errors *errors);
/*
 * One that is on no hub is gone at once; another is INSTANCE_DELETING, without peers, until its
 * hub has confirmed and instance_remove is called.
 */
int instance_del(struct store *store, struct instance *i);
int instance_remove(struct store *store, const struct instance *i);
/* Begins again after a failure. */
int instance_retry(struct store *store, struct instance *i);
/*
 * To another hub, with its keys, ports, addresses and peers; the old one is told that all of it is gone.
 * -EEXIST: one of its ports is taken there.
 */
struct hub;
int instance_move(struct store *store, struct instance *i, const struct hub *to);
/* NULL when the name is free, else why it is not; -errno in ret_error when the store fails. */
const char *hostname_taken(struct store *store, const char *hostname, int *ret_error);

/* Provisioning: each is one step in the caller's transaction; step.c sets its condition. */
/* Hub and port. -EAGAIN: the region has no hub; -ENOSPC: no free port. */
int instance_allocate(struct store *store, struct instance *i, uint16_t first, uint16_t last);
int instance_make_keys(struct store *store, struct instance *i);
/* Writes state and conditions; the version moves, since people see them. */
int instance_set_state(struct store *store, struct instance *i);
int instance_private_key(struct store *store, const struct uuid *id, struct key *ret);
/* The condition is true when the reason is "Done". */
void instance_set_condition(struct instance *i, enum instance_condition condition,
	const char *reason, const char *message, int64_t now);

#endif
