// SPDX-License-Identifier: Apache-2.0
#include "dataplane/api/management.h"

#include "dataplane/api/check.h"

#include <string.h>

int dp_management_set_check(const uint8_t *payload, size_t len, const char **ret_reason)
{
	struct dp_management_set m;

	memcpy(&m, payload, sizeof(m));
	if (uuid_is_zero(&m.instance))
		return check_refuse(ret_reason, "instance is zero");
	return 0;
}
