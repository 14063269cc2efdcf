// SPDX-License-Identifier: Apache-2.0
#include "dataplane/api/port.h"

#include "dataplane/api/check.h"

#include <string.h>

int dp_port_check(const uint8_t *payload, size_t len, const char **ret_reason)
{
	struct dp_port m;

	memcpy(&m, payload, sizeof(m));
	if (!check_is_name(m.name, sizeof(m.name)))
		return check_refuse(ret_reason, "name is not a name");
	if (m.id >= DP_PORT_MAX)
		return check_refuse(ret_reason, "id is over 63");
	if (m.link_up > 1 || m.has_tap > 1)
		return check_refuse(ret_reason, "link_up or has_tap is not 0 or 1");
	return 0;
}

int dp_tap_set_check(const uint8_t *payload, size_t len, const char **ret_reason)
{
	struct dp_tap_set m;

	memcpy(&m, payload, sizeof(m));
	if (m.port >= DP_PORT_MAX)
		return check_refuse(ret_reason, "port is over 63");
	if (!check_bytes_zero(m.pad, sizeof(m.pad)))
		return check_refuse(ret_reason, "pad is not zero");
	return 0;
}

int dp_tun_set_check(const uint8_t *payload, size_t len, const char **ret_reason)
{
	struct dp_tun_set m;

	memcpy(&m, payload, sizeof(m));
	if (uuid_is_zero(&m.instance))
		return check_refuse(ret_reason, "instance is zero");
	return 0;
}
