// SPDX-License-Identifier: Apache-2.0
#include "control/node/desired_openvpn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	ROUTES_MAX = 65536, /* read; clients are told DP_PUSH_ROUTES_MAX of them */
};

static int copy_text(const struct reader *r, const json_t *o, const char *name, char **ret)
{
	const char *text;
	if (read_text(r, o, name, &text) != 0)
		return -EINVAL;
	*ret = strdup(text);
	return *ret != NULL ? 0 : -ENOMEM;
}

static int read_texts(const struct reader *r, const json_t *o, struct desired_openvpn *ret)
{
	int err = copy_text(r, o, "ca", &ret->ca);
	if (err == 0)
		err = copy_text(r, o, "certificate", &ret->certificate);
	if (err == 0)
		err = copy_text(r, o, "private_key", &ret->private_key);
	if (err != 0)
		return err;
	size_t len = strlen(ret->ca) + strlen(ret->certificate) + strlen(ret->private_key) + 3;
	return len <= DP_PEM_MAX
		? 0
		: read_refuse(
			r, "ca, certificate and private_key must fit into %d bytes", DP_PEM_MAX);
}

/* Behind the last one that a client can be told of nobody is told. */
static int read_dns(const struct reader *r, const json_t *list, struct desired_openvpn *ret)
{
	size_t at;
	const json_t *o;
	if (!json_is_array(list))
		return read_refuse(r, "dns must be a list");
	json_array_foreach(list, at, o)
	{
		struct ip_addr addr;
		const char *text = json_string_value(o);
		if (text == NULL || ip_addr_parse(text, &addr) != 0)
			return read_refuse(r, "dns: element %zu is no address", at);
		if (at < DP_PUSH_DNS_MAX)
			ret->dns[at] = addr;
	}
	return 0;
}

static int read_domains(const struct reader *r, const json_t *list, struct desired_openvpn *ret)
{
	size_t at;
	const json_t *o;
	if (!json_is_array(list))
		return read_refuse(r, "domains must be a list");
	json_array_foreach(list, at, o)
	{
		const char *text = json_string_value(o);
		size_t len = text != NULL ? strlen(text) : 0;
		if (len == 0 || len >= DP_PUSH_DOMAIN_LEN)
			return read_refuse(r, "domains: element %zu must have 1 to %d characters",
				at, DP_PUSH_DOMAIN_LEN - 1);
		if (at < DP_PUSH_DOMAINS_MAX)
			memcpy(ret->domain[at], text, len);
	}
	return 0;
}

static int read_wrap(const struct reader *r, const json_t *o, struct desired_listener *ret)
{
	static const char *const words[DP_WRAP__COUNT] = {
		[DP_WRAP_NONE] = "none",
		[DP_WRAP_TLS_AUTH] = "tls-auth",
		[DP_WRAP_TLS_CRYPT] = "tls-crypt",
		[DP_WRAP_TLS_CRYPT_V2] = "tls-crypt-v2",
	};
	static const size_t key_len[DP_WRAP__COUNT] = {
		[DP_WRAP_TLS_AUTH] = DP_WRAP_KEY_LEN,
		[DP_WRAP_TLS_CRYPT] = DP_WRAP_KEY_LEN,
		[DP_WRAP_TLS_CRYPT_V2] = DP_WRAP_KEY_LEN / 2,
	};
	static const char *const digests[DP_DIGEST__COUNT] = {
		[DP_DIGEST_SHA1] = "SHA1",
		[DP_DIGEST_SHA256] = "SHA256",
		[DP_DIGEST_SHA512] = "SHA512",
	};
	if (read_word(r, o, "wrap", words, DP_WRAP__COUNT, &ret->wrap) != 0
		|| read_hex(r, o, "wrap_key", ret->wrap_key, key_len[ret->wrap]) != 0)
		return -EINVAL;
	return read_word(r, o, "tls_auth_digest", digests, DP_DIGEST__COUNT, &ret->wrap_digest);
}

static int read_ciphers(const struct reader *r, const json_t *list, uint8_t cipher[DP_CIPHERS_MAX])
{
	static const char *const words[DP_CIPHER__COUNT] = {
		[DP_CIPHER_AES_256_GCM] = "AES-256-GCM",
		[DP_CIPHER_AES_192_GCM] = "AES-192-GCM",
		[DP_CIPHER_AES_128_GCM] = "AES-128-GCM",
		[DP_CIPHER_CHACHA20_POLY1305] = "CHACHA20-POLY1305",
		[DP_CIPHER_AES_256_CBC] = "AES-256-CBC",
		[DP_CIPHER_AES_192_CBC] = "AES-192-CBC",
		[DP_CIPHER_AES_128_CBC] = "AES-128-CBC",
	};
	size_t count = json_array_size(list);
	if (count == 0 || count > DP_CIPHERS_MAX)
		return read_refuse(r, "ciphers must be a list of 1 to %d", DP_CIPHERS_MAX);
	for (size_t i = 0; i < count; i++) {
		const char *text = json_string_value(json_array_get(list, i));
		for (uint8_t c = 1; text != NULL && c < (uint8_t)DP_CIPHER__COUNT; c++) {
			if (strcmp(text, words[c]) == 0)
				cipher[i] = c;
		}
		if (cipher[i] == DP_CIPHER_NONE || memchr(cipher, cipher[i], i) != NULL)
			return read_refuse(r, "ciphers: element %zu is unknown, or named twice", i);
	}
	return 0;
}

static int read_asks(const struct reader *r, const json_t *o, uint8_t *ret_flags)
{
	bool certificate = false, password = false;
	if (read_flag(r, o, "requires_certificate", &certificate) != 0
		|| read_flag(r, o, "requires_password", &password) != 0)
		return -EINVAL;
	*ret_flags = (uint8_t)((certificate ? DP_LISTENER_CERTIFICATE : 0)
		| (password ? DP_LISTENER_PASSWORD : 0));
	return *ret_flags != 0 ? 0 : read_refuse(r, "a listener must require something");
}

static int read_listener(const struct reader *r, const json_t *o, struct desired_listener *ret)
{
	static const char *const transports[DP_TRANSPORT__COUNT] = {
		[DP_TRANSPORT_UDP] = "udp", [DP_TRANSPORT_TCP] = "tcp"};
	static const char *const versions[DP_TLS__COUNT] = {
		[DP_TLS_1_0] = "1.0", [DP_TLS_1_2] = "1.2", [DP_TLS_1_3] = "1.3"};
	uint64_t level = 0, seconds = 0;
	if (read_id(r, o, "id", &ret->id) != 0
		|| read_word(r, o, "transport", transports, DP_TRANSPORT__COUNT, &ret->transport)
			!= 0
		|| read_number16(r, o, "port", &ret->port) != 0 || read_wrap(r, o, ret) != 0
		|| read_word(r, o, "tls_minimum", versions, DP_TLS__COUNT, &ret->tls_minimum) != 0
		|| read_number(r, o, "security_level", 5, &level) != 0
		|| read_number(r, o, "renegotiate_seconds", UINT32_MAX, &seconds) != 0
		|| read_ciphers(r, json_object_get(o, "ciphers"), ret->cipher) != 0
		|| read_asks(r, o, &ret->flags) != 0)
		return -EINVAL;
	ret->security_level = (uint8_t)level;
	ret->renegotiate_s = (uint32_t)seconds;
	return ret->port != 0 ? 0 : read_refuse(r, "the port of a listener must not be 0");
}

static int read_listeners(const struct reader *r, const json_t *list, struct desired_openvpn *ret)
{
	size_t at;
	const json_t *o;
	if (!json_is_array(list))
		return read_refuse(r, "listeners must be a list");
	ret->listener = calloc(json_array_size(list) + 1, sizeof(ret->listener[0]));
	if (ret->listener == NULL)
		return -ENOMEM;
	json_array_foreach(list, at, o)
	{
		int err = read_listener(r, o, &ret->listener[ret->listeners++]);
		if (err != 0)
			return err;
	}
	return 0;
}

int desired_openvpn_read(const struct reader *r, const json_t *o, struct desired_openvpn **ret)
{
	const json_t *push = json_object_get(o, "push");
	if (o == NULL || json_is_null(o))
		return 0;
	*ret = calloc(1, sizeof(**ret));
	if (*ret == NULL)
		return -ENOMEM;
	int err = read_texts(r, o, *ret);
	if (err == 0)
		err = read_prefixes(r, json_object_get(push, "routes"), "push.routes", ROUTES_MAX,
			&(*ret)->routes);
	if (err == 0)
		err = read_dns(r, json_object_get(push, "dns"), *ret);
	if (err == 0)
		err = read_domains(r, json_object_get(push, "domains"), *ret);
	return err == 0 ? read_listeners(r, json_object_get(o, "listeners"), *ret) : err;
}

static bool has(const json_t *o, const char *name)
{
	const json_t *v = json_object_get(o, name);
	return v != NULL && !json_is_null(v);
}

static int read_password(const struct reader *r, const json_t *o, struct dp_openvpn *ret)
{
	const char *name = NULL;
	if (read_text(r, o, "username", &name) != 0)
		return -EINVAL;
	size_t len = strlen(name);
	if (len == 0 || len >= DP_USERNAME_LEN)
		return read_refuse(r, "username must have 1 to %d characters", DP_USERNAME_LEN - 1);
	memcpy(ret->username, name, len);
	if (read_hex(r, o, "password_salt", ret->salt, sizeof(ret->salt)) != 0)
		return -EINVAL;
	return read_hex(r, o, "password_sha256", ret->password, sizeof(ret->password));
}

int desired_credentials_read(const struct reader *r, const json_t *o, struct dp_openvpn **ret)
{
	if (o == NULL || json_is_null(o))
		return 0;
	if (!json_is_object(o))
		return read_refuse(r, "openvpn of a peer must be an object");
	bool has_username = has(o, "username"), has_certificate = has(o, "certificate_sha256");
	if (has(o, "password_salt") != has_username || has(o, "password_sha256") != has_username)
		return read_refuse(r, "username, password_salt and password_sha256 come together");
	if (!has_username && !has_certificate)
		return 0;
	*ret = calloc(1, sizeof(**ret));
	if (*ret == NULL)
		return -ENOMEM;
	if (has_certificate
		&& read_hex(r, o, "certificate_sha256", (*ret)->certificate,
			   sizeof((*ret)->certificate))
			!= 0)
		return -EINVAL;
	return has_username ? read_password(r, o, *ret) : 0;
}

void desired_openvpn_free(struct desired_openvpn *o)
{
	if (o == NULL)
		return;
	if (o->private_key != NULL)
		explicit_bzero(o->private_key, strlen(o->private_key));
	if (o->listener != NULL)
		explicit_bzero(o->listener, o->listeners * sizeof(o->listener[0]));
	free(o->ca);
	free(o->certificate);
	free(o->private_key);
	free(o->routes.prefix);
	free(o->listener);
	free(o);
}

void desired_credentials_free(struct dp_openvpn *o)
{
	if (o == NULL)
		return;
	explicit_bzero(o, sizeof(*o));
	free(o);
}
