/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_STORE_HUB_H
#define CONTROL_STORE_HUB_H

#include "control/model/capture.h"
#include "control/model/peer.h"
#include "control/store/instance.h"
#include "control/store/store.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum {
	HUB_TOKEN_TEXT = 8 + 43 + 1, /* "nave_nk_" or "nave_et_", 256 bits, NUL */
	HUB_ENROL_S = 24 * 3600, /* how long an enrol token counts */
	HUB_ADDRESSES_MAX = 16,
	HUB_VERSION_TEXT = 33,
	HUB_SILENT_S = 30, /* reports come every 10 s: three missed */
};

struct hub {
	struct uuid id;
	char name[NAME_TEXT];
	char region[REGION_TEXT];
	int64_t generation; /* of the desired state */
	int64_t applied_generation; /* that the hub has told */
	char version[HUB_VERSION_TEXT];
	struct ip_addr addresses[HUB_ADDRESSES_MAX];
	size_t address_count;
	bool egress_v4;
	bool egress_v6;
	json_t *counters; /* owned object of integers, absolute since the hub's boot */
	int64_t last_report_at;
	int64_t created_at;
	bool is_enrolled;
};

void hub_fini(struct hub *h);
bool hub_is_connected(const struct hub *h, int64_t now);
/* The hub of this name, made when there is none; a fresh token replaces the one it had. */
int hub_enrol(struct store *store, const char *name, const char *region, struct uuid *ret_id,
	char ret_token[HUB_TOKEN_TEXT]);
/* A hub that is to come in with an enrol token. -EEXIST: there is one of that name. */
int hub_add(struct store *store, const char *name, const char *region, struct uuid *ret_id);
/* Its newest enrol token; the one of before counts no more. */
int hub_make_enrol_token(struct store *store, const struct hub *h, char ret_token[HUB_TOKEN_TEXT]);
/* Whose enrol token this is. -ENOENT: nobody's, or used, or too old. */
int hub_find_enrol_token(struct store *store, const char *token, struct hub *ret);
/* The token is used up, and the hub has another by which it is known. -ENOENT: used up meanwhile. */
int hub_enrol_once(struct store *store, const struct uuid *id, const char *name,
	char ret_token[HUB_TOKEN_TEXT]);
/* -EBUSY: instances are on it. */
int hub_del(struct store *store, const struct hub *h);
int hub_find_token(struct store *store, const char *token, struct hub *ret);
int hub_find(struct store *store, const struct uuid *id, struct hub *ret);
int hub_list(struct store *store, const struct uuid *after,
	int (*row)(void *ctx, const struct hub *h), void *ctx);

/*
 * What has changed for a hub since a generation. Each callback gets one object and returns 0, or
 * -errno: then the whole list fails. The private and preshared keys are wiped after the call.
 */
struct hub_desired {
	int (*instance)(void *ctx, const struct instance *i, const struct key *private_key);
	int (*peer)(void *ctx, const struct peer *p, const struct key *preshared_key);
	int (*capture)(void *ctx, const struct capture *c);
	int (*deleted)(void *ctx, const char *kind, const struct uuid *id);
	void *ctx;
};

/* Whether a hub that has seen `after` of `epoch` must be told everything. */
bool hub_needs_all(
	struct store *store, const struct hub *h, const struct uuid *epoch, int64_t after);
int hub_desired_list(struct store *store, const struct hub *h, int64_t after, bool all,
	const struct hub_desired *sink);

/* One report of a hub. Objects that it does not have (any more) are passed over. */
struct hub_report {
	struct uuid boot_id;
	struct uuid epoch;
	int64_t generation;
	const char *version;
	struct ip_addr addresses[HUB_ADDRESSES_MAX];
	size_t address_count;
	bool egress_v4;
	bool egress_v6;
	const json_t *counters;
};

int hub_set_report(struct store *store, const struct hub *h, const struct hub_report *report);
/* counters in status are absolute since boot_id; the row keeps their sum over all boots. */
int hub_set_peer_status(struct store *store, const struct hub *h, const struct uuid *boot_id,
	const struct uuid *peer_id, const struct peer_status *status);

/* Removes the instances of which the hub, at this generation, has confirmed the end. Their number. */
int hub_remove_confirmed(struct store *store, const struct hub *h, int64_t generation);

#endif
