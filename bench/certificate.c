// SPDX-License-Identifier: Apache-2.0
#include "bench/certificate.h"

#undef NDEBUG /* the calls that are checked stand in the checks */
#include <assert.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

static char *text_of(BIO *b)
{
	char *data;
	long len = BIO_get_mem_data(b, &data);
	char *text = calloc((size_t)len + 1, 1); /* what lies in the BIO does not end in a NUL */
	assert(text != NULL);
	memcpy(text, data, (size_t)len);
	BIO_free(b);
	return text;
}

static X509 *read_certificate(const char *pem)
{
	BIO *b = BIO_new_mem_buf(pem, -1);
	X509 *x = PEM_read_bio_X509(b, NULL, NULL, NULL);
	BIO_free(b);
	assert(x != NULL);
	return x;
}

static EVP_PKEY *read_key(const char *pem)
{
	BIO *b = BIO_new_mem_buf(pem, -1);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(b, NULL, NULL, NULL);
	BIO_free(b);
	assert(key != NULL);
	return key;
}

static void extend(X509 *x, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	assert(e != NULL && X509_add_ext(x, e, -1) == 1);
	X509_EXTENSION_free(e);
}

static X509 *make(EVP_PKEY *key, const X509 *issuer, const char *name, unsigned int name_len)
{
	static long serial = 1;
	X509 *x = X509_new();
	X509_NAME *subject = X509_NAME_new();
	assert(x != NULL && subject != NULL);
	assert(X509_NAME_add_entry_by_NID(subject, NID_commonName, V_ASN1_UTF8STRING,
		       (const unsigned char *)name, (int)name_len, -1, 0)
		== 1);
	assert(X509_set_version(x, 2) == 1 && X509_set_subject_name(x, subject) == 1);
	assert(X509_set_issuer_name(x, issuer != NULL ? X509_get_subject_name(issuer) : subject)
		== 1);
	assert(ASN1_INTEGER_set(X509_get_serialNumber(x), serial++) == 1);
	assert(X509_gmtime_adj(X509_getm_notBefore(x), -60) != NULL
		&& X509_gmtime_adj(X509_getm_notAfter(x), 3600) != NULL);
	assert(X509_set_pubkey(x, key) == 1);
	X509_NAME_free(subject);
	return x;
}

static void make_odd(X509 *x, enum certificate_oddity odd)
{
	if (odd == CERTIFICATE_EXPIRED)
		assert(X509_gmtime_adj(X509_getm_notAfter(x), -30) != NULL);
	else if (odd == CERTIFICATE_NOT_YET)
		assert(X509_gmtime_adj(X509_getm_notBefore(x), 1800) != NULL);
	else if (odd == CERTIFICATE_OF_SERVER)
		extend(x, NID_ext_key_usage, "serverAuth");
	else if (odd == CERTIFICATE_SIGNS)
		extend(x, NID_basic_constraints, "critical,CA:TRUE");
}

static struct certificate make_and_sign(const struct certificate *ca, const char *name,
	unsigned int name_len, enum certificate_oddity odd)
{
	EVP_PKEY *key = EVP_EC_gen("P-256"), *signer = ca != NULL ? read_key(ca->private_key) : key;
	X509 *issuer = ca != NULL ? read_certificate(ca->certificate) : NULL;
	assert(key != NULL);
	X509 *x = make(key, issuer, name, name_len);
	make_odd(x, odd);
	assert(X509_sign(x, signer, EVP_sha256()) > 0);
	BIO *certificate = BIO_new(BIO_s_mem()), *private_key = BIO_new(BIO_s_mem());
	assert(PEM_write_bio_X509(certificate, x) == 1);
	assert(PEM_write_bio_PrivateKey(private_key, key, NULL, NULL, 0, NULL, NULL) == 1);
	X509_free(x);
	X509_free(issuer);
	if (signer != key)
		EVP_PKEY_free(signer);
	EVP_PKEY_free(key);
	return (struct certificate){text_of(certificate), text_of(private_key)};
}

struct certificate certificate_make(
	const struct certificate *ca, const char *name, unsigned int name_len)
{
	return make_and_sign(
		ca, name, name_len, ca == NULL ? CERTIFICATE_SIGNS : CERTIFICATE_USUAL);
}

struct certificate certificate_make_odd(
	const struct certificate *ca, const char *name, enum certificate_oddity odd)
{
	return make_and_sign(ca, name, (unsigned int)strlen(name), odd);
}

void certificate_free(struct certificate *c)
{
	free(c->certificate);
	free(c->private_key);
}
