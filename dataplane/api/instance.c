// SPDX-License-Identifier: Apache-2.0
#include "dataplane/api/instance.h"

#include "dataplane/api/check.h"

#include <string.h>

static bool is_none(const struct ip_prefix *p)
{
	return p->len == 0 && check_bytes_zero(p->addr.bytes, sizeof(p->addr.bytes));
}

/* Loopback is a good address for a host, not for a hub. */
static bool is_inner_address(const struct ip_prefix *p)
{
	return check_is_host_prefix(p) && !ip_addr_is_loopback(&p->addr);
}

static int check_addresses(
	const struct ip_prefix *v4, const struct ip_prefix *v6, const char **ret_reason)
{
	if (is_none(v4) && is_none(v6))
		return check_refuse(ret_reason, "no address");
	if (!is_none(v4) && (!ip_addr_is_v4(&v4->addr) || !is_inner_address(v4)))
		return check_refuse(
			ret_reason, "address4 is not an IPv4 host address with a length");
	if (!is_none(v6) && (ip_addr_is_v4(&v6->addr) || !is_inner_address(v6)))
		return check_refuse(
			ret_reason, "address6 is not an IPv6 host address with a length");
	return 0;
}

int dp_instance_set_check(const uint8_t *payload, size_t len, const char **ret_reason)
{
	struct dp_instance_set m;
	bool key_is_zero_bytes;

	memcpy(&m, payload, sizeof(m));
	key_is_zero_bytes = check_bytes_zero(m.wireguard_private_key.bytes, KEY_LEN);
	key_wipe(&m.wireguard_private_key);
	if (uuid_is_zero(&m.id))
		return check_refuse(ret_reason, "id is zero");
	if (key_is_zero_bytes)
		return check_refuse(ret_reason, "wireguard_private_key is zero");
	if (m.number == 0 || m.number > DP_INSTANCE_NUMBER_MAX)
		return check_refuse(ret_reason, "number is not in 1..65535");
	if ((m.flags & ~(uint32_t)DP_INSTANCE_FLAGS_ALL) != 0)
		return check_refuse(ret_reason, "unknown flags");
	if (m.wireguard_port == 0)
		return check_refuse(ret_reason, "wireguard_port is zero");
	if (m.mtu < DP_MTU_MIN || m.mtu > DP_MTU_MAX)
		return check_refuse(ret_reason, "mtu is not in 1280..9000");
	if (!check_bytes_zero(m.pad, sizeof(m.pad)))
		return check_refuse(ret_reason, "pad is not zero");
	return check_addresses(&m.address4, &m.address6, ret_reason);
}

int dp_instance_del_check(const uint8_t *payload, size_t len, const char **ret_reason)
{
	return check_id(payload, ret_reason);
}

int dp_instance_check(const uint8_t *payload, size_t len, const char **ret_reason)
{
	struct dp_instance m;

	memcpy(&m, payload, sizeof(m));
	if (uuid_is_zero(&m.id))
		return check_refuse(ret_reason, "id is zero");
	if (m.has_tun > 1 || m.has_uapi > 1 || m.has_management > 1)
		return check_refuse(
			ret_reason, "has_tun, has_uapi or has_management is not 0 or 1");
	if (!check_bytes_zero(m.pad, sizeof(m.pad)))
		return check_refuse(ret_reason, "pad is not zero");
	return 0;
}
