// SPDX-License-Identifier: Apache-2.0
#include "control/model/wireguard_key.h"

#include <errno.h>
#include <openssl/evp.h>
#include <string.h>

int wireguard_key_generate(struct key *ret_private, struct key *ret_public)
{
	struct key fresh;
	struct key public_key;
	size_t len = KEY_LEN;
	int rc = key_generate(&fresh);
	if (rc < 0)
		return rc;
	/* RFC 7748 section 5: the form in which wg(8) prints private keys. */
	fresh.bytes[0] &= 248;
	fresh.bytes[31] = (uint8_t)((fresh.bytes[31] & 127) | 64);
	EVP_PKEY *pair = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, fresh.bytes, KEY_LEN);
	rc = -EIO;
	if (pair != NULL && EVP_PKEY_get_raw_public_key(pair, public_key.bytes, &len) == 1
		&& len == KEY_LEN) {
		*ret_private = fresh;
		*ret_public = public_key;
		rc = 0;
	}
	EVP_PKEY_free(pair);
	key_wipe(&fresh);
	return rc;
}

/* With a point of small order every shared secret is zero, and OpenSSL refuses to derive it. */
static bool derives_a_secret(const struct key *public_key)
{
	struct key mine;
	struct key unused;
	struct key shared;
	size_t len = KEY_LEN;
	if (wireguard_key_generate(&mine, &unused) < 0)
		return false;
	EVP_PKEY *own = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, mine.bytes, KEY_LEN);
	EVP_PKEY *peer =
		EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, public_key->bytes, KEY_LEN);
	EVP_PKEY_CTX *ctx = own != NULL ? EVP_PKEY_CTX_new(own, NULL) : NULL;
	bool ok = peer != NULL && ctx != NULL && EVP_PKEY_derive_init(ctx) == 1
		&& EVP_PKEY_derive_set_peer(ctx, peer) == 1
		&& EVP_PKEY_derive(ctx, shared.bytes, &len) == 1;
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(peer);
	EVP_PKEY_free(own);
	key_wipe(&mine);
	key_wipe(&shared);
	return ok;
}

const char *wireguard_public_key_check(const struct key *public_key)
{
	if (key_is_zero(public_key) || !derives_a_secret(public_key))
		return "is a weak key: nobody can talk to it in secret";
	return NULL;
}
