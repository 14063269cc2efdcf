// SPDX-License-Identifier: Apache-2.0
#include "dataplane/api/uapi.h"

#include "dataplane/api/check.h"

#include <stdio.h>
#include <string.h>

const char *dp_uapi_name(uint32_t number, char ret[DP_UAPI_NAME])
{
	(void)snprintf(ret, DP_UAPI_NAME, "nave%u.sock", (unsigned int)number);
	return ret;
}

int dp_uapi_set_check(const uint8_t *payload, size_t len, const char **ret_reason)
{
	struct dp_uapi_set m;

	memcpy(&m, payload, sizeof(m));
	if (uuid_is_zero(&m.instance))
		return check_refuse(ret_reason, "instance is zero");
	return 0;
}
