/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_STORE_PARTY_H
#define CONTROL_STORE_PARTY_H

#include "control/model/error.h"
#include "control/model/name.h"
#include "control/store/store.h"
#include "dataplane/base/uuid.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* Those to whom peers belong: people and places. Their rows are alike, their tables apart. */
enum party_kind {
	PARTY_USER,
	PARTY_SITE,
};

enum {
	PARTY_EMAIL_TEXT = 255,
};

struct party {
	struct uuid id;
	char name[NAME_TEXT];
	char email[PARTY_EMAIL_TEXT]; /* users only; "" none; so below */
	bool is_suspended;
	json_t *labels; /* owned object */
	int64_t created_at;
	uint64_t version;
};

struct party_filter {
	const char *name; /* NULL: any; so below */
	const char *label_key;
	const char *label_value;
	struct uuid after; /* ids above this */
};

void party_fini(struct party *p);
int party_find(struct store *store, enum party_kind kind, const struct uuid *id, struct party *ret);
/*
 * p is lent to row for the call; row returns 0 to go on,
 * 1 for enough, or -errno, which the list returns. In the order of ids.
 */
int party_list(struct store *store, enum party_kind kind, const struct party_filter *filter,
	int (*row)(void *ctx, const struct party *p), void *ctx);
/*
 * Checks and writes. 0, -EINVAL with errors, or another -errno. add makes the id; set writes name
 * and labels, and raises the version, which p gets.
 */
int party_add(
	struct store *store, enum party_kind kind, struct party *p, struct model_errors *errors);
int party_set(
	struct store *store, enum party_kind kind, struct party *p, struct model_errors *errors);
/* Peers of a user are cut. */
int user_set_suspended(struct store *store, struct party *user, bool is_suspended);
/* A user's peers are removed and cut; a site's peers stay, without it. */
int party_del(struct store *store, enum party_kind kind, const struct party *p);

#endif
