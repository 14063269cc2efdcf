/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_CRYPTO_CRYPTO_H
#define DATAPLANE_CRYPTO_CRYPTO_H

/*
 * libsodium looks at the processor and picks its fast code, which x25519.h and chacha20poly1305.h then
 * use; without it they work, slower. Before other threads use those, and before the sandbox closes (it
 * may open the kernel's random device). More than once does no harm. 0 or -EIO.
 */
int crypto_init(void);

#endif
