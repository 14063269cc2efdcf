/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_STORE_PEER_H
#define CONTROL_STORE_PEER_H

#include "control/model/error.h"
#include "control/model/peer.h"
#include "control/store/store.h"

#include <stdbool.h>

struct peer_filter {
	const struct uuid *instance_id; /* NULL: of all instances */
	const char *name; /* NULL: any; so below */
	const struct uuid *user_id;
	const struct uuid *site_id;
	const char *label_key;
	const char *label_value;
	struct uuid after; /* ids above this */
};

int peer_find(struct store *store, const struct uuid *instance_id, const struct uuid *id,
	struct peer *ret);
/*
 * p is lent to row for the call; row returns 0 to go on,
 * 1 for enough, or -errno, which the list returns. In the order of ids.
 */
int peer_list(struct store *store, const struct peer_filter *filter,
	int (*row)(void *ctx, const struct peer *p), void *ctx);
/*
 * Checks everything, then writes. private_key is NULL for a peer with a key of its own. 0, -EINVAL
 * with errors, or another -errno. add makes id, number, addresses and preshared key.
 */
int peer_add(struct store *store, const struct instance *i, struct peer *p,
	const struct key *private_key, struct model_errors *errors);
/* Writes what people may change; p gets its new version. */
int peer_set(
	struct store *store, const struct instance *i, struct peer *p, struct model_errors *errors);
int peer_set_suspended(struct store *store, struct peer *p, bool is_suspended);
/* The hub forgets the greatest timestamp it has seen of the peer: its clock was wrong. */
int peer_reset_clock(struct store *store, struct peer *p);
int peer_del(struct store *store, const struct instance *i, const struct peer *p);
/* Opens the private key until `until`; writes an audit row. */
int peer_reveal(struct store *store, struct peer *p, int64_t until);
int peer_set_profile_digest(struct store *store, struct peer *p, const char *digest);
/* -ENOENT when it is not kept. The caller wipes. */
int peer_private_key(struct store *store, const struct uuid *id, struct key *ret);
int peer_preshared_key(struct store *store, const struct uuid *id, struct key *ret);

/* The hub hears of it again: a new generation, whatever the peer's state is now. */
int peer_resend(struct store *store, const struct uuid *id);
/* The hub hears of all peers of a user again, active or not; or of their end. */
int peers_resend_of_user(struct store *store, const struct uuid *user_id);
int peers_del_of_user(struct store *store, const struct uuid *user_id);
/* Peers whose time has come since the hub was told: their generation moves. Their number. */
int peers_expire(struct store *store);
/* Private keys and passwords that were revealed and whose time is over are gone for good. Their number. */
int peers_forget_keys(struct store *store);

#endif
