// SPDX-License-Identifier: Apache-2.0
/*
 * The vectors of RFC 8439, of the GCM specification, of RFC 3602 and NIST SP 800-38A, and HMACs
 * against an implementation that RFC 2202 and RFC 4231 were tried on: their texts are no blocks of
 * AES. Each alone and in a full burst, by both engines.
 */
#include "dataplane/base/hex.h"
#include "dataplane/crypto/cipher.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum {
	ROOM = 256
};

struct vector {
	struct cipher_suite suite;
	const char *key, *iv, *aad, *plain, *sealed, *tag;
};

static const char gcm_plain[] =
	"d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e24"
	"49a6b525b16aedf5aa0de657ba637b39";
static const char gcm_aad[] = "feedfacedeadbeeffeedfacedeadbeefabaddad2";
static const char gcm_iv[] = "cafebabefacedbaddecaf888";

static const struct vector aead_vectors[] = {
	/* The Galois/Counter Mode of Operation, appendix B, cases 1, 4, 10, 16 */
	{{CIPHER_AES_128_GCM, CIPHER_NO_DIGEST}, "00000000000000000000000000000000",
		"000000000000000000000000", "", "", "", "58e2fccefa7e3061367f1d57a4e7455a"},
	{{CIPHER_AES_128_GCM, CIPHER_NO_DIGEST}, "feffe9928665731c6d6a8f9467308308", gcm_iv,
		gcm_aad, gcm_plain,
		"42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c"
		"7d8f6a5aac84aa051ba30b396a0aac973d58e091",
		"5bc94fbc3221a5db94fae95ae7121a47"},
	{{CIPHER_AES_192_GCM, CIPHER_NO_DIGEST}, "feffe9928665731c6d6a8f9467308308feffe9928665731c",
		gcm_iv, gcm_aad, gcm_plain,
		"3980ca0b3c00e841eb06fac4872a2757859e1ceaa6efd984628593b40ca1e19c7d773d00c144c525"
		"ac619d18c84a3f4718e2448b2fe324d9ccda2710",
		"2519498e80f1478f37ba55bd6d27618c"},
	{{CIPHER_AES_256_GCM, CIPHER_NO_DIGEST},
		"feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", gcm_iv, gcm_aad,
		gcm_plain,
		"522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3d"
		"a7b08b1056828838c5f61e6393ba7a0abcc9f662",
		"76fc6ece0f4e1768cddf8853bb2d551b"},
	/* RFC 8439, 2.8.2 */
	{{CIPHER_CHACHA20_POLY1305, CIPHER_NO_DIGEST},
		"808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f",
		"070000004041424344454647", "50515253c0c1c2c3c4c5c6c7",
		"4c616469657320616e642047656e746c656d656e206f662074686520636c617373206f66202739393a"
		"204966204920636f756c64206f6666657220796f75206f6e6c79206f6e652074697020666f72207468"
		"65206675747572652c2073756e73637265656e20776f756c642062652069742e",
		"d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282"
		"fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab3"
		"24e4fad675945585808b4831d7bc3ff4def08e4b7a9de576d26586cec64b6116",
		"1ae10b594f09e26a7e902ecbd0600691"},
	/* an epoch data packet of OpenVPN 2.7: a longer header, the tag at the end (vector D) */
	{{CIPHER_AES_256_GCM, CIPHER_NO_DIGEST},
		"e5ffe36ad0cd92bbc10f4f52767596951a95f85aedd4efb0bbd2d68bd9c91d1a",
		"6e6138ecd5f25fb3a5a3d5c8", "480000000001000000000005",
		"2a187bf3641eb4cb07ed2d0a981fc748", "17d348c22583217cccaad19a56237dfe",
		"b96e7eec3f377e0607cf69519e3728f4"},
};

static const struct vector cbc_vectors[] = {
	/* RFC 3602, case 2 */
	{{CIPHER_AES_128_CBC, CIPHER_HMAC_SHA1}, "c286696d887c9aa0611bbb3e2025a45a",
		"562e17996d093d28ddb3ba695a2e6f58", "",
		"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
		"d296cd94c2cccf8a3a863028b5e1dc0a7586602d253cfff91b8266bea6d61ab1", NULL},
	/* SP 800-38A, F.2.3 and F.2.5 */
	{{CIPHER_AES_192_CBC, CIPHER_HMAC_SHA256},
		"8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b",
		"000102030405060708090a0b0c0d0e0f", "",
		"6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51",
		"4f021db243bc633d7178183a9fa071e8b4d9ada9ad7dedf4e5e738763f69145a", NULL},
	{{CIPHER_AES_256_CBC, CIPHER_HMAC_SHA512},
		"603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
		"000102030405060708090a0b0c0d0e0f", "",
		"6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51",
		"f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d", NULL},
};

static uint32_t decode(const char *hex, uint8_t *to)
{
	size_t n = strlen(hex) / 2;
	if (n > 0)
		assert_int_equal(hex_decode(hex, strlen(hex), to, ROOM), n);
	return (uint32_t)n;
}

static struct cipher_engine *engine(unsigned int n)
{
	struct cipher_engine *e;
	assert_int_equal(n == 0 ? cipher_engine_new(&e) : cipher_engine_openssl_new(&e), 0);
	return e;
}

static void check_aead(struct cipher_engine *e, const struct vector *v, unsigned int count)
{
	static uint8_t data[CIPHER_BURST][ROOM], tag[CIPHER_BURST][CIPHER_AEAD_TAG_LEN];
	uint8_t secret[ROOM], aad[ROOM], plain[ROOM], sealed[ROOM], wanted_tag[ROOM];
	struct cipher_job job[CIPHER_BURST];
	struct cipher_key *key;
	decode(v->key, secret);
	decode(v->tag, wanted_tag);
	uint32_t len = decode(v->plain, plain);
	assert_int_equal(decode(v->sealed, sealed), len);
	assert_int_equal(cipher_key_new(e, &v->suite, secret, NULL, &key), 0);
	for (unsigned int j = 0; j < count; j++) {
		job[j] = (struct cipher_job){.key = key,
			.data = data[j],
			.len = len,
			.aad = aad,
			.aad_len = decode(v->aad, aad),
			.tag = tag[j]};
		assert_int_equal(hex_decode(v->iv, 24, job[j].nonce, CIPHER_NONCE_LEN), 12);
		memcpy(data[j], plain, len);
	}
	cipher_seal(e, job, count);
	for (unsigned int j = 0; j < count; j++) {
		assert_true(job[j].ok);
		assert_memory_equal(data[j], sealed, len);
		assert_memory_equal(tag[j], wanted_tag, CIPHER_AEAD_TAG_LEN);
	}
	cipher_open(e, job, count);
	for (unsigned int j = 0; j < count; j++) {
		assert_true(job[j].ok);
		assert_memory_equal(data[j], plain, len);
	}
	cipher_key_free(key);
}

static void aead(void **state)
{
	for (unsigned int n = 0; n < 2; n++) {
		struct cipher_engine *e = engine(n);
		for (size_t i = 0; i < sizeof(aead_vectors) / sizeof(aead_vectors[0]); i++) {
			check_aead(e, &aead_vectors[i], 1);
			check_aead(e, &aead_vectors[i], CIPHER_BURST);
		}
		cipher_engine_free(e);
	}
}

static const EVP_MD *digest(enum cipher_digest d)
{
	if (d == CIPHER_HMAC_SHA1)
		return EVP_sha1();
	return d == CIPHER_HMAC_SHA256 ? EVP_sha256() : EVP_sha512();
}

static void check_cbc(struct cipher_engine *e, const struct vector *v, unsigned int count)
{
	static uint8_t data[CIPHER_BURST][ROOM], tag[CIPHER_BURST][CIPHER_TAG_MOST];
	uint8_t secret[ROOM], plain[ROOM], sealed[ROOM], mac_secret[CIPHER_TAG_MOST];
	uint8_t mac[CIPHER_TAG_MOST];
	struct cipher_job job[CIPHER_BURST];
	struct cipher_key *key;
	uint32_t tag_len = cipher_tag_len(&v->suite);
	memset(mac_secret, 0xaa, sizeof(mac_secret));
	decode(v->key, secret);
	uint32_t len = decode(v->plain, plain);
	decode(v->iv, sealed);
	decode(v->sealed, sealed + CIPHER_BLOCK_LEN);
	assert_non_null(HMAC(digest(v->suite.digest), mac_secret, (int)tag_len, sealed,
		CIPHER_BLOCK_LEN + len, mac, NULL));
	assert_int_equal(cipher_key_new(e, &v->suite, secret, mac_secret, &key), 0);
	for (unsigned int j = 0; j < count; j++) {
		memcpy(data[j], sealed, CIPHER_BLOCK_LEN);
		memcpy(data[j] + CIPHER_BLOCK_LEN, plain, len);
		job[j] = (struct cipher_job){
			.key = key, .data = data[j] + CIPHER_BLOCK_LEN, .len = len, .tag = tag[j]};
	}
	cipher_seal(e, job, count);
	for (unsigned int j = 0; j < count; j++) {
		assert_true(job[j].ok);
		assert_memory_equal(data[j], sealed, CIPHER_BLOCK_LEN + len);
		assert_memory_equal(tag[j], mac, tag_len);
	}
	cipher_open(e, job, count);
	for (unsigned int j = 0; j < count; j++) {
		assert_true(job[j].ok);
		assert_memory_equal(job[j].data, plain, len);
	}
	cipher_key_free(key);
}

static void cbc(void **state)
{
	for (unsigned int n = 0; n < 2; n++) {
		struct cipher_engine *e = engine(n);
		for (size_t i = 0; i < sizeof(cbc_vectors) / sizeof(cbc_vectors[0]); i++) {
			check_cbc(e, &cbc_vectors[i], 1);
			check_cbc(e, &cbc_vectors[i], CIPHER_BURST);
		}
		cipher_engine_free(e);
	}
}

/* The judge of the MACs above: RFC 2202, case 3; RFC 4231, case 3. */
static void hmac(void **state)
{
	static const char *const wanted[CIPHER_DIGESTS] = {
		[CIPHER_HMAC_SHA1] = "125d7342b9ac11cd91a39af48aa17b4f63f175d3",
		[CIPHER_HMAC_SHA256] =
			"773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
		[CIPHER_HMAC_SHA512] =
			"fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39"
			"bf3e848279a722c806b485a47e67c807b946a337bee8942674278859e13292fb",
	};
	uint8_t secret[20], text[50], mac[CIPHER_TAG_MOST], bytes[ROOM];
	memset(secret, 0xaa, sizeof(secret));
	memset(text, 0xdd, sizeof(text));
	for (unsigned int d = CIPHER_HMAC_SHA1; d < CIPHER_DIGESTS; d++) {
		assert_non_null(HMAC(digest((enum cipher_digest)d), secret, sizeof(secret), text,
			sizeof(text), mac, NULL));
		uint32_t len = decode(wanted[d], bytes);
		assert_memory_equal(mac, bytes, len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(aead),
		cmocka_unit_test(cbc),
		cmocka_unit_test(hmac),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
