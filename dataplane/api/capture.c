// SPDX-License-Identifier: Apache-2.0
#include "dataplane/api/capture.h"

#include "dataplane/api/check.h"

#include <string.h>

int dp_capture_set_check(const uint8_t *payload, size_t len, const char **ret_reason)
{
	struct dp_capture_set m;

	memcpy(&m, payload, sizeof(m));
	if (uuid_is_zero(&m.peer))
		return check_refuse(ret_reason, "peer is zero");
	if (m.seconds < 1 || m.seconds > DP_CAPTURE_SECONDS_MAX)
		return check_refuse(ret_reason, "seconds is not 1 to 300");
	if (m.max_bytes < DP_CAPTURE_BYTES_MIN || m.max_bytes > DP_CAPTURE_BYTES_MAX)
		return check_refuse(ret_reason, "max_bytes is not 4096 to 16777216");
	if (m.side == 0 || m.side >= DP_CAPTURE__COUNT)
		return check_refuse(ret_reason, "side is unknown");
	if (!check_bytes_zero(m.pad, sizeof(m.pad)))
		return check_refuse(ret_reason, "pad is not zero");
	return 0;
}
