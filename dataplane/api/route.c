// SPDX-License-Identifier: Apache-2.0
#include "dataplane/api/route.h"

#include "dataplane/api/check.h"

#include <string.h>

int dp_route_set_check(const uint8_t *payload, size_t len, const char **ret_reason)
{
	struct dp_route_set m;

	memcpy(&m, payload, sizeof(m));
	if (uuid_is_zero(&m.instance))
		return check_refuse(ret_reason, "instance is zero");
	if (m.target < DP_ROUTE_PEER || m.target >= DP_ROUTE__COUNT)
		return check_refuse(ret_reason, "unknown target");
	if (uuid_is_zero(&m.peer) == (m.target == DP_ROUTE_PEER))
		return check_refuse(ret_reason, "peer and target do not fit");
	if (!ip_prefix_is_canonical(&m.prefix))
		return check_refuse(ret_reason, "prefix has host bits or a wrong length");
	if (ip_addr_is_multicast(&m.prefix.addr))
		return check_refuse(ret_reason, "prefix is multicast");
	return 0;
}

int dp_route_del_check(const uint8_t *payload, size_t len, const char **ret_reason)
{
	struct dp_route_del m;

	memcpy(&m, payload, sizeof(m));
	if (uuid_is_zero(&m.instance))
		return check_refuse(ret_reason, "instance is zero");
	if (!ip_prefix_is_canonical(&m.prefix))
		return check_refuse(ret_reason, "prefix has host bits or a wrong length");
	return 0;
}

int dp_route_list_check(const uint8_t *payload, size_t len, const char **ret_reason)
{
	return 0; /* any UUID, also zero */
}
