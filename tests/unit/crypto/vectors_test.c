// SPDX-License-Identifier: Apache-2.0
/* The vectors of RFC 7748, 8439, 7693 and draft-irtf-cfrg-xchacha-03. */
#include "dataplane/base/hex.h"
#include "dataplane/crypto/blake2s.h"
#include "dataplane/crypto/chacha20poly1305.h"
#include "dataplane/crypto/crypto.h"
#include "dataplane/crypto/x25519.h"

#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct key key(const char *hex)
{
	struct key k;
	assert_int_equal(hex_decode(hex, strlen(hex), k.bytes, sizeof(k.bytes)), sizeof(k.bytes));
	return k;
}

static void assert_key(const struct key *k, const char *hex)
{
	struct key wanted = key(hex);
	assert_memory_equal(k->bytes, wanted.bytes, sizeof(wanted.bytes));
}

static void rfc7748_vectors(void **state)
{
	static const char *const v[][3] = {
		{"a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
			"e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
			"c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"},
		{"4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
			"e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
			"95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957"},
	};
	for (size_t i = 0; i < 2; i++) {
		struct key scalar = key(v[i][0]), u = key(v[i][1]), shared;
		assert_true(x25519_shared(&scalar, &u, &shared));
		assert_key(&shared, v[i][2]);
	}
}

static void rfc7748_iterated(void **state)
{
	struct key k = {{9}}, u = {{9}};
	for (int i = 1; i <= 1000; i++) {
		struct key shared;
		assert_true(x25519_shared(&k, &u, &shared));
		u = k;
		k = shared;
		if (i == 1)
			assert_key(&k,
				"422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079");
	}
	assert_key(&k, "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51");
}

/* Points of low order: whoever uses them wants a shared secret that everybody knows. */
static void x25519_refuses_zero(void **state)
{
	static const char *const low[] = {
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
		"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	};
	struct key own, untouched = {{1, 2, 3}}, ret = untouched;
	assert_int_equal(x25519_generate(&own), 0);
	for (size_t i = 0; i < sizeof(low) / sizeof(low[0]); i++) {
		struct key point = key(low[i]);
		assert_false(x25519_shared(&own, &point, &ret));
		assert_memory_equal(&ret, &untouched, sizeof(ret));
	}
}

static void x25519_agrees(void **state)
{
	struct key a, b, pa, pb, ab, ba;
	assert_int_equal(x25519_generate(&a), 0);
	assert_int_equal(x25519_generate(&b), 0);
	assert_int_equal(a.bytes[0] & 7, 0);
	assert_int_equal(a.bytes[31] & 0xc0, 0x40);
	assert_int_equal(x25519_public(&a, &pa), 0);
	assert_int_equal(x25519_public(&b, &pb), 0);
	assert_true(x25519_shared(&a, &pb, &ab));
	assert_true(x25519_shared(&b, &pa, &ba));
	assert_true(key_equal(&ab, &ba));
}

static EVP_PKEY *openssl_private(const struct key *k)
{
	EVP_PKEY *ret = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, k->bytes, KEY_LEN);
	assert_non_null(ret);
	return ret;
}

/* Another library, and any point: half of them lie on the curve's twist. */
static void x25519_agrees_with_openssl(void **state)
{
	for (unsigned int i = 0; i < 200; i++) {
		struct key own, public_key, point, shared, wanted;
		size_t len = KEY_LEN;
		assert_int_equal(key_generate(&own), 0); /* not clamped: both must */
		assert_int_equal(key_generate(&point), 0);
		EVP_PKEY *pkey = openssl_private(&own);
		EVP_PKEY *peer =
			EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, point.bytes, KEY_LEN);
		EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pkey, NULL);
		assert_int_equal(EVP_PKEY_get_raw_public_key(pkey, wanted.bytes, &len), 1);
		assert_int_equal(x25519_public(&own, &public_key), 0);
		assert_true(key_equal(&public_key, &wanted));
		assert_int_equal(EVP_PKEY_derive_init(ctx), 1);
		assert_int_equal(EVP_PKEY_derive_set_peer(ctx, peer), 1);
		assert_int_equal(EVP_PKEY_derive(ctx, wanted.bytes, &len), 1);
		assert_true(x25519_shared(&own, &point, &shared));
		assert_true(key_equal(&shared, &wanted));
		EVP_PKEY_CTX_free(ctx);
		EVP_PKEY_free(peer);
		EVP_PKEY_free(pkey);
	}
}

/* RFC 8439 appendix A.5: its nonce is a counter behind 32 zero bits, as WireGuard's. */
static void rfc8439_a5(void **state)
{
	static const char text[] =
		"Internet-Drafts are draft documents valid for a maximum of six months and may be"
		" updated, replaced, or obsoleted by other documents at any time. It is"
		" inappropriate to use Internet-Drafts as reference material or to cite them other"
		" than as /\xe2\x80\x9cwork in progress./\xe2\x80\x9d";
	static const char sealed_hex[] =
		"64a0861575861af460f062c79be643bd5e805cfd345cf389f108670ac76c8cb2"
		"4c6cfc18755d43eea09ee94e382d26b0bdb7b73c321b0100d4f03b7f355894cf"
		"332f830e710b97ce98c8a84abd0b948114ad176e008d33bd60f982b1ff37c855"
		"9797a06ef4f0ef61c186324e2b3506383606907b6a7c02b0f9f6157b53c867e4"
		"b9166c767b804d46a59b5216cde7a4e99040c5a40433225ee282a1b0a06c523e"
		"af4534d7f83fa1155b0047718cbc546a0d072b04b3564eea1b422273f548271a"
		"0bb2316053fa76991955ebd63159434ecebb4e466dae5a1073a6727627097a10"
		"49e617d91d361094fa68f0ff77987130305beaba2eda04df997b714d6c6f2c29"
		"a6ad5cb4022b02709beead9d67890cbb22392336fea1851f38";
	struct key k = key("1c9240a5eb55d38af333888604f6b5f0473917c1402b80099dca5cbc207075c0");
	uint8_t sealed[512], opened[512], aad[12];
	size_t len = (size_t)hex_decode(sealed_hex, strlen(sealed_hex), sealed, sizeof(sealed));
	assert_int_equal(hex_decode("f33388860000000000004e91", 24, aad, sizeof(aad)), 12);
	struct chacha20poly1305_data d = {sealed, len, aad, sizeof(aad)};
	assert_int_equal(len, strlen(text) + 16);
	assert_true(chacha20poly1305_open(opened, &d, 0x0807060504030201ULL, &k));
	assert_memory_equal(opened, text, strlen(text));
	uint8_t again[512];
	struct chacha20poly1305_data plain = {text, strlen(text), aad, sizeof(aad)};
	assert_true(chacha20poly1305_seal(again, &plain, 0x0807060504030201ULL, &k));
	assert_memory_equal(again, sealed, len);
	for (size_t at = 0; at < len; at += 7) { /* one bit anywhere */
		sealed[at] ^= 0x10;
		assert_false(chacha20poly1305_open(opened, &d, 0x0807060504030201ULL, &k));
		sealed[at] ^= 0x10;
	}
	aad[3] ^= 1;
	assert_false(chacha20poly1305_open(opened, &d, 0x0807060504030201ULL, &k));
}

/* What fails leaves nothing of the text behind, in place too; what is shorter than a tag fails. */
static void failed_open_wipes(void **state)
{
	static const uint8_t nonce[24] = {1}, zeros[32];
	uint8_t buf[48];
	struct key k = {{1}};
	struct chacha20poly1305_data text = {buf, 32, "ad", 2}, sealed = {buf, 48, "ad", 2};
	for (unsigned int extended = 0; extended < 2; extended++) {
		memset(buf, 'x', sizeof(buf));
		assert_true(extended ? xchacha20poly1305_seal(buf, &text, nonce, &k)
				     : chacha20poly1305_seal(buf, &text, 1, &k));
		buf[47] ^= 1;
		assert_false(extended ? xchacha20poly1305_open(buf, &sealed, nonce, &k)
				      : chacha20poly1305_open(buf, &sealed, 1, &k));
		assert_memory_equal(buf, zeros, sizeof(zeros));
	}
	sealed.len = 15;
	assert_false(chacha20poly1305_open(buf, &sealed, 1, &k));
	assert_false(xchacha20poly1305_open(buf, &sealed, nonce, &k));
}

static void xchacha_vectors(void **state)
{
	static const char text[] = "Ladies and Gentlemen of the class of '99: If I could offer you"
				   " only one tip for the future, sunscreen would be it.";
	uint8_t nonce[24], aad[12], wanted[160], sealed[160], opened[160];
	struct key k = key("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f");
	assert_int_equal(hex_decode("50515253c0c1c2c3c4c5c6c7", 24, aad, 12), 12);
	for (unsigned int i = 0; i < 24; i++)
		nonce[i] = (uint8_t)(0x40 + i);
	static const char hex[] =
		"bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb"
		"731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b452"
		"2f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9"
		"21f9664c97637da9768812f615c68b13b52ec0875924c1c7987947deafd8780acf49";
	size_t len = (size_t)hex_decode(hex, strlen(hex), wanted, sizeof(wanted));
	struct chacha20poly1305_data plain = {text, strlen(text), aad, sizeof(aad)};
	assert_int_equal(len, strlen(text) + 16);
	assert_true(xchacha20poly1305_seal(sealed, &plain, nonce, &k));
	assert_memory_equal(sealed, wanted, len);
	struct chacha20poly1305_data d = {sealed, len, aad, sizeof(aad)};
	assert_true(xchacha20poly1305_open(opened, &d, nonce, &k));
	assert_memory_equal(opened, text, strlen(text));
	sealed[len - 1] ^= 1;
	assert_false(xchacha20poly1305_open(opened, &d, nonce, &k));
}

static void rfc7693_abc(void **state)
{
	uint8_t hash[32];
	struct key wanted = key("508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982");
	blake2s_hash(hash, "ab", 2, "c", 1);
	assert_memory_equal(hash, wanted.bytes, 32);
}

/* RFC 7693 appendix E: its deterministic sequence. */
static void make_sequence(uint8_t *out, size_t len, uint32_t seed)
{
	uint32_t a = 0xDEAD4BAD * seed, b = 1;
	for (size_t i = 0; i < len; i++) {
		uint32_t t = a + b;
		a = b;
		b = t;
		out[i] = (uint8_t)(t >> 24);
	}
}

static void rfc7693_self_test(void **state)
{
	static const size_t out_lens[] = {16, 20, 28, 32}, in_lens[] = {0, 3, 64, 65, 255, 1024};
	uint8_t in[1024], hash[32], k[32];
	struct blake2s all, one;
	blake2s_init(&all, 32, NULL, 0);
	for (size_t o = 0; o < 4; o++) {
		for (size_t i = 0; i < 6; i++) {
			make_sequence(in, in_lens[i], (uint32_t)in_lens[i]);
			blake2s_init(&one, out_lens[o], NULL, 0);
			for (size_t at = 0; at < in_lens[i]; at++) /* byte by byte */
				blake2s_update(&one, in + at, 1);
			blake2s_final(&one, hash);
			blake2s_update(&all, hash, out_lens[o]);
			make_sequence(k, out_lens[o], (uint32_t)out_lens[o]);
			blake2s_init(&one, out_lens[o], k, out_lens[o]);
			blake2s_update(&one, in, in_lens[i]);
			blake2s_final(&one, hash);
			blake2s_update(&all, hash, out_lens[o]);
		}
	}
	blake2s_final(&all, hash);
	struct key wanted = key("6a411f08ce25adcdfb02aba641451cec53c598b24f4fc787fbdc88797f4c1dfe");
	assert_memory_equal(hash, wanted.bytes, 32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rfc7748_vectors),
		cmocka_unit_test(rfc7748_iterated),
		cmocka_unit_test(x25519_refuses_zero),
		cmocka_unit_test(x25519_agrees),
		cmocka_unit_test(x25519_agrees_with_openssl),
		cmocka_unit_test(rfc8439_a5),
		cmocka_unit_test(failed_open_wipes),
		cmocka_unit_test(xchacha_vectors),
		cmocka_unit_test(rfc7693_abc),
		cmocka_unit_test(rfc7693_self_test),
	};
	return crypto_init() == 0 ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
