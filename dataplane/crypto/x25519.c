// SPDX-License-Identifier: Apache-2.0
#include "dataplane/crypto/x25519.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stddef.h>
#include <stdint.h>

void x25519_clamp(struct key *private_key)
{
	private_key->bytes[0] &= 248;
	private_key->bytes[31] = (uint8_t)((private_key->bytes[31] & 127) | 64);
}

int x25519_generate(struct key *ret_private)
{
	int err = key_generate(ret_private);
	if (err == 0)
		x25519_clamp(ret_private);
	return err;
}

int x25519_public(const struct key *private_key, struct key *ret_public)
{
	size_t len = KEY_LEN;
	EVP_PKEY *own =
		EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, private_key->bytes, KEY_LEN);
	bool ok = own != NULL && EVP_PKEY_get_raw_public_key(own, ret_public->bytes, &len) == 1;
	EVP_PKEY_free(own);
	return ok ? 0 : -EIO;
}

/* With a public key beside it, so that OpenSSL does not compute one: derive does not look at it, and it
 * would cost as much as the derivation. */
static EVP_PKEY *key_for_derive(const struct key *private_key, const struct key *public_key)
{
	/* only read. NOLINTBEGIN(performance-no-int-to-ptr) */
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_octet_string(
			OSSL_PKEY_PARAM_PRIV_KEY, (void *)(uintptr_t)private_key->bytes, KEY_LEN),
		OSSL_PARAM_construct_octet_string(
			OSSL_PKEY_PARAM_PUB_KEY, (void *)(uintptr_t)public_key->bytes, KEY_LEN),
		OSSL_PARAM_construct_end(),
	};
	/* NOLINTEND(performance-no-int-to-ptr) */
	EVP_PKEY *ret = NULL;
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_id(EVP_PKEY_X25519, NULL);
	if (ctx != NULL && EVP_PKEY_fromdata_init(ctx) == 1)
		(void)EVP_PKEY_fromdata(ctx, &ret, EVP_PKEY_KEYPAIR, params);
	EVP_PKEY_CTX_free(ctx);
	return ret;
}

/* OpenSSL refuses all-zero results by itself; the check stays, because it is ours to keep. */
bool x25519_shared(const struct key *private_key, const struct key *public_key, struct key *ret)
{
	struct key shared = {0};
	size_t len = KEY_LEN;
	EVP_PKEY *own = key_for_derive(private_key, public_key);
	EVP_PKEY *other =
		EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, public_key->bytes, KEY_LEN);
	EVP_PKEY_CTX *ctx = own != NULL ? EVP_PKEY_CTX_new(own, NULL) : NULL;
	bool ok = ctx != NULL && other != NULL && EVP_PKEY_derive_init(ctx) == 1
		&& EVP_PKEY_derive_set_peer(ctx, other) == 1
		&& EVP_PKEY_derive(ctx, shared.bytes, &len) == 1 && len == KEY_LEN
		&& !key_is_zero(&shared);
	if (ok)
		*ret = shared;
	key_wipe(&shared);
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(other);
	EVP_PKEY_free(own);
	return ok;
}
