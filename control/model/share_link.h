/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_MODEL_SHARE_LINK_H
#define CONTROL_MODEL_SHARE_LINK_H

#include "control/model/error.h"
#include "dataplane/base/uuid.h"

#include <stdint.h>

enum {
	SHARE_LINK_LIFE_S = 24 * 3600,
	SHARE_LINK_LIFE_MIN_S = 60,
	SHARE_LINK_LIFE_MAX_S = 7 * 24 * 3600,
	SHARE_LINK_KEPT_S = 7 * 24 * 3600, /* after its end, so that people see what became of it */
	SHARE_LINKS_OF_PEER_MAX = 8, /* kept at a time */
	SHARE_LINK_TOKEN_TEXT = 44, /* 43 characters of base64url */
};

enum share_link_state {
	SHARE_LINK_ACTIVE, /* nobody has pressed its button yet */
	SHARE_LINK_REVEALED,
	SHARE_LINK_EXPIRED,
};

/* Lets whoever has it see a peer's profile with its secrets, once, without a key of the API. */
struct share_link {
	struct uuid id;
	struct uuid peer_id;
	struct uuid instance_id; /* the peer's; read only */
	int64_t created_at;
	int64_t expires_at;
	int64_t opened_at; /* first; 0: never; so below */
	int64_t revealed_at;
	uint64_t version;
};

/* expires_at against created_at; pointer: of the member that people gave. */
void share_link_check(const struct share_link *l, const char *pointer, struct model_errors *errors);
enum share_link_state share_link_state_at(const struct share_link *l, int64_t now);
const char *share_link_state_text(enum share_link_state state);

#endif
