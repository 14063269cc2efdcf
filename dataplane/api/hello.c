// SPDX-License-Identifier: Apache-2.0
#include "dataplane/api/hello.h"

#include "dataplane/api/check.h"

#include <string.h>

int dp_hello_check(const uint8_t *payload, size_t len, const char **ret_reason)
{
	struct dp_hello m;

	memcpy(&m, payload, sizeof(m));
	if (!uuid_is_zero(&m.boot_id))
		return check_refuse(ret_reason, "boot_id is not zero");
	return 0;
}

int dp_hello_reply_check(const uint8_t *payload, size_t len, const char **ret_reason)
{
	struct dp_hello m;

	memcpy(&m, payload, sizeof(m));
	if (uuid_is_zero(&m.boot_id))
		return check_refuse(ret_reason, "boot_id is zero");
	return 0;
}
