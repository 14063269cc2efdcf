// SPDX-License-Identifier: Apache-2.0
#include "dataplane/ovpn/tls_crypt.h"

#include <errno.h>
#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <string.h>

EVP_MAC_CTX *hmac_new(const char *digest, const uint8_t *key, size_t key_len)
{
	EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *mac = hmac != NULL ? EVP_MAC_CTX_new(hmac) : NULL;
	EVP_MAC_free(hmac);
	char name[16] = {0};
	(void)strncpy(name, digest, sizeof(name) - 1);
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
		OSSL_PARAM_construct_end(),
	};
	if (mac != NULL && EVP_MAC_init(mac, key, key_len, params) == 1)
		return mac;
	EVP_MAC_CTX_free(mac);
	return NULL;
}

bool hmac_compute(EVP_MAC_CTX *mac, const struct tls_crypt_text *in, uint8_t *ret, size_t mac_len)
{
	size_t len = 0;
	return EVP_MAC_init(mac, NULL, 0, NULL) == 1
		&& EVP_MAC_update(mac, in->clear, in->clear_len) == 1
		&& (in->text_len == 0 || EVP_MAC_update(mac, in->text, in->text_len) == 1)
		&& EVP_MAC_final(mac, ret, &len, mac_len) == 1 && len == mac_len;
}

int tls_crypt_init(struct tls_crypt *t, const uint8_t *cipher_key, const uint8_t *hmac_key)
{
	EVP_CIPHER *aes = EVP_CIPHER_fetch(NULL, "AES-256-CTR", NULL);
	t->mac = hmac_new("SHA256", hmac_key, TLS_CRYPT_KEY_LEN);
	t->ctr = EVP_CIPHER_CTX_new();
	bool ok = aes != NULL && t->mac != NULL && t->ctr != NULL
		&& EVP_EncryptInit_ex2(t->ctr, aes, cipher_key, NULL, NULL) == 1;
	EVP_CIPHER_free(aes);
	if (ok)
		return 0;
	tls_crypt_fini(t);
	return -ENOMEM;
}

int tls_crypt_set_keys(struct tls_crypt *t, const uint8_t *cipher_key, const uint8_t *hmac_key)
{
	bool ok = EVP_MAC_init(t->mac, hmac_key, TLS_CRYPT_KEY_LEN, NULL) == 1
		&& EVP_EncryptInit_ex2(t->ctr, NULL, cipher_key, NULL, NULL) == 1;
	return ok ? 0 : -ENOMEM;
}

void tls_crypt_fini(struct tls_crypt *t)
{
	EVP_MAC_CTX_free(t->mac);
	EVP_CIPHER_CTX_free(t->ctr);
	*t = (struct tls_crypt){0};
}

/* Counter mode: the same both ways. The IV is the first 16 bytes of the tag. */
static bool apply_keystream(
	struct tls_crypt *t, const uint8_t *tag, const uint8_t *in, size_t len, uint8_t *out)
{
	int n = 0;
	if (len > INT_MAX || EVP_EncryptInit_ex2(t->ctr, NULL, NULL, tag, NULL) != 1)
		return false;
	return len == 0 || (EVP_EncryptUpdate(t->ctr, out, &n, in, (int)len) == 1 && n == (int)len);
}

int tls_crypt_seal(struct tls_crypt *t, const struct tls_crypt_text *in,
	uint8_t tag[TLS_CRYPT_TAG_LEN], uint8_t *out)
{
	if (!hmac_compute(t->mac, in, tag, TLS_CRYPT_TAG_LEN))
		return -EIO;
	return apply_keystream(t, tag, in->text, in->text_len, out) ? 0 : -EIO;
}

int tls_crypt_open(struct tls_crypt *t, const struct tls_crypt_text *in,
	const uint8_t tag[TLS_CRYPT_TAG_LEN], uint8_t *out)
{
	uint8_t wanted[TLS_CRYPT_TAG_LEN];
	struct tls_crypt_text plain = {in->clear, in->clear_len, out, in->text_len};
	bool ok = apply_keystream(t, tag, in->text, in->text_len, out)
		&& hmac_compute(t->mac, &plain, wanted, sizeof(wanted))
		&& CRYPTO_memcmp(wanted, tag, sizeof(wanted)) == 0;
	if (ok)
		return 0;
	explicit_bzero(out, in->text_len);
	explicit_bzero(wanted, sizeof(wanted)); /* would forge this packet */
	return -EBADMSG;
}
