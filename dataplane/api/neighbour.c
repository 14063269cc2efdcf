// SPDX-License-Identifier: Apache-2.0
#include "dataplane/api/neighbour.h"

#include "dataplane/api/check.h"

#include <string.h>

static int check_address(const struct ip_addr *addr, uint16_t port, const char **ret_reason)
{
	if (port >= DP_PORT_MAX)
		return check_refuse(ret_reason, "port is over 63");
	if (!check_is_unicast(addr) || ip_addr_is_loopback(addr))
		return check_refuse(ret_reason, "addr is not the address of a host");
	return 0;
}

int dp_neighbour_set_check(const uint8_t *payload, size_t len, const char **ret_reason)
{
	struct dp_neighbour_set m;
	bool has_mac;

	memcpy(&m, payload, sizeof(m));
	has_mac = !check_bytes_zero(m.mac, sizeof(m.mac));
	if (m.pad != 0)
		return check_refuse(ret_reason, "pad is not zero");
	if (m.state < DP_NEIGHBOUR_REACHABLE || m.state >= DP_NEIGHBOUR__COUNT)
		return check_refuse(ret_reason, "unknown state");
	if (m.state == DP_NEIGHBOUR_REACHABLE && (!has_mac || (m.mac[0] & 1) != 0))
		return check_refuse(ret_reason, "mac is zero or multicast");
	if (m.state == DP_NEIGHBOUR_FAILED && has_mac)
		return check_refuse(ret_reason, "failed neighbour with a mac");
	return check_address(&m.addr, m.port, ret_reason);
}
