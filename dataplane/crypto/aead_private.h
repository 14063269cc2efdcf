/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_CRYPTO_AEAD_PRIVATE_H
#define DATAPLANE_CRYPTO_AEAD_PRIVATE_H

#include "dataplane/crypto/aead.h"

/* Begins each implementation's state. */
struct aead {
	const char *name;
	void (*seal)(struct aead *a, struct aead_job *jobs, unsigned int count);
	void (*open)(struct aead *a, struct aead_job *jobs, unsigned int count);
	void (*free)(struct aead *a);
};

#ifdef NAVE_HAVE_IPSEC_MB
int aead_ipsec_mb_new(struct aead **ret);
#endif

#endif
