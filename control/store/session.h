/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_STORE_SESSION_H
#define CONTROL_STORE_SESSION_H

#include "control/model/name.h"
#include "control/model/peer.h"
#include "control/store/store.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	SESSION_REASON_TEXT = 24,
	SESSIONS_OF_PEER_MAX = 200, /* the newest stay */
	SESSIONS_KEPT_S = 90 * 24 * 3600,
	SESSION_SETTLE_S = 60, /* a hub that is back has told of all its peers by then */
};

/* A time during which a peer was connected. */
struct session {
	int64_t seq;
	struct uuid peer_id;
	char peer_name[NAME_TEXT];
	int64_t since;
	int64_t until; /* 0: it goes on */
	char endpoint[IP_ENDPOINT_TEXT]; /* "" unknown */
	char protocol[PEER_PROTOCOL_TEXT];
	uint64_t rx_bytes, tx_bytes;
	char reason[SESSION_REASON_TEXT]; /* why it has ended; "" it goes on */
};

/*
 * Newest first, those with a seq below `before`, of a peer or (peer_id NULL) of an instance. row
 * returns 0 to go on, 1 for enough, or -errno, which the list returns.
 */
int session_list(struct store *store, const struct uuid *instance_id, const struct uuid *peer_id,
	int64_t before, int (*row)(void *ctx, const struct session *s), void *ctx);

/* What a report says of a peer, next to what was known. All borrowed. */
struct session_news {
	const struct uuid *peer_id, *instance_id;
	const char *peer_name;
	const struct peer_status *before, *now; /* with the sums of all boots */
	const struct session *open; /* seq 0: none */
	const char *protocol; /* that it uses, or, not told, would use */
	int64_t window_s; /* silent for longer: not connected */
	bool is_told; /* there was a status before */
	bool is_same_boot;
	bool is_permitted; /* neither suspended nor expired */
	bool has_left; /* the hub says that its session is over */
};

/* In this order around the writing of the new status. 0 or -errno. */
int session_end_old(struct store *store, const struct session_news *n, bool *ret_goes_on);
int session_begin_new(struct store *store, const struct session_news *n, bool goes_on);

/* Whoever is cut is not connected any more. reason: "suspended". */
int session_end_of_peer(struct store *store, const struct uuid *peer_id, const char *reason);
int sessions_end_of_user(struct store *store, const struct uuid *user_id, const char *reason);
/* Ends those that have gone silent on hubs that report. How many, or -errno. */
int sessions_expire(struct store *store);
int sessions_prune(struct store *store);

#endif
