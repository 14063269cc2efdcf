/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_STORE_SHARE_LINK_H
#define CONTROL_STORE_SHARE_LINK_H

#include "control/model/peer.h"
#include "control/model/share_link.h"
#include "control/store/store.h"

/*
 * Checks and writes; l gets its id and version, and ret_token is there this once. pointer is the
 * member by which people gave expires_at. 0, -EINVAL with errors (also: the peer has
 * SHARE_LINKS_OF_PEER_MAX), or another -errno. The caller wipes the token.
 */
int share_link_add(struct store *store, const struct peer *p, struct share_link *l,
	const char *pointer, char ret_token[SHARE_LINK_TOKEN_TEXT], struct model_errors *errors);
int share_link_find(struct store *store, const struct uuid *peer_id, const struct uuid *id,
	struct share_link *ret);
/*
 * In the order of ids. l is lent to row for the call; row returns 0 to go on, 1 for enough, or
 * -errno, which the list returns.
 */
int share_link_list(struct store *store, const struct uuid *peer_id, const struct uuid *after,
	int (*row)(void *ctx, const struct share_link *l), void *ctx);
/* Revokes it. */
int share_link_del(struct store *store, const struct peer *p, const struct share_link *l);

/*
 * What may be shown to whoever has this token: a link that is active, or one that this visitor has
 * revealed less than REVEAL_S ago. visitor is "" for a browser that has none. -ENOENT for all else,
 * whatever the reason.
 */
int share_link_find_token(
	struct store *store, const char *token, const char *visitor, struct share_link *ret);
/* Somebody looks at it: noted the first time. */
int share_link_open(struct store *store, const struct peer *p, struct share_link *l);
/* Its one reveal. ret_visitor is what the browser shows from then on; the caller wipes it.
 * -ENOENT: another one was faster. */
int share_link_reveal(struct store *store, const struct peer *p, struct share_link *l,
	char ret_visitor[SHARE_LINK_TOKEN_TEXT]);
/* Secrets whose last link has expired unused are gone for good. How many links have ended, or -errno. */
int share_links_forget_secrets(struct store *store);

#endif
