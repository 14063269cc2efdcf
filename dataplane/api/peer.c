// SPDX-License-Identifier: Apache-2.0
/*
 * What can be wrong with a peer on its own. The public key must not be a point of small order on
 * Curve25519 (RFC 7748 section 6.1): with such a key every handshake ends in the same all-zero
 * secret, so it is refused here and not met in a handshake.
 */
#include "dataplane/api/peer.h"

#include "dataplane/api/check.h"

#include <string.h>

/* All encodings below 2^255 of points of order 1, 2, 4 and 8; X25519 ignores the highest bit. */
static const uint8_t small_order_points[][KEY_LEN] = {
	{0},
	{1},
	{0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4,
		0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f,
		0x49, 0xb8, 0x00},
	{0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef,
		0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0,
		0x9f, 0x11, 0x57},
	/* p - 1, p, p + 1 with p = 2^255 - 19 */
	{0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0x7f},
	{0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0x7f},
	{0xee, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0x7f},
};

static bool is_small_order(const struct key *public_key)
{
	struct key point = *public_key;

	point.bytes[KEY_LEN - 1] &= 0x7f;
	for (size_t i = 0; i < sizeof(small_order_points) / KEY_LEN; i++) {
		if (memcmp(point.bytes, small_order_points[i], KEY_LEN) == 0)
			return true;
	}
	return false;
}

static size_t allowed_bytes(uint16_t allowed_count)
{
	return allowed_count == DP_ALLOWED_ALL ? 0 : allowed_count * sizeof(struct ip_prefix);
}

size_t dp_peer_set_size(const struct dp_peer_set *set)
{
	return offsetof(struct dp_peer_set, allowed) + allowed_bytes(set->allowed_count);
}

size_t dp_peer_size(const struct dp_peer *peer)
{
	return offsetof(struct dp_peer, allowed) + allowed_bytes(peer->allowed_count);
}

const char *dp_failure_name(uint8_t failure)
{
	static const char *const names[DP_FAILURE__COUNT] = {
		[DP_FAILURE_NONE] = "none",
		[DP_FAILURE_OLD_TIMESTAMP] = "old_timestamp",
		[DP_FAILURE_FLOOD] = "flood",
		[DP_FAILURE_BAD_HANDSHAKE] = "bad_handshake",
		[DP_FAILURE_NO_RESPONSE] = "no_response",
		[DP_FAILURE_CLOCK_AHEAD] = "clock_ahead",
		[DP_FAILURE_OPENVPN_TIMEOUT] = "openvpn_timeout",
		[DP_FAILURE_OPENVPN_TLS] = "openvpn_tls",
		[DP_FAILURE_OPENVPN_CERTIFICATE] = "openvpn_certificate",
		[DP_FAILURE_OPENVPN_PASSWORD] = "openvpn_password",
		[DP_FAILURE_OPENVPN_CIPHER] = "openvpn_cipher",
		[DP_FAILURE_OPENVPN_OPTIONS] = "openvpn_options",
	};

	return failure < DP_FAILURE__COUNT ? names[failure] : NULL;
}

static int check_keys(const struct dp_peer_set *m, const char **ret_reason)
{
	bool preshared_is_zero = check_bytes_zero(m->preshared_key.bytes, KEY_LEN);

	if (key_is_zero(&m->public_key) && m->has_openvpn == 0)
		return check_refuse(ret_reason, "public_key is zero");
	if (!key_is_zero(&m->public_key) && is_small_order(&m->public_key))
		return check_refuse(ret_reason, "public_key is a point of small order");
	if (m->has_preshared_key > 1)
		return check_refuse(ret_reason, "has_preshared_key is not 0 or 1");
	if (m->has_preshared_key == 1 && preshared_is_zero)
		return check_refuse(ret_reason, "preshared_key is zero");
	if (m->has_preshared_key == 0 && !preshared_is_zero)
		return check_refuse(ret_reason, "preshared_key without has_preshared_key");
	return 0;
}

static int check_openvpn(const struct dp_peer_set *m, const char **ret_reason)
{
	const struct dp_openvpn *o = &m->openvpn;
	bool has_username = o->username[0] != 0;

	if (m->has_openvpn > 1)
		return check_refuse(ret_reason, "has_openvpn is not 0 or 1");
	if (m->has_openvpn == 0)
		return check_bytes_zero(o, sizeof(*o))
			? 0
			: check_refuse(ret_reason, "openvpn without has_openvpn");
	if (!has_username && check_bytes_zero(o->certificate, sizeof(o->certificate)))
		return check_refuse(ret_reason, "openvpn has neither certificate nor username");
	if (has_username && !check_is_name(o->username, sizeof(o->username)))
		return check_refuse(ret_reason, "username is not a name");
	if (has_username == check_bytes_zero(o->password, sizeof(o->password)))
		return check_refuse(ret_reason, "username and password do not come together");
	if (ip_addr_is_zero(&o->address4) && ip_addr_is_zero(&o->address6))
		return check_refuse(ret_reason, "openvpn has no address");
	if (!ip_addr_is_zero(&o->address4) && !ip_addr_is_v4(&o->address4))
		return check_refuse(ret_reason, "address4 is not one of IPv4");
	if (!ip_addr_is_zero(&o->address6) && ip_addr_is_v4(&o->address6))
		return check_refuse(ret_reason, "address6 is one of IPv4");
	return 0;
}

static int check_endpoint(const struct ip_endpoint *e, const char **ret_reason)
{
	if (e->port == 0) {
		if (!check_bytes_zero(e->addr.bytes, sizeof(e->addr.bytes)))
			return check_refuse(ret_reason, "endpoint has no port");
		return 0;
	}
	if (!check_is_unicast(&e->addr) || ip_addr_is_loopback(&e->addr))
		return check_refuse(ret_reason, "endpoint is not the address of a host");
	return 0;
}

/* allowed_count and the length of the payload must tell the same. */
static int check_allowed(
	const struct ip_prefix *allowed, uint16_t count, size_t bytes, const char **ret_reason)
{
	if (count != DP_ALLOWED_ALL && count > DP_ALLOWED_MAX)
		return check_refuse(ret_reason, "allowed_count is over 64");
	if (bytes != allowed_bytes(count))
		return check_refuse(ret_reason, "allowed_count does not fit the length");
	if (count == DP_ALLOWED_ALL)
		return 0;
	for (unsigned int i = 0; i < count; i++) {
		if (!ip_prefix_is_canonical(&allowed[i]))
			return check_refuse(ret_reason,
				"allowed has a prefix with host bits or a wrong length");
	}
	return 0;
}

static int check_set(const struct dp_peer_set *m, size_t len, const char **ret_reason)
{
	int r;

	if (uuid_is_zero(&m->id))
		return check_refuse(ret_reason, "id is zero");
	if (uuid_is_zero(&m->instance))
		return check_refuse(ret_reason, "instance is zero");
	if (m->type < DP_PEER_SITE || m->type >= DP_PEER__COUNT)
		return check_refuse(ret_reason, "unknown type");
	if (m->route_all > 1)
		return check_refuse(ret_reason, "route_all is not 0 or 1");
	if (!check_bytes_zero(m->pad, sizeof(m->pad)))
		return check_refuse(ret_reason, "pad is not zero");
	r = check_keys(m, ret_reason);
	if (r < 0)
		return r;
	r = check_openvpn(m, ret_reason);
	if (r < 0)
		return r;
	r = check_endpoint(&m->endpoint, ret_reason);
	if (r < 0)
		return r;
	return check_allowed(m->allowed, m->allowed_count,
		len - offsetof(struct dp_peer_set, allowed), ret_reason);
}

int dp_peer_set_check(const uint8_t *payload, size_t len, const char **ret_reason)
{
	struct dp_peer_set m = {0};
	int r;

	memcpy(&m, payload, len);
	r = check_set(&m, len, ret_reason);
	key_wipe(&m.preshared_key);
	explicit_bzero(&m.openvpn, sizeof(m.openvpn));
	return r;
}

int dp_peer_del_check(const uint8_t *payload, size_t len, const char **ret_reason)
{
	return check_id(payload, ret_reason);
}

int dp_peer_reset_check(const uint8_t *payload, size_t len, const char **ret_reason)
{
	return check_id(payload, ret_reason);
}

int dp_peer_list_check(const uint8_t *payload, size_t len, const char **ret_reason)
{
	return 0; /* any UUID, also zero */
}

int dp_peer_check(const uint8_t *payload, size_t len, const char **ret_reason)
{
	struct dp_peer m = {0};

	memcpy(&m, payload, len);
	if (uuid_is_zero(&m.id) || uuid_is_zero(&m.instance))
		return check_refuse(ret_reason, "id or instance is zero");
	if (m.type < DP_PEER_SITE || m.type >= DP_PEER__COUNT || m.route_all > 1)
		return check_refuse(ret_reason, "unknown type, or route_all is not 0 or 1");
	if (!check_bytes_zero(m.pad, sizeof(m.pad)))
		return check_refuse(ret_reason, "pad is not zero");
	return check_allowed(
		m.allowed, m.allowed_count, len - offsetof(struct dp_peer, allowed), ret_reason);
}

int dp_peer_stats_check(const uint8_t *payload, size_t len, const char **ret_reason)
{
	struct dp_peer_stats m;

	memcpy(&m, payload, sizeof(m));
	if (uuid_is_zero(&m.id) || uuid_is_zero(&m.instance))
		return check_refuse(ret_reason, "id or instance is zero");
	if (m.last_failure >= DP_FAILURE__COUNT || m.protocol >= DP_PROTOCOL__COUNT)
		return check_refuse(ret_reason, "unknown last_failure or protocol");
	return 0;
}
