// SPDX-License-Identifier: Apache-2.0
#include "control/model/share_link.h"

void share_link_check(const struct share_link *l, const char *pointer, struct model_errors *errors)
{
	int64_t life = l->expires_at - l->created_at;
	if (life < SHARE_LINK_LIFE_MIN_S || life > SHARE_LINK_LIFE_MAX_S)
		model_error_add(errors, pointer, "must be %d s to %d days from now",
			SHARE_LINK_LIFE_MIN_S, SHARE_LINK_LIFE_MAX_S / (24 * 3600));
}

enum share_link_state share_link_state_at(const struct share_link *l, int64_t now)
{
	if (l->revealed_at != 0)
		return SHARE_LINK_REVEALED;
	return l->expires_at <= now ? SHARE_LINK_EXPIRED : SHARE_LINK_ACTIVE;
}

const char *share_link_state_text(enum share_link_state state)
{
	switch (state) {
	case SHARE_LINK_ACTIVE:
		return "active";
	case SHARE_LINK_REVEALED:
		return "revealed";
	case SHARE_LINK_EXPIRED:
		return "expired";
	}
	return "expired";
}
