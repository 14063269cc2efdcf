// SPDX-License-Identifier: Apache-2.0
/*
 * X.509 for OpenVPN: an authority for each instance, its server, its clients. ECDSA P-256, which
 * every OpenVPN since 2.4 and RouterOS take. Key usages are set as `remote-cert-tls` wants them: a
 * client's certificate can never pass for a server's.
 */
#include "control/model/certificate.h"

#include "dataplane/base/random.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum {
	DAY_S = 24 * 3600,
	SERIAL_BYTES = 16,
	NAMES_MAX_TEXT = 2048,
};

struct extension {
	int nid;
	const char *value;
};

static const struct extension authority_extensions[] = {
	{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
	{NID_key_usage, "critical,keyCertSign,cRLSign"},
	{NID_subject_key_identifier, "hash"},
	{0},
};

static const struct extension server_extensions[] = {
	{NID_basic_constraints, "critical,CA:FALSE"},
	{NID_key_usage, "critical,digitalSignature"},
	{NID_ext_key_usage, "serverAuth"},
	{NID_subject_key_identifier, "hash"},
	{NID_authority_key_identifier, "keyid:always"},
	{0},
};

static const struct extension client_extensions[] = {
	{NID_basic_constraints, "critical,CA:FALSE"},
	{NID_key_usage, "critical,digitalSignature"},
	{NID_ext_key_usage, "clientAuth"},
	{NID_subject_key_identifier, "hash"},
	{NID_authority_key_identifier, "keyid:always"},
	{0},
};

/* Random, so that nobody can choose what is signed next; below 2^127, so that it is positive. */
static bool set_serial(X509 *x)
{
	uint8_t raw[SERIAL_BYTES];
	if (random_bytes(raw, sizeof(raw)) < 0)
		return false;
	raw[0] = (uint8_t)((raw[0] & 0x3f) | 0x40);
	BIGNUM *number = BN_bin2bn(raw, sizeof(raw), NULL);
	bool ok = number != NULL && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x)) != NULL;
	BN_free(number);
	return ok;
}

static bool set_time(ASN1_TIME *at, int64_t seconds)
{
	return ASN1_TIME_set(at, (time_t)seconds) != NULL;
}

static bool set_name(X509_NAME *subject, const char *name)
{
	return X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8,
		       (const unsigned char *)name, -1, -1, 0)
		== 1;
}

static bool add_extension(X509 *x, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	bool ok = e != NULL && X509_add_ext(x, e, -1) == 1;
	X509_EXTENSION_free(e);
	return ok;
}

static bool add_extensions(X509 *x, X509 *issuer, const struct extension *list)
{
	for (; list->value != NULL; list++) {
		if (!add_extension(x, issuer, list->nid, list->value))
			return false;
	}
	return true;
}

/* "DNS:acme.vpn.example.net,IP:192.0.2.1" */
static bool add_names(X509 *x, X509 *issuer, const struct certificate_names *names)
{
	char text[NAMES_MAX_TEXT] = "", addr[IP_ADDR_TEXT];
	size_t len = 0;
	if (names->host != NULL)
		len = (size_t)snprintf(text, sizeof(text), "DNS:%s", names->host);
	for (size_t i = 0; i < names->address_count && len + IP_ADDR_TEXT + 4 < sizeof(text); i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%sIP:%s",
			len > 0 ? "," : "", ip_addr_format(&names->addresses[i], addr));
	return len == 0 || add_extension(x, issuer, NID_subject_alt_name, text);
}

static bool write_pem(BIO *bio, char *ret, size_t size)
{
	char *data = NULL;
	long len = BIO_get_mem_data(bio, &data);
	if (len <= 0 || (size_t)len >= size)
		return false;
	memcpy(ret, data, (size_t)len);
	ret[len] = '\0';
	return true;
}

static bool write_certificate(X509 *x, EVP_PKEY *key, struct certificate *ret)
{
	/* secmem: what it grows out of is wiped */
	BIO *text = BIO_new(BIO_s_mem()), *secret = BIO_new(BIO_s_secmem());
	bool ok = text != NULL && secret != NULL && PEM_write_bio_X509(text, x) == 1
		&& PEM_write_bio_PKCS8PrivateKey(secret, key, NULL, NULL, 0, NULL, NULL) == 1
		&& write_pem(text, ret->text, sizeof(ret->text))
		&& write_pem(secret, ret->private_key, sizeof(ret->private_key));
	BIO_free(text);
	BIO_free(secret);
	return ok;
}

static X509 *read_certificate(const char *text)
{
	BIO *bio = BIO_new_mem_buf(text, -1);
	X509 *x = bio != NULL ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
	BIO_free(bio);
	return x;
}

static EVP_PKEY *read_private_key(const char *text)
{
	BIO *bio = BIO_new_mem_buf(text, -1);
	EVP_PKEY *key = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
	BIO_free(bio);
	return key;
}

struct request {
	const struct certificate *authority; /* NULL: signs itself */
	const char *name;
	const struct extension *extensions;
	const struct certificate_names *names; /* NULL: none */
	int64_t now;
	int days;
};

static bool fill(X509 *x, X509 *issuer, EVP_PKEY *key, const struct request *r)
{
	X509 *by = issuer != NULL ? issuer : x;
	return X509_set_version(x, X509_VERSION_3) == 1 && set_serial(x)
		&& set_time(X509_getm_notBefore(x), r->now - DAY_S)
		&& set_time(X509_getm_notAfter(x), r->now + (int64_t)r->days * DAY_S)
		&& X509_set_pubkey(x, key) == 1 && set_name(X509_get_subject_name(x), r->name)
		&& X509_set_issuer_name(x, X509_get_subject_name(by)) == 1
		&& add_extensions(x, by, r->extensions)
		&& (r->names == NULL || add_names(x, by, r->names));
}

static int make(const struct request *r, struct certificate *ret)
{
	X509 *issuer = NULL, *x = X509_new();
	EVP_PKEY *key = EVP_EC_gen("P-256"), *signs = key;
	bool ok = x != NULL && key != NULL;
	if (ok && r->authority != NULL) {
		issuer = read_certificate(r->authority->text);
		signs = read_private_key(r->authority->private_key);
		ok = issuer != NULL && signs != NULL;
	}
	ok = ok && fill(x, issuer, key, r) && X509_sign(x, signs, EVP_sha256()) > 0
		&& write_certificate(x, key, ret);
	if (signs != key)
		EVP_PKEY_free(signs);
	EVP_PKEY_free(key);
	X509_free(issuer);
	X509_free(x);
	return ok ? 0 : -EIO;
}

int certificate_make_authority(const char *name, int64_t now, struct certificate *ret)
{
	const struct request r = {
		.name = name,
		.extensions = authority_extensions,
		.now = now,
		.days = CERTIFICATE_AUTHORITY_DAYS,
	};
	return make(&r, ret);
}

int certificate_make_server(const struct certificate *authority, const char *name,
	const struct certificate_names *names, int64_t now, struct certificate *ret)
{
	const struct request r = {
		.authority = authority,
		.name = name,
		.extensions = server_extensions,
		.names = names,
		.now = now,
		.days = CERTIFICATE_SERVER_DAYS,
	};
	return make(&r, ret);
}

int certificate_make_client(
	const struct certificate *authority, const char *name, int64_t now, struct certificate *ret)
{
	const struct request r = {
		.authority = authority,
		.name = name,
		.extensions = client_extensions,
		.now = now,
		.days = CERTIFICATE_CLIENT_DAYS,
	};
	return make(&r, ret);
}

int certificate_hash(const char *text, uint8_t ret[CERTIFICATE_HASH_LEN])
{
	unsigned int len = 0;
	uint8_t digest[EVP_MAX_MD_SIZE];
	X509 *x = read_certificate(text);
	bool ok = x != NULL && X509_digest(x, EVP_sha256(), digest, &len) == 1
		&& len == CERTIFICATE_HASH_LEN;
	X509_free(x);
	if (ok)
		memcpy(ret, digest, CERTIFICATE_HASH_LEN);
	return ok ? 0 : -EINVAL;
}
