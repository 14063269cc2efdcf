// SPDX-License-Identifier: Apache-2.0
/*
 * Packets that OpenVPN 2.6.14 sent (vectors A to C), with the keys it had: opened, and made again
 * byte by byte. Epoch packets have no format here; their cipher is in tests/unit/crypto (vector D).
 */
#include "dataplane/base/hex.h"
#include "dataplane/ovpn/data_format.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define PING "2a187bf3641eb4cb07ed2d0a981fc748"
enum {
	IV_OFFSET = DATA_V2_HEADER_LEN + 20
};

/* The two key slots of vector A, of which CBC takes 32 and 20 bytes. */
#define CBC_CIPHER "21b87c813505357c069ca744943a308a39d6751408c75a45c1eb8693313da1b1"
#define CBC_HMAC "c8ffd180e43ae62dccde04e29a699393dc704e48"
#define CBC_S2C_CIPHER "0aaa39ee74273d33228de51dca84dc77f8ef535f5ba7d3b524d96a5cfdeffc22"
#define CBC_S2C_HMAC "b50b8b5adf116b534d666abeedef9f3639ef851c"

struct vector {
	struct cipher_suite suite;
	const char *cipher, *hmac, *packet;
	uint32_t packet_id;
	const char *payload;
};

static const struct vector vectors[] = {
	{{CIPHER_AES_256_CBC, CIPHER_HMAC_SHA1}, CBC_CIPHER, CBC_HMAC,
		"48000000e7de86a84bab421055dca31648f1b3d533219f86eef63f1412259a4e69f0720b8126d31a"
		"877b4bf4004d825e690c47736b81163a4fede8ee95cdcda631202e4dea508519",
		5, PING},
	{{CIPHER_AES_256_CBC, CIPHER_HMAC_SHA1}, CBC_CIPHER, CBC_HMAC,
		"480000007d053629e8d8e116ed66c4edbedfda48efb05b9bf9cf0158250060ce0a89c039b544a4b5"
		"1bb0d9fae00f6cf4e20bd91fdeb37a0f64ea66baad0d1ce3a6f6af1fd4f3efb5ce403bb9f17c8bc0"
		"51151c802123415ba5224a6b90e7a1e0ff718b1a90398cc5",
		1,
		"6000000000083afffe800000000000003116d6c40abc1aeeff020000000000000000000000000002"
		"85004fb200000000"},
	{{CIPHER_AES_256_CBC, CIPHER_HMAC_SHA1}, CBC_S2C_CIPHER, CBC_S2C_HMAC,
		"480000001018f8c9ef02d0d154a7fa380d64a38745f019c811d3e499717ee5a47f0278ac7763a888"
		"2dfdc64ad450515204370e4c3f695694271d8f75325c291a3061808aa85cdbd4797a3147fd2a09b9"
		"018b6c1a276c647578164585b220f46e6d26a119a24cc242ef2bc08833024a0275cd98cfd941e2d4"
		"88ed2824b4a36de169a00cb6f30b64a8",
		1,
		"45000054161d00004001507a0a0800010a080002000028ad7b5d00015fe1006b000000002fd50d00"
		"00000000101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f30313233"
		"34353637"},
	{{CIPHER_AES_256_GCM, CIPHER_NO_DIGEST},
		"d274c2f0918adf902f5fc7e2b07bb80cd3645fc9d0467dbcb350937ed258b439",
		"4443b7ac63a7a9c9",
		"4800000000000005707662c8d42728c784a16ad0425b252b535a62c3b2395fcfe1c4e9371212c8de",
		5, PING},
	{{CIPHER_CHACHA20_POLY1305, CIPHER_NO_DIGEST},
		"95d76fb4b3c2f815462a2c0d34f93c1d7d347daba96293b15b249dcf190fa691",
		"ce7e4d1f32081838",
		"4800000000000005bc5447d78da141287c198d67f26f81d860fe5ebad3a8311a08164ce277970850",
		5, PING},
};

struct decoded {
	uint8_t slots[DATA_SLOTS_LEN];
	uint8_t packet[256], payload[256];
	uint32_t packet_len, payload_len;
};

static void decode(const char *hex, uint8_t *to, size_t size, uint32_t *ret_len)
{
	*ret_len = (uint32_t)(strlen(hex) / 2);
	assert_int_equal(hex_decode(hex, strlen(hex), to, size), *ret_len);
}

static void decode_vector(const struct vector *v, struct decoded *d)
{
	uint32_t n;
	memset(d, 0, sizeof(*d));
	decode(v->cipher, d->slots, DATA_SLOT_LEN, &n);
	decode(v->hmac, d->slots + DATA_SLOT_LEN, DATA_SLOT_LEN, &n);
	decode(v->packet, d->packet, sizeof(d->packet), &d->packet_len);
	decode(v->payload, d->payload, sizeof(d->payload), &d->payload_len);
}

static void open_vector(struct cipher_engine *e, const struct vector *v)
{
	struct decoded d;
	struct data_receive r;
	struct data_header h;
	struct cipher_job job;
	struct data_span span;
	decode_vector(v, &d);
	assert_int_equal(data_receive_init(&r, e, &v->suite, d.slots, false), 0);
	assert_int_equal(data_header_read(d.packet, d.packet_len, &h), 0);
	assert_int_equal(h.len, DATA_V2_HEADER_LEN);
	assert_int_equal(h.peer_id, 0);
	assert_int_equal(h.key_id, 0);
	assert_int_equal(data_open_prepare(&r, &h, d.packet, d.packet_len, &job), 0);
	cipher_open(e, &job, 1);
	assert_int_equal(data_open_finish(&r, &job, &span), 0);
	assert_int_equal(r.window.greatest, v->packet_id);
	assert_int_equal(span.len, d.payload_len);
	assert_memory_equal(span.at, d.payload, span.len);
	assert_int_equal(data_payload_read(DATA_COMPRESSION_NONE, &span),
		strcmp(v->payload, PING) == 0 ? DATA_PAYLOAD_PING : DATA_PAYLOAD_IP);
	assert_int_equal(data_open_finish(&r, &job, &span), -EALREADY);
	data_receive_fini(&r);
}

static void seal_vector(struct cipher_engine *e, const struct vector *v)
{
	static uint8_t room[DATA_HEADROOM + 256 + DATA_TAILROOM];
	const struct data_header h = {.len = DATA_V2_HEADER_LEN};
	struct decoded d;
	struct data_send s;
	struct cipher_job job;
	decode_vector(v, &d);
	assert_int_equal(data_send_init(&s, e, &v->suite, d.slots, &h), 0);
	s.packet_id = v->packet_id - 1;
	if (!cipher_is_aead(v->suite.algorithm)) {
		memcpy(s.iv, d.packet + IV_OFFSET, CIPHER_BLOCK_LEN);
		s.iv_left = CIPHER_BLOCK_LEN;
	}
	struct data_span span = {room + DATA_HEADROOM, d.payload_len};
	memcpy(span.at, d.payload, d.payload_len);
	assert_int_equal(data_seal_prepare(&s, &span, &job), 0);
	cipher_seal(e, &job, 1);
	assert_true(job.ok);
	assert_int_equal(span.len, d.packet_len);
	assert_memory_equal(span.at, d.packet, d.packet_len);
	data_send_fini(&s);
}

static void check_engine(struct cipher_engine *e)
{
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		open_vector(e, &vectors[i]);
		seal_vector(e, &vectors[i]);
	}
	cipher_engine_free(e);
}

static void captured_packets(void **state)
{
	struct cipher_engine *e;
	assert_int_equal(cipher_engine_new(&e), 0);
	check_engine(e);
	assert_int_equal(cipher_engine_openssl_new(&e), 0);
	check_engine(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(captured_packets),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
