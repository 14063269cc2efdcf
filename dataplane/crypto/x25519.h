/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_CRYPTO_X25519_H
#define DATAPLANE_CRYPTO_X25519_H

#include "dataplane/base/key.h"

#include <stdbool.h>

/* X25519 (RFC 7748) by libsodium; crypto_init() before. */

/* Fresh random bytes, clamped. 0 or -errno. */
int x25519_generate(struct key *ret_private);
/* Sets the bits that RFC 7748 section 5 fixes. */
void x25519_clamp(struct key *private_key);
/* 0 or -EIO. */
int x25519_public(const struct key *private_key, struct key *ret_public);
/* false, and nothing written, when the result is all zero (a point of low order): each caller
 * must refuse then (RFC 7748 section 6.1). */
bool x25519_shared(const struct key *private_key, const struct key *public_key, struct key *ret);

#endif
