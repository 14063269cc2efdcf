// SPDX-License-Identifier: Apache-2.0
#include "dataplane/api/counter.h"

#include "dataplane/api/check.h"

#include <string.h>

int dp_counter_check(const uint8_t *payload, size_t len, const char **ret_reason)
{
	struct dp_counter m;

	memcpy(&m, payload, sizeof(m));
	if (!check_is_name(m.name, sizeof(m.name)))
		return check_refuse(ret_reason, "name is not a name");
	return 0;
}
