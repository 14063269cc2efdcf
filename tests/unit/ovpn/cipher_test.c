// SPDX-License-Identifier: Apache-2.0
/* Which cipher a client gets, and what it is told when none (checklist 32, 33, 34). */
#include "dataplane/ovpn/cipher.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct cipher_policy policy(const char *const *names, size_t count)
{
	struct cipher_policy p = {
		.digests = {&data_digests[0], &data_digests[1], &data_digests[2]},
		.digest_count = 3,
		.cipher_count = count,
	};
	for (size_t i = 0; i < count; i++) {
		p.ciphers[i] = data_cipher_find(names[i], strlen(names[i]));
		assert_non_null(p.ciphers[i]);
	}
	return p;
}

static const char *const modern[] = {"AES-256-GCM", "AES-128-GCM", "CHACHA20-POLY1305"};
static const char *const old[] = {"AES-256-GCM", "AES-256-CBC", "AES-128-CBC"};

static void must_choose(const struct cipher_policy *p, const struct cipher_offer *o,
	const char *name, const char *digest, bool is_pushed)
{
	struct cipher_choice c;
	assert_int_equal(cipher_choose(p, o, &c), CIPHER_CHOSEN);
	assert_string_equal(c.name, name);
	assert_int_equal(c.is_pushed, is_pushed);
	assert_true(cipher_suite_is_valid(&c.suite));
	assert_int_equal(c.suite.algorithm, data_cipher_find(name, strlen(name))->algorithm);
	assert_int_equal(c.suite.digest,
		digest == NULL ? CIPHER_NO_DIGEST
			       : data_digest_find(digest, strlen(digest))->digest);
}

static void must_refuse(const struct cipher_policy *p, const struct cipher_offer *o,
	enum cipher_verdict v, const char *reason)
{
	struct cipher_choice c = {.is_pushed = true};
	assert_int_equal(cipher_choose(p, o, &c), v);
	assert_null(c.name);
	assert_true(c.is_pushed); /* untouched */
	assert_string_equal(cipher_reason(v), reason);
}

static void table(void **state)
{
	static const struct {
		const char *name;
		enum cipher_algorithm algorithm;
	} wanted[] = {
		{"aes-256-gcm", CIPHER_AES_256_GCM},
		{"AES-192-GCM", CIPHER_AES_192_GCM},
		{"AES-128-GCM", CIPHER_AES_128_GCM},
		{"ChaCha20-Poly1305", CIPHER_CHACHA20_POLY1305},
		{"AES-256-CBC", CIPHER_AES_256_CBC},
		{"AES-192-CBC", CIPHER_AES_192_CBC},
		{"AES-128-CBC", CIPHER_AES_128_CBC},
	};
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		const struct data_cipher *c =
			data_cipher_find(wanted[i].name, strlen(wanted[i].name));
		assert_non_null(c);
		assert_int_equal(c->algorithm, wanted[i].algorithm);
	}
	assert_null(data_cipher_find("BF-CBC", 6));
	assert_null(data_cipher_find("AES-256-GCMX", 12));
	assert_null(data_cipher_find("AES-256-GC", 10));
	assert_null(data_cipher_find("", 0));
	assert_int_equal(data_digest_find("sha1", 4)->digest, CIPHER_HMAC_SHA1);
	assert_int_equal(data_digest_find("SHA256", 6)->digest, CIPHER_HMAC_SHA256);
	assert_int_equal(data_digest_find("SHA512", 6)->digest, CIPHER_HMAC_SHA512);
	assert_null(data_digest_find("MD5", 3));
}

static void server_order(void **state)
{
	static const char *const reverse[] = {"CHACHA20-POLY1305", "AES-128-GCM", "AES-256-GCM"};
	struct cipher_policy p = policy(modern, 3), q = policy(reverse, 3);
	struct cipher_offer o = {.iv_ciphers = "CHACHA20-POLY1305:AES-128-GCM:AES-256-GCM",
		.iv_ncp = 2,
		.occ_cipher = "AES-256-GCM",
		.occ_auth = "[null-digest]"};
	must_choose(&p, &o, "AES-256-GCM", NULL, true);
	must_choose(&q, &o, "CHACHA20-POLY1305", NULL, true);
	o.iv_ciphers = "BF-CBC::AES-128-GCM"; /* an empty name is none */
	must_choose(&q, &o, "AES-128-GCM", NULL, true);
}

static void no_common_cipher(void **state)
{
	static const char text[] = "Data channel cipher negotiation failed (no shared cipher)";
	struct cipher_policy p = policy(modern, 3);
	struct cipher_offer o = {.iv_ciphers = "AES-192-GCM:AES-256-GCMX:AES-256-GC",
		.iv_ncp = 2,
		.occ_cipher = "AES-256-GCM",
		.occ_auth = ""};
	/* the OCC cipher counts only where IV_CIPHERS is absent */
	must_refuse(&p, &o, CIPHER_NOT_SHARED, text);
	o.iv_ciphers = "";
	must_refuse(&p, &o, CIPHER_NOT_SHARED, text);
	o = (struct cipher_offer){.occ_cipher = "", .occ_auth = ""};
	must_refuse(&p, &o, CIPHER_NOT_SHARED, text);
	assert_null(cipher_reason(CIPHER_CHOSEN));
}

static void ncp_without_a_list(void **state)
{
	struct cipher_policy p = policy(modern, 3);
	struct cipher_offer o = {.iv_ncp = 2, .occ_cipher = "BF-CBC", .occ_auth = "SHA1"};
	must_choose(&p, &o, "AES-256-GCM", NULL, true);
	o.iv_ncp = 1; /* not this version */
	must_refuse(&p, &o, CIPHER_SMALL_BLOCK,
		"Data channel cipher negotiation failed (64-bit block cipher, use AES)");
}

static void occ_cipher(void **state)
{
	struct cipher_policy p = policy(old, 3), q = policy(modern, 3);
	struct cipher_offer o = {.occ_cipher = "AES-128-CBC", .occ_auth = "SHA256"};
	must_choose(&p, &o, "AES-128-CBC", "SHA256", false);
	must_refuse(&q, &o, CIPHER_NOT_SHARED,
		"Data channel cipher negotiation failed (no shared cipher)");
	o.occ_auth = ""; /* OpenVPN's default */
	must_choose(&p, &o, "AES-128-CBC", "SHA1", false);
	o.occ_cipher = "AES-256-GCM";
	o.occ_auth = "[null-digest]";
	must_choose(&p, &o, "AES-256-GCM", NULL, false);
}

static void digest_of_cbc(void **state)
{
	static const char refused[] =
		"Data channel cipher negotiation failed (auth digest not allowed)";
	struct cipher_policy p = policy(old, 3);
	struct cipher_offer o = {.occ_cipher = "AES-256-CBC", .occ_auth = "SHA512"};
	must_choose(&p, &o, "AES-256-CBC", "SHA512", false);
	o.occ_auth = "MD5";
	must_refuse(&p, &o, CIPHER_AUTH_NOT_ALLOWED, refused);
	o.occ_auth = "[null-digest]";
	must_refuse(&p, &o, CIPHER_AUTH_NOT_ALLOWED, refused);
	o.occ_auth = "SHA512";
	p.digests[0] = &data_digests[2];
	p.digest_count = 1;
	must_refuse(&p, &o, CIPHER_AUTH_NOT_ALLOWED, refused);
	/* a client that negotiates goes on to what needs no digest */
	static const char *const cbc_first[] = {"AES-256-CBC", "AES-128-GCM"};
	p = policy(cbc_first, 2);
	o = (struct cipher_offer){.iv_ciphers = "AES-256-CBC:AES-128-GCM",
		.iv_ncp = 2,
		.occ_cipher = "AES-256-CBC",
		.occ_auth = "MD5"};
	must_choose(&p, &o, "AES-128-GCM", NULL, true);
}

static void null_cipher(void **state)
{
	static const char text[] =
		"Data channel cipher negotiation failed (cipher none is not allowed)";
	struct cipher_policy p = policy(old, 3);
	struct cipher_offer o = {.occ_cipher = "[null-cipher]", .occ_auth = "SHA1"};
	must_refuse(&p, &o, CIPHER_NULL, text);
	o.occ_cipher = "none";
	must_refuse(&p, &o, CIPHER_NULL, text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table),
		cmocka_unit_test(server_order),
		cmocka_unit_test(no_common_cipher),
		cmocka_unit_test(ncp_without_a_list),
		cmocka_unit_test(occ_cipher),
		cmocka_unit_test(digest_of_cbc),
		cmocka_unit_test(null_cipher),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
