// SPDX-License-Identifier: Apache-2.0
#include "dataplane/crypto/x25519.h"

#include <errno.h>
#include <sodium.h>
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
	return crypto_scalarmult_base(ret_public->bytes, private_key->bytes) == 0 ? 0 : -EIO;
}

/* libsodium refuses all-zero results by itself; the check stays, because it is ours to keep. */
bool x25519_shared(const struct key *private_key, const struct key *public_key, struct key *ret)
{
	struct key shared = {0};
	bool ok = crypto_scalarmult(shared.bytes, private_key->bytes, public_key->bytes) == 0
		&& !key_is_zero(&shared);
	if (ok)
		*ret = shared;
	key_wipe(&shared);
	return ok;
}
