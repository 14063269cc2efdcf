// SPDX-License-Identifier: Apache-2.0
#include "dataplane/api/sync.h"

#include "dataplane/api/check.h"

#include <string.h>

static int check_scope(uint8_t scope, const char **ret_reason)
{
	if (scope < DP_SYNC_DESIRED || scope >= DP_SYNC__COUNT)
		return check_refuse(ret_reason, "unknown scope");
	return 0;
}

int dp_sync_begin_check(const uint8_t *payload, size_t len, const char **ret_reason)
{
	struct dp_sync_begin m;

	memcpy(&m, payload, sizeof(m));
	if (!check_bytes_zero(m.pad, sizeof(m.pad)))
		return check_refuse(ret_reason, "pad is not zero");
	if (m.scope == DP_SYNC_DESIRED && uuid_is_zero(&m.epoch))
		return check_refuse(ret_reason, "epoch is zero");
	if (m.scope == DP_SYNC_UNDERLAY && (!uuid_is_zero(&m.epoch) || m.generation != 0))
		return check_refuse(ret_reason, "the underlay has no epoch and generation");
	return check_scope(m.scope, ret_reason);
}

int dp_sync_end_check(const uint8_t *payload, size_t len, const char **ret_reason)
{
	struct dp_sync_end m;

	memcpy(&m, payload, sizeof(m));
	if (!check_bytes_zero(m.pad, sizeof(m.pad)))
		return check_refuse(ret_reason, "pad is not zero");
	if (m.allow_empty > 1)
		return check_refuse(ret_reason, "allow_empty is not 0 or 1");
	return check_scope(m.scope, ret_reason);
}

int dp_generation_set_check(const uint8_t *payload, size_t len, const char **ret_reason)
{
	struct dp_generation_set m;

	memcpy(&m, payload, sizeof(m));
	if (uuid_is_zero(&m.epoch))
		return check_refuse(ret_reason, "epoch is zero");
	if (m.generation < m.after)
		return check_refuse(ret_reason, "generation is before after");
	return 0;
}

int dp_sync_state_check(const uint8_t *payload, size_t len, const char **ret_reason)
{
	struct dp_sync_state m;

	memcpy(&m, payload, sizeof(m));
	if (uuid_is_zero(&m.epoch) && m.generation != 0)
		return check_refuse(ret_reason, "generation without epoch");
	return 0;
}
