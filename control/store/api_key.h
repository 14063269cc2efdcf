/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_STORE_API_KEY_H
#define CONTROL_STORE_API_KEY_H

#include "control/model/error.h"
#include "control/model/name.h"
#include "control/store/store.h"
#include "dataplane/base/uuid.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum {
	API_KEY_TEXT = 8 + 43 + 1, /* "nave_sk_", 256 bits, NUL */
	API_KEY_LIFE_S = 90 * 24 * 3600,
};

struct api_key_filter {
	const char *name; /* NULL: any; so below */
	const char *label_key;
	const char *label_value;
	struct uuid after; /* ids above this */
};

enum api_key_role {
	API_KEY_VIEWER,
	API_KEY_OPERATOR,
	API_KEY_OWNER,
};

struct api_key {
	struct uuid id;
	char name[NAME_TEXT];
	enum api_key_role role;
	struct uuid instance_id; /* zero: the whole workspace */
	int64_t expires_at; /* 0: never */
	int64_t last_used_at; /* 0: never */
	json_t *labels; /* owned object */
	int64_t created_at;
	uint64_t version;
};

void api_key_fini(struct api_key *k);
const char *api_key_role_text(enum api_key_role role);
/*
 * The key that this token is, when it has not expired; -ENOENT. Notes its use once a minute, where
 * the transaction writes.
 */
int api_key_find_token(struct store *store, const char *token, struct api_key *ret);
int api_key_find(struct store *store, const struct uuid *id, struct api_key *ret);
/*
 * k is lent to row for the call; row returns 0 to go on,
 * 1 for enough, or -errno, which the list returns. In the order of ids.
 */
int api_key_list(struct store *store, const struct api_key_filter *filter,
	int (*row)(void *ctx, const struct api_key *k), void *ctx);
/* Makes id and token, which is shown this once. 0, -EINVAL with errors, or another -errno. */
int api_key_add(struct store *store, struct api_key *k, char ret_token[API_KEY_TEXT],
	struct model_errors *errors);
int api_key_del(struct store *store, const struct api_key *k);

#endif
