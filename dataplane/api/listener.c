// SPDX-License-Identifier: Apache-2.0
#include "dataplane/api/listener.h"

#include "dataplane/api/check.h"

#include <string.h>

size_t dp_listener_set_size(const struct dp_listener_set *set)
{
	return offsetof(struct dp_listener_set, pem) + set->ca_len + set->certificate_len
		+ set->private_key_len;
}

static int check_modes(const struct dp_listener_set *m, const char **ret_reason)
{
	static const size_t key_len[DP_WRAP__COUNT] = {
		[DP_WRAP_TLS_AUTH] = DP_WRAP_KEY_LEN,
		[DP_WRAP_TLS_CRYPT] = DP_WRAP_KEY_LEN,
		[DP_WRAP_TLS_CRYPT_V2] = DP_WRAP_KEY_LEN / 2,
	};

	if (m->transport < DP_TRANSPORT_UDP || m->transport >= DP_TRANSPORT__COUNT)
		return check_refuse(ret_reason, "unknown transport");
	if (m->wrap >= DP_WRAP__COUNT || m->wrap_digest >= DP_DIGEST__COUNT)
		return check_refuse(ret_reason, "unknown wrap or wrap_digest");
	size_t len = key_len[m->wrap];
	if (len > 0 && check_bytes_zero(m->wrap_key, len))
		return check_refuse(ret_reason, "wrap_key is zero");
	if (!check_bytes_zero(m->wrap_key + len, DP_WRAP_KEY_LEN - len))
		return check_refuse(ret_reason, "wrap_key is longer than that of its mode");
	if (m->tls_minimum >= DP_TLS__COUNT || m->security_level > 5)
		return check_refuse(ret_reason, "unknown tls_minimum or security_level");
	if ((m->flags & ~DP_LISTENER_FLAGS_ALL) != 0 || m->flags == 0)
		return check_refuse(ret_reason, "flags ask for nothing, or are unknown");
	return 0;
}

static int check_ciphers(const uint8_t *cipher, const char **ret_reason)
{
	uint32_t seen = 0;
	unsigned int n = 0;

	for (; n < DP_CIPHERS_MAX && cipher[n] != DP_CIPHER_NONE; n++) {
		if (cipher[n] >= DP_CIPHER__COUNT || (seen >> cipher[n] & 1) != 0)
			return check_refuse(ret_reason, "a cipher is unknown, or named twice");
		seen |= 1U << cipher[n];
	}
	if (n == 0)
		return check_refuse(ret_reason, "no cipher");
	if (!check_bytes_zero(cipher + n, DP_CIPHERS_MAX - n))
		return check_refuse(ret_reason, "a cipher behind the last one");
	return 0;
}

static int check_pem(const struct dp_listener_set *m, size_t len, const char **ret_reason)
{
	const uint16_t lens[] = {m->ca_len, m->certificate_len, m->private_key_len};
	const char *at = m->pem;

	if (len != dp_listener_set_size(m))
		return check_refuse(
			ret_reason, "the lengths of pem do not fit that of the message");
	for (unsigned int n = 0; n < sizeof(lens) / sizeof(lens[0]); n++) {
		if (lens[n] < 2 || strnlen(at, lens[n]) != lens[n] - 1U)
			return check_refuse(ret_reason, "a text of pem does not end with its NUL");
		at += lens[n];
	}
	return 0;
}

static int check_set(const struct dp_listener_set *m, size_t len, const char **ret_reason)
{
	if (uuid_is_zero(&m->id) || uuid_is_zero(&m->instance))
		return check_refuse(ret_reason, "id or instance is zero");
	if (m->port == 0)
		return check_refuse(ret_reason, "port is zero");
	if (!check_bytes_zero(m->pad, sizeof(m->pad)))
		return check_refuse(ret_reason, "pad is not zero");
	int r = check_modes(m, ret_reason);
	if (r == 0)
		r = check_ciphers(m->cipher, ret_reason);
	if (r == 0)
		r = check_pem(m, len, ret_reason);
	return r;
}

int dp_listener_set_check(const uint8_t *payload, size_t len, const char **ret_reason)
{
	struct dp_listener_set m = {0};

	memcpy(&m, payload, len);
	int r = check_set(&m, len, ret_reason);
	explicit_bzero(&m, sizeof(m));
	return r;
}

int dp_listener_del_check(const uint8_t *payload, size_t len, const char **ret_reason)
{
	return check_id(payload, ret_reason);
}

int dp_listener_socket_set_check(const uint8_t *payload, size_t len, const char **ret_reason)
{
	return check_id(payload, ret_reason);
}

int dp_listener_check(const uint8_t *payload, size_t len, const char **ret_reason)
{
	struct dp_listener m;

	memcpy(&m, payload, sizeof(m));
	if (uuid_is_zero(&m.id) || uuid_is_zero(&m.instance))
		return check_refuse(ret_reason, "id or instance is zero");
	if (m.transport < DP_TRANSPORT_UDP || m.transport >= DP_TRANSPORT__COUNT
		|| m.wrap >= DP_WRAP__COUNT || m.has_socket > 1)
		return check_refuse(ret_reason, "unknown transport, wrap or has_socket");
	if (!check_bytes_zero(m.pad, sizeof(m.pad)))
		return check_refuse(ret_reason, "pad is not zero");
	return 0;
}
