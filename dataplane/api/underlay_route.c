// SPDX-License-Identifier: Apache-2.0
#include "dataplane/api/underlay_route.h"

#include "dataplane/api/check.h"
#include "dataplane/api/port.h"

#include <string.h>

static int check_prefix(
	const struct ip_prefix *prefix, uint8_t pad, uint16_t port, const char **ret_reason)
{
	if (pad != 0)
		return check_refuse(ret_reason, "pad is not zero");
	if (port >= DP_PORT_MAX)
		return check_refuse(ret_reason, "port is over 63");
	if (!ip_prefix_is_canonical(prefix))
		return check_refuse(ret_reason, "prefix has host bits or a wrong length");
	if (ip_addr_is_multicast(&prefix->addr))
		return check_refuse(ret_reason, "prefix is multicast");
	return 0;
}

int dp_underlay_route_set_check(const uint8_t *payload, size_t len, const char **ret_reason)
{
	struct dp_underlay_route_set m;
	int r;

	memcpy(&m, payload, sizeof(m));
	r = check_prefix(&m.prefix, m.pad, m.port, ret_reason);
	if (r < 0)
		return r;
	if (check_bytes_zero(m.gateway.bytes, sizeof(m.gateway.bytes)))
		return 0;
	if (!check_is_unicast(&m.gateway) || ip_addr_is_loopback(&m.gateway))
		return check_refuse(ret_reason, "gateway is not the address of a host");
	if (ip_addr_is_v4(&m.gateway) != ip_prefix_is_v4(&m.prefix))
		return check_refuse(ret_reason, "gateway is of another family");
	return 0;
}
