// SPDX-License-Identifier: Apache-2.0
#include "dataplane/crypto/crypto.h"

#include <errno.h>
#include <sodium.h>

int crypto_init(void)
{
	return sodium_init() >= 0 ? 0 : -EIO;
}
