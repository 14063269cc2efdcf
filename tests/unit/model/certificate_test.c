// SPDX-License-Identifier: Apache-2.0
/* Certificates as OpenSSL reads them: who signs whom, for what, for how long. */
#include "control/model/certificate.h"

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include <cmocka.h>

enum {
	DAY = 24 * 3600,
	NOW = 1800000000,
};

static X509 *read_x509(const char *text)
{
	BIO *bio = BIO_new_mem_buf(text, -1);
	X509 *x = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	BIO_free(bio);
	assert_non_null(x);
	return x;
}

/* X509_V_OK or why not. */
static int verify(const char *authority, const char *text, int purpose, time_t at)
{
	X509 *ca = read_x509(authority), *x = read_x509(text);
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	assert_int_equal(X509_STORE_add_cert(store, ca), 1);
	assert_int_equal(X509_STORE_CTX_init(ctx, store, x, NULL), 1);
	X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
	X509_VERIFY_PARAM_set_time(param, at);
	X509_VERIFY_PARAM_set_purpose(param, purpose);
	X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_X509_STRICT);
	(void)X509_verify_cert(ctx);
	int rc = X509_STORE_CTX_get_error(ctx);
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	X509_free(ca);
	X509_free(x);
	return rc;
}

static void make_all(struct certificate *ca, struct certificate *server, struct certificate *client)
{
	struct ip_addr addresses[2];
	assert_int_equal(ip_addr_parse("192.0.2.1", &addresses[0]), 0);
	assert_int_equal(ip_addr_parse("2001:db8::1", &addresses[1]), 0);
	const struct certificate_names names = {"acme.vpn.example.net", addresses, 2};
	assert_int_equal(certificate_make_authority("Nave acme", NOW, ca), 0);
	assert_int_equal(certificate_make_server(ca, "acme", &names, NOW, server), 0);
	assert_int_equal(certificate_make_client(ca, "alice", NOW, client), 0);
}

static void each_is_for_its_purpose(void **state)
{
	struct certificate ca, server, client, other;
	(void)state;
	make_all(&ca, &server, &client);
	assert_int_equal(verify(ca.text, server.text, X509_PURPOSE_SSL_SERVER, NOW), X509_V_OK);
	assert_int_equal(verify(ca.text, client.text, X509_PURPOSE_SSL_CLIENT, NOW), X509_V_OK);
	/* nobody's certificate passes for the server's */
	assert_int_equal(verify(ca.text, client.text, X509_PURPOSE_SSL_SERVER, NOW),
		X509_V_ERR_INVALID_PURPOSE);
	assert_int_equal(verify(ca.text, server.text, X509_PURPOSE_SSL_CLIENT, NOW),
		X509_V_ERR_INVALID_PURPOSE);
	/* nor one of another instance */
	assert_int_equal(certificate_make_authority("Nave acme", NOW, &other), 0);
	assert_int_not_equal(
		verify(other.text, client.text, X509_PURPOSE_SSL_CLIENT, NOW), X509_V_OK);
	/* nor does a client sign for others */
	struct certificate forged;
	assert_int_equal(certificate_make_client(&client, "mallory", NOW, &forged), 0);
	assert_int_not_equal(verify(ca.text, forged.text, X509_PURPOSE_SSL_CLIENT, NOW), X509_V_OK);
}

static void each_has_its_time(void **state)
{
	struct certificate ca, server, client;
	const time_t year = 365 * (time_t)DAY, now = NOW;
	(void)state;
	make_all(&ca, &server, &client);
	const struct {
		const char *text;
		int purpose;
		time_t at;
		int rc;
	} cases[] = {
		{server.text, X509_PURPOSE_SSL_SERVER, now - DAY + 1, X509_V_OK},
		{server.text, X509_PURPOSE_SSL_SERVER, now - DAY - 1,
			X509_V_ERR_CERT_NOT_YET_VALID},
		{server.text, X509_PURPOSE_SSL_SERVER, now + year - 1, X509_V_OK},
		{server.text, X509_PURPOSE_SSL_SERVER, now + year + 1, X509_V_ERR_CERT_HAS_EXPIRED},
		{client.text, X509_PURPOSE_SSL_CLIENT, now + 10 * year, X509_V_OK},
		{client.text, X509_PURPOSE_SSL_CLIENT, now + 11 * year,
			X509_V_ERR_CERT_HAS_EXPIRED},
		{ca.text, X509_PURPOSE_ANY, now + 20 * year, X509_V_OK},
		{ca.text, X509_PURPOSE_ANY, now + 21 * year, X509_V_ERR_CERT_HAS_EXPIRED},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(
			verify(ca.text, cases[i].text, cases[i].purpose, cases[i].at), cases[i].rc);
}

static void names_and_keys(void **state)
{
	struct certificate ca, server, client;
	char name[CERTIFICATE_NAME_TEXT] = "";
	(void)state;
	make_all(&ca, &server, &client);
	X509 *x = read_x509(server.text);
	assert_int_equal(X509_check_host(x, "acme.vpn.example.net", 0, 0, NULL), 1);
	assert_int_equal(X509_check_ip_asc(x, "192.0.2.1", 0), 1);
	assert_int_equal(X509_check_ip_asc(x, "2001:db8::1", 0), 1);
	assert_int_equal(X509_check_ip_asc(x, "192.0.2.2", 0), 0);
	(void)X509_NAME_get_text_by_NID(
		X509_get_subject_name(x), NID_commonName, name, sizeof(name));
	assert_string_equal(name, "acme");
	BIO *bio = BIO_new_mem_buf(server.private_key, -1);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	BIO_free(bio);
	assert_int_equal(X509_check_private_key(x, key), 1);
	(void)EVP_PKEY_get_group_name(key, name, sizeof(name), NULL);
	assert_string_equal(name, "prime256v1");
	EVP_PKEY_free(key);
	X509_free(x);
	assert_string_not_equal(server.private_key, client.private_key);
}

static void hashes(void **state)
{
	struct certificate ca, one, two;
	uint8_t a[CERTIFICATE_HASH_LEN], b[CERTIFICATE_HASH_LEN];
	(void)state;
	assert_int_equal(certificate_make_authority("Nave acme", NOW, &ca), 0);
	assert_int_equal(certificate_make_client(&ca, "alice", NOW, &one), 0);
	assert_int_equal(certificate_make_client(&ca, "alice", NOW, &two), 0);
	assert_int_equal(certificate_hash(one.text, a), 0);
	assert_int_equal(certificate_hash(two.text, b), 0);
	assert_memory_not_equal(a, b, sizeof(a));
	assert_int_not_equal(certificate_hash("hello", a), 0);
	assert_int_not_equal(certificate_hash("", a), 0);
	/* an authority that cannot be read signs nothing */
	memset(ca.private_key, 'x', 40);
	assert_int_not_equal(certificate_make_client(&ca, "alice", NOW, &one), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_is_for_its_purpose),
		cmocka_unit_test(each_has_its_time),
		cmocka_unit_test(names_and_keys),
		cmocka_unit_test(hashes),
	};
	return cmocka_run_group_tests_name("model/certificate", tests, NULL, NULL);
}
