// SPDX-License-Identifier: Apache-2.0
/* One packet after the other by OpenSSL: where there is no ipsec-mb, and to check it against. */
#include "dataplane/crypto/aead_private.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stddef.h>
#include <stdlib.h>

struct aead_openssl {
	struct aead aead; /* first */
	EVP_CIPHER *cipher;
	EVP_CIPHER_CTX *ctx;
};

static void free_openssl(struct aead *a)
{
	struct aead_openssl *o = (struct aead_openssl *)a;
	EVP_CIPHER_CTX_free(o->ctx);
	EVP_CIPHER_free(o->cipher);
	free(o);
}

/* A failing EVP call here means a broken library, not a bad packet: the job is then not ok. */
static bool crypt_job(struct aead_openssl *o, struct aead_job *job, int encrypt)
{
	int n = 0;
	uint8_t *tag = job->data + job->len;
	if (EVP_CipherInit_ex2(o->ctx, o->cipher, job->key->bytes, job->nonce, encrypt, NULL) != 1)
		return false;
	if (!encrypt && EVP_CIPHER_CTX_ctrl(o->ctx, EVP_CTRL_AEAD_SET_TAG, AEAD_TAG_LEN, tag) != 1)
		return false;
	if (job->len > 0 && EVP_CipherUpdate(o->ctx, job->data, &n, job->data, (int)job->len) != 1)
		return false;
	if (EVP_CipherFinal_ex(o->ctx, job->data + n, &n) != 1)
		return false;
	return !encrypt
		|| EVP_CIPHER_CTX_ctrl(o->ctx, EVP_CTRL_AEAD_GET_TAG, AEAD_TAG_LEN, tag) == 1;
}

static void seal_openssl(struct aead *a, struct aead_job *jobs, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		jobs[i].ok = crypt_job((struct aead_openssl *)a, &jobs[i], 1);
}

static void open_openssl(struct aead *a, struct aead_job *jobs, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		jobs[i].ok = crypt_job((struct aead_openssl *)a, &jobs[i], 0);
}

int aead_openssl_new(struct aead **ret)
{
	struct aead_openssl *o = calloc(1, sizeof(*o));
	if (o == NULL)
		return -ENOMEM;
	o->aead = (struct aead){"OpenSSL", seal_openssl, open_openssl, free_openssl};
	o->cipher = EVP_CIPHER_fetch(NULL, "ChaCha20-Poly1305", NULL);
	o->ctx = EVP_CIPHER_CTX_new();
	if (o->cipher == NULL || o->ctx == NULL) {
		free_openssl(&o->aead);
		return -ENOTSUP;
	}
	*ret = &o->aead;
	return 0;
}
