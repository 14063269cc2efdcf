/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_MODEL_WIREGUARD_KEY_H
#define CONTROL_MODEL_WIREGUARD_KEY_H

#include "dataplane/base/key.h"

/* A fresh Curve25519 pair. The caller wipes the private key. 0 or -errno. */
int wireguard_key_generate(struct key *ret_private, struct key *ret_public);
/* NULL when others may talk to this key, else why not. */
const char *wireguard_public_key_check(const struct key *public_key);

#endif
