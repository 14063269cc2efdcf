/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_STORE_CAPTURE_H
#define CONTROL_STORE_CAPTURE_H

#include "control/model/capture.h"
#include "control/model/peer.h"
#include "control/store/store.h"

#include <stddef.h>

/*
 * Checks and writes; c gets its id and time, and p's hub hears of it. 0, -EINVAL with errors (also:
 * the peer has CAPTURES_OF_PEER_MAX), or another -errno.
 */
int capture_add(
	struct store *store, const struct peer *p, struct capture *c, struct model_errors *errors);
int capture_find(struct store *store, const struct uuid *peer_id, const struct uuid *id,
	struct capture *ret);
/*
 * The oldest first. c is lent to row for the call; row returns 0 to go on, 1 for enough, or -errno,
 * which the list returns.
 */
int capture_list(struct store *store, const struct uuid *peer_id, const struct uuid *after,
	int (*row)(void *ctx, const struct capture *c), void *ctx);
/* The file of one that is done, to be freed. -ENOENT. */
int capture_file(struct store *store, const struct capture *c, void **ret);
int capture_del(struct store *store, const struct capture *c);

/* What a hub sends. -ENOENT: it is not waited for, or not by this hub. */
int capture_end(struct store *store, const struct uuid *hub_id, const struct uuid *id,
	const void *file, size_t len, const char *reason);
/* Those that no hub has sent in time fail. How many, or -errno. */
int captures_expire(struct store *store);

#endif
