// SPDX-License-Identifier: Apache-2.0
#include "dataplane/api/address.h"

#include "dataplane/api/check.h"
#include "dataplane/api/port.h"

#include <string.h>

int dp_address_set_check(const uint8_t *payload, size_t len, const char **ret_reason)
{
	struct dp_address_set m;

	memcpy(&m, payload, sizeof(m));
	if (m.pad != 0)
		return check_refuse(ret_reason, "pad is not zero");
	if (m.port >= DP_PORT_MAX)
		return check_refuse(ret_reason, "port is over 63");
	if (!check_is_host_prefix(&m.prefix) || ip_addr_is_loopback(&m.prefix.addr))
		return check_refuse(
			ret_reason, "prefix is not the address of a host with a length");
	return 0;
}
