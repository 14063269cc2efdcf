// SPDX-License-Identifier: Apache-2.0
#include "dataplane/crypto/aead.h"

#include "dataplane/crypto/aead_private.h"

#include <stddef.h>

int aead_new(struct aead **ret)
{
#ifdef NAVE_HAVE_IPSEC_MB
	if (aead_ipsec_mb_new(ret) == 0)
		return 0;
#endif
	return aead_openssl_new(ret);
}

void aead_free(struct aead *a)
{
	if (a != NULL)
		a->free(a);
}

const char *aead_name(const struct aead *a)
{
	return a->name;
}

void aead_chacha20_poly1305_seal(struct aead *a, struct aead_job *jobs, unsigned int count)
{
	a->seal(a, jobs, count);
}

void aead_chacha20_poly1305_open(struct aead *a, struct aead_job *jobs, unsigned int count)
{
	a->open(a, jobs, count);
}
