// SPDX-License-Identifier: Apache-2.0
#include "dataplane/api/event.h"

#include "dataplane/api/check.h"
#include "dataplane/api/peer.h"

#include <string.h>

int dp_event_check(const uint8_t *payload, size_t len, const char **ret_reason)
{
	struct dp_event m;

	memcpy(&m, payload, sizeof(m));
	if (m.type < DP_EVENT_PEER_SEEN || m.type >= DP_EVENT__COUNT)
		return check_refuse(ret_reason, "unknown type");
	if (m.failure >= DP_FAILURE__COUNT)
		return check_refuse(ret_reason, "unknown failure");
	if (m.protocol >= DP_PROTOCOL__COUNT || m.pad != 0)
		return check_refuse(ret_reason, "unknown protocol, or pad is not zero");
	return 0;
}
