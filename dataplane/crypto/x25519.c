// SPDX-License-Identifier: Apache-2.0
#include "dataplane/crypto/x25519.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stddef.h>

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

/* OpenSSL refuses all-zero results by itself; the check stays, because it is ours to keep. */
bool x25519_shared(const struct key *private_key, const struct key *public_key, struct key *ret)
{
	struct key shared = {0};
	size_t len = KEY_LEN;
	EVP_PKEY *own =
		EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, private_key->bytes, KEY_LEN);
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
