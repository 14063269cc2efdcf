// SPDX-License-Identifier: Apache-2.0
/*
 * Keys in the two file formats of OpenVPN: a static key in hex, and a tls-crypt-v2 client key in
 * PEM. The latter is the client's key and, behind it, the same wrapped for the server: doc/tls-crypt-v2.txt.
 * The client's key is derived from the server's and the peer's id, so nothing has to be kept.
 */
#include "control/profile/openvpn_wrap.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

enum {
	LINE_BYTES = 16, /* of a static key's file */
	CLIENT_KEY_LEN = 256,
	TAG_LEN = 32,
	METADATA_LEN = 1 + 8, /* type timestamp, seconds */
	METADATA_TIMESTAMP = 1,
	LENGTH_LEN = 2,
	WRAPPED_LEN = TAG_LEN + CLIENT_KEY_LEN + METADATA_LEN + LENGTH_LEN,
	SERVER_HMAC_KEY = 64, /* where it stands in the server's key; the cipher's is in front */
	SUBKEY_LEN = 32,
	PEM_LINE = 64,
};

static void format_static(const uint8_t *key, char ret[OPENVPN_WRAP_TEXT])
{
	size_t len =
		(size_t)snprintf(ret, OPENVPN_WRAP_TEXT, "-----BEGIN OpenVPN Static key V1-----\n");
	for (size_t i = 0; i < OPENVPN_WRAP_KEY_LEN; i++)
		len += (size_t)snprintf(ret + len, OPENVPN_WRAP_TEXT - len, "%02x%s", key[i],
			(i + 1) % LINE_BYTES == 0 ? "\n" : "");
	(void)snprintf(ret + len, OPENVPN_WRAP_TEXT - len, "-----END OpenVPN Static key V1-----\n");
}

static bool derive(const uint8_t *server_key, const struct peer *p, uint8_t ret[CLIENT_KEY_LEN])
{
	static const char label[] = "nave tls-crypt-v2 client key";
	for (unsigned int n = 0; n < CLIENT_KEY_LEN / SUBKEY_LEN; n++) {
		uint8_t input[sizeof(label) + sizeof(p->id.bytes) + 1];
		unsigned int len = SUBKEY_LEN;
		memcpy(input, label, sizeof(label));
		memcpy(input + sizeof(label), p->id.bytes, sizeof(p->id.bytes));
		input[sizeof(input) - 1] = (uint8_t)n;
		if (HMAC(EVP_sha256(), server_key, OPENVPN_WRAP_KEY_V2_LEN, input, sizeof(input),
			    ret + (size_t)n * SUBKEY_LEN, &len)
			== NULL)
			return false;
	}
	return true;
}

/* tag || AES-256-CTR(client key || metadata) || length; the tag is over all of it in clear. */
static bool wrap_key(
	const uint8_t *server_key, const uint8_t *client_key, int64_t at, uint8_t ret[WRAPPED_LEN])
{
	uint8_t plain[LENGTH_LEN + CLIENT_KEY_LEN + METADATA_LEN] = {
		WRAPPED_LEN >> 8, WRAPPED_LEN & 0xff};
	unsigned int tag_len = TAG_LEN;
	int n = 0;
	memcpy(plain + LENGTH_LEN, client_key, CLIENT_KEY_LEN);
	plain[LENGTH_LEN + CLIENT_KEY_LEN] = METADATA_TIMESTAMP;
	for (unsigned int i = 0; i < 8; i++)
		plain[LENGTH_LEN + CLIENT_KEY_LEN + 1 + i] =
			(uint8_t)((uint64_t)at >> (56 - 8 * i));
	bool ok = HMAC(EVP_sha256(), server_key + SERVER_HMAC_KEY, SUBKEY_LEN, plain, sizeof(plain),
			  ret, &tag_len)
		!= NULL;
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	ok = ok && ctx != NULL
		&& EVP_EncryptInit_ex(ctx, EVP_aes_256_ctr(), NULL, server_key, ret) == 1
		&& EVP_EncryptUpdate(ctx, ret + TAG_LEN, &n, plain + LENGTH_LEN,
			   CLIENT_KEY_LEN + METADATA_LEN)
			== 1;
	EVP_CIPHER_CTX_free(ctx);
	explicit_bzero(plain, sizeof(plain));
	ret[WRAPPED_LEN - 2] = WRAPPED_LEN >> 8;
	ret[WRAPPED_LEN - 1] = WRAPPED_LEN & 0xff;
	return ok;
}

static void format_client_key(const uint8_t *data, size_t len, char ret[OPENVPN_WRAP_TEXT])
{
	uint8_t base64[4 * ((CLIENT_KEY_LEN + WRAPPED_LEN + 2) / 3) + 1];
	int all = EVP_EncodeBlock(base64, data, (int)len);
	size_t at = (size_t)snprintf(
		ret, OPENVPN_WRAP_TEXT, "-----BEGIN OpenVPN tls-crypt-v2 client key-----\n");
	for (int i = 0; i < all; i += PEM_LINE)
		at += (size_t)snprintf(ret + at, OPENVPN_WRAP_TEXT - at, "%.*s\n", PEM_LINE,
			(const char *)base64 + i);
	(void)snprintf(ret + at, OPENVPN_WRAP_TEXT - at,
		"-----END OpenVPN tls-crypt-v2 client key-----\n");
	explicit_bzero(base64, sizeof(base64));
}

void openvpn_wrap_format(enum openvpn_wrap wrap, const uint8_t *keys, const struct peer *p,
	char ret[OPENVPN_WRAP_TEXT])
{
	uint8_t both[CLIENT_KEY_LEN + WRAPPED_LEN];
	const uint8_t *server_key = keys + OPENVPN_WRAP_KEY_LEN;
	ret[0] = '\0';
	if (wrap == OPENVPN_WRAP_TLS_AUTH || wrap == OPENVPN_WRAP_TLS_CRYPT)
		format_static(keys, ret);
	else if (wrap == OPENVPN_WRAP_TLS_CRYPT_V2 && derive(server_key, p, both)
		&& wrap_key(server_key, both, p->created_at, both + CLIENT_KEY_LEN))
		format_client_key(both, sizeof(both), ret);
	explicit_bzero(both, sizeof(both));
}
