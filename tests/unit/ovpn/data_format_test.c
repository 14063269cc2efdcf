// SPDX-License-Identifier: Apache-2.0
/* Data packets of every suite, V1 and V2: round trips, and everything a packet may have wrong. */
#include "dataplane/ovpn/data_format.h"

#include "tests/unit/dice.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
	SUITES = 4 + 9, /* AEADs, and each CBC with each digest */
	ROOM = DATA_HEADROOM + DATA_PAYLOAD_MOST + DATA_TAILROOM,
	PEER_ID = 0x0a0b0c,
	KEY_ID = 5,
};

static struct cipher_engine *engine;

/* Both ends of one direction, and a packet on its way. */
struct pair {
	struct data_send send;
	struct data_receive receive;
	struct cipher_job job;
	struct data_span span;
	uint8_t *room;
};

static struct cipher_suite nth_suite(unsigned int n)
{
	if (n <= CIPHER_CHACHA20_POLY1305)
		return (struct cipher_suite){(enum cipher_algorithm)n, CIPHER_NO_DIGEST};
	n -= CIPHER_AES_128_CBC;
	return (struct cipher_suite){(enum cipher_algorithm)(CIPHER_AES_128_CBC + n / 3),
		(enum cipher_digest)(CIPHER_HMAC_SHA1 + n % 3)};
}

static void open_pair(struct pair *p, struct cipher_suite suite, uint32_t header_len)
{
	uint8_t slots[DATA_SLOTS_LEN];
	const struct data_header h = {header_len, PEER_ID, KEY_ID};
	for (unsigned int i = 0; i < sizeof(slots); i++)
		slots[i] = (uint8_t)dice_roll();
	assert_int_equal(data_send_init(&p->send, engine, &suite, slots, &h), 0);
	assert_int_equal(data_receive_init(&p->receive, engine, &suite, slots, false), 0);
	p->room = malloc(ROOM);
}

static void close_pair(struct pair *p)
{
	data_send_fini(&p->send);
	data_receive_fini(&p->receive);
	assert_null(p->send.key);
	free(p->room);
}

static void prepare(struct pair *p, uint32_t len, int fill)
{
	p->span = (struct data_span){p->room + DATA_HEADROOM, len};
	memset(p->span.at, fill, len);
	assert_int_equal(data_seal_prepare(&p->send, &p->span, &p->job), 0);
}

static void seal(struct pair *p)
{
	cipher_seal(engine, &p->job, 1);
	assert_true(p->job.ok);
}

/* What the receiver says to the packet in p->span, which then is the payload. */
static int open_packet(struct pair *p)
{
	struct data_header h;
	int err = data_header_read(p->span.at, p->span.len, &h);
	if (err == 0)
		err = data_open_prepare(&p->receive, &h, p->span.at, p->span.len, &p->job);
	if (err != 0)
		return err;
	cipher_open(engine, &p->job, 1);
	return data_open_finish(&p->receive, &p->job, &p->span);
}

static uint32_t sealed_len(const struct data_send *s, uint32_t len)
{
	if (s->is_aead)
		return s->header_len + 4 + 16 + len;
	return s->header_len + s->tag_len + 16 + (4 + len) / 16 * 16 + 16;
}

static void check_round_trip(struct pair *p, uint32_t len)
{
	prepare(p, len, 0x45);
	seal(p);
	assert_int_equal(p->span.len, sealed_len(&p->send, len));
	assert_true(p->span.at >= p->room && p->span.at + p->span.len <= p->room + ROOM);
	assert_int_equal(open_packet(p), 0);
	assert_ptr_equal(p->span.at, p->room + DATA_HEADROOM);
	assert_int_equal(p->span.len, len);
	if (len > 0)
		assert_true(p->span.at[0] == 0x45 && p->span.at[len - 1] == 0x45);
}

static void each_pair(void (*check)(struct pair *p))
{
	for (unsigned int n = 0; n < 2 * SUITES; n++) {
		struct pair p;
		open_pair(
			&p, nth_suite(n / 2), n % 2 == 0 ? DATA_V1_HEADER_LEN : DATA_V2_HEADER_LEN);
		check(&p);
		close_pair(&p);
	}
}

static void check_lengths(struct pair *p)
{
	for (uint32_t len = 0; len <= 70; len++)
		check_round_trip(p, len);
	check_round_trip(p, 1500);
	check_round_trip(p, DATA_PAYLOAD_MOST);
	p->span = (struct data_span){p->room, DATA_PAYLOAD_MOST + 1};
	assert_int_equal(data_seal_prepare(&p->send, &p->span, &p->job), -EMSGSIZE);
	p->span.len = UINT32_MAX;
	assert_int_equal(data_seal_prepare(&p->send, &p->span, &p->job), -EMSGSIZE);
}

static void empty_to_maximum(void **state)
{
	each_pair(check_lengths);
}

/* A burst of all suites and both headers, as the packet path has it. */
static void mixed_burst(void **state)
{
	static struct pair p[2 * SUITES];
	struct cipher_job job[2 * SUITES];
	for (unsigned int n = 0; n < 2 * SUITES; n++) {
		open_pair(&p[n], nth_suite(n / 2), n % 2 == 0 ? 1 : 4);
		prepare(&p[n], 40 + n * 50, (int)n);
		job[n] = p[n].job;
	}
	cipher_seal(engine, job, 2 * SUITES);
	for (unsigned int n = 0; n < 2 * SUITES; n++) {
		struct data_header h;
		assert_true(job[n].ok);
		assert_int_equal(data_header_read(p[n].span.at, p[n].span.len, &h), 0);
		assert_int_equal(h.key_id, KEY_ID);
		assert_int_equal(h.peer_id, n % 2 == 0 ? DATA_NO_PEER_ID : PEER_ID);
		assert_int_equal(
			data_open_prepare(&p[n].receive, &h, p[n].span.at, p[n].span.len, &job[n]),
			0);
	}
	cipher_open(engine, job, 2 * SUITES);
	for (unsigned int n = 0; n < 2 * SUITES; n++) {
		assert_int_equal(data_open_finish(&p[n].receive, &job[n], &p[n].span), 0);
		assert_int_equal(p[n].span.len, 40 + n * 50);
		assert_int_equal(p[n].span.at[39], n);
		close_pair(&p[n]);
	}
}

static void headers(void **state)
{
	const uint8_t v1[] = {0x30 | 7}, v2[] = {0x48 | 3, 0x12, 0x34, 0x56};
	struct data_header h;
	assert_int_equal(data_header_read(v1, 0, &h), -EBADMSG);
	assert_int_equal(data_header_read(v1, 1, &h), 0);
	assert_true(h.len == 1 && h.key_id == 7 && h.peer_id == DATA_NO_PEER_ID);
	for (uint32_t len = 0; len < 4; len++)
		assert_int_equal(data_header_read(v2, len, &h), -EBADMSG);
	assert_int_equal(data_header_read(v2, 4, &h), 0);
	assert_true(h.len == 4 && h.key_id == 3 && h.peer_id == 0x123456);
	for (unsigned int opcode = 0; opcode < 32; opcode++) {
		const uint8_t packet[4] = {(uint8_t)(opcode << 3)};
		bool is_data = opcode == P_DATA_V1 || opcode == P_DATA_V2;
		assert_int_equal(data_header_read(packet, 4, &h), is_data ? 0 : -EBADMSG);
	}
}

/* Every length, in a block of just that size, so that a sanitizer sees a byte too many. */
static void check_packet_lengths(struct pair *p)
{
	uint32_t header_len = p->send.header_len, least = sealed_len(&p->send, 0);
	for (uint32_t len = header_len; len <= 240; len++) {
		uint8_t *packet = calloc(1, len);
		memcpy(packet, p->send.header, header_len);
		p->span = (struct data_span){packet, len};
		bool fits = len >= least && (p->send.is_aead || (len - least) % 16 == 0);
		struct data_header h = {header_len, 0, 0};
		assert_int_equal(data_open_prepare(&p->receive, &h, packet, len, &p->job),
			fits ? 0 : -EBADMSG);
		assert_int_equal(open_packet(p), -EBADMSG);
		free(packet);
	}
	struct data_header h = {header_len, 0, 0};
	assert_int_equal(
		data_open_prepare(&p->receive, &h, p->room, UINT32_MAX, &p->job), -EBADMSG);
	assert_int_equal(p->receive.window.greatest, 0);
}

static void packet_lengths(void **state)
{
	each_pair(check_packet_lengths);
}

/* A bit of each byte changed: only CBC's header is not covered, by design. */
static void check_tampering(struct pair *p)
{
	prepare(p, 30, 0x45);
	seal(p);
	const struct data_span sealed = p->span;
	uint8_t packet[256];
	memcpy(packet, sealed.at, sealed.len);
	for (uint32_t at = 0; at < sealed.len; at++) {
		memcpy(sealed.at, packet, sealed.len);
		sealed.at[at] ^= at == 0 ? 1 : 0x80; /* of the first byte, the key id */
		p->span = sealed;
		packet_id_window_init(&p->receive.window, false);
		bool is_covered = at >= p->send.header_len
			|| (p->send.is_aead && p->send.header_len == DATA_V2_HEADER_LEN);
		assert_int_equal(open_packet(p), is_covered ? -EBADMSG : 0);
		assert_int_equal(p->receive.window.greatest, is_covered ? 0 : 1);
	}
}

static void tampered(void **state)
{
	each_pair(check_tampering);
}

/* V1 has no more additional data than the packet id: a job made by hand says so. */
static void v1_additional_data(void **state)
{
	struct pair p;
	struct data_header h;
	open_pair(&p, nth_suite(CIPHER_AES_128_GCM), DATA_V1_HEADER_LEN);
	prepare(&p, 20, 1);
	seal(&p);
	assert_int_equal(p.span.at[0], P_DATA_V1 << 3 | KEY_ID);
	assert_int_equal(data_header_read(p.span.at, p.span.len, &h), 0);
	struct cipher_job job = {.key = p.send.key,
		.data = p.span.at + 21,
		.len = 20,
		.aad = p.span.at + 1,
		.aad_len = 4,
		.tag = p.span.at + 5,
		.nonce = {0, 0, 0, 1}};
	memcpy(job.nonce + 4, p.send.implicit_iv, 8);
	cipher_open(engine, &job, 1);
	assert_true(job.ok);
	close_pair(&p);
}

/* A packet with an id of the peer's choice. */
static void seal_with_id(struct pair *p, uint32_t id)
{
	const uint8_t bytes[4] = {
		(uint8_t)(id >> 24), (uint8_t)(id >> 16), (uint8_t)(id >> 8), (uint8_t)id};
	prepare(p, 10, 1);
	if (p->send.is_aead) {
		memcpy(p->span.at + p->send.header_len, bytes, 4);
		memcpy(p->job.nonce, bytes, 4);
	} else {
		memcpy(p->job.data, bytes, 4);
	}
	seal(p);
}

static void check_ids(struct pair *p)
{
	static const struct {
		uint32_t id;
		int err;
	} steps[] = {{0, -EALREADY}, {1, 0}, {1, -EALREADY}, {3, 0}, {2, 0}, {2, -EALREADY},
		{UINT32_MAX, 0}, {0, -EALREADY}, {4, -EALREADY}, {UINT32_MAX, -EALREADY},
		{UINT32_MAX - 1, 0}};
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		seal_with_id(p, steps[i].id);
		assert_int_equal(open_packet(p), steps[i].err);
	}
	packet_id_window_init(&p->receive.window, true);
	seal_with_id(p, 2);
	assert_int_equal(open_packet(p), -EALREADY);
	seal_with_id(p, 1);
	assert_int_equal(open_packet(p), 0);
	seal_with_id(p, 2);
	assert_int_equal(open_packet(p), 0);
}

static void replayed(void **state)
{
	each_pair(check_ids);
}

static void check_wrap(struct pair *p)
{
	p->send.packet_id = 0xff000000U - 1;
	prepare(p, 1, 1);
	assert_false(data_send_wants_renegotiation(&p->send));
	prepare(p, 1, 1);
	assert_true(data_send_wants_renegotiation(&p->send));
	p->send.packet_id = UINT32_MAX - 1;
	prepare(p, 1, 1); /* the last one */
	seal(p);
	assert_int_equal(open_packet(p), 0);
	assert_int_equal(p->receive.window.greatest, UINT32_MAX);
	p->span = (struct data_span){p->room + DATA_HEADROOM, 1};
	assert_int_equal(data_seal_prepare(&p->send, &p->span, &p->job), -EOVERFLOW);
	assert_int_equal(data_seal_prepare(&p->send, &p->span, &p->job), -EOVERFLOW);
	assert_int_equal(p->send.packet_id, UINT32_MAX);
	assert_true(data_send_wants_renegotiation(&p->send));
}

static void id_wrap(void **state)
{
	each_pair(check_wrap);
}

/* 7/8 of 2^36 blocks and packets, of AES-GCM alone. */
static void check_usage(struct pair *p)
{
	const uint64_t most = (1ULL << 36) / 8 * 7;
	bool is_gcm = cipher_key_suite(p->send.key)->algorithm <= CIPHER_AES_256_GCM;
	p->send.usage.blocks_and_packets = p->receive.usage.blocks_and_packets = most - 4;
	for (unsigned int n = 0; n < 2; n++) {
		prepare(p, n == 0 ? 0 : 17, 1); /* a packet; a packet and two blocks */
		seal(p);
		assert_int_equal(open_packet(p), 0);
		assert_int_equal(data_send_wants_renegotiation(&p->send), is_gcm && n == 1);
		assert_int_equal(data_receive_wants_renegotiation(&p->receive), is_gcm && n == 1);
	}
}

static void usage(void **state)
{
	each_pair(check_usage);
}

/* Authentic packets of which the text ends as no sender ends it. */
static void padding(void **state)
{
	static const struct {
		uint32_t len; /* of the payload: with its id 14 bytes, 12, or 4 */
		uint8_t from_end, value; /* this byte of the text is changed */
		int err;
	} rows[] = {{10, 1, 0, -EBADMSG}, {10, 1, 1, 0}, {10, 1, 3, -EBADMSG},
		{10, 1, 16, -EBADMSG}, {10, 1, 17, -EBADMSG}, {10, 1, 255, -EBADMSG},
		{10, 2, 1, -EBADMSG}, {8, 4, 3, -EBADMSG}, {8, 5, 4, 0}, {0, 1, 12, 0},
		{0, 1, 13, -EBADMSG}};
	struct pair p;
	open_pair(&p, nth_suite(4), DATA_V2_HEADER_LEN);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		prepare(&p, rows[i].len, 1);
		p.job.data[p.job.len - rows[i].from_end] = rows[i].value;
		seal(&p);
		assert_int_equal(open_packet(&p), rows[i].err);
	}
	/* padding alone, or all but a part of an id */
	for (uint32_t pad = 13; pad <= 16; pad++) {
		prepare(&p, 0, 0);
		memset(p.job.data + 16 - pad, (int)pad, pad);
		seal(&p);
		assert_int_equal(open_packet(&p), -EBADMSG);
	}
	close_pair(&p);
}

static void fresh_ivs(void **state)
{
	enum {
		PACKETS = 100
	};
	static uint8_t iv[PACKETS][16];
	struct pair p;
	open_pair(&p, nth_suite(4), DATA_V2_HEADER_LEN);
	for (unsigned int n = 0; n < PACKETS; n++) {
		prepare(&p, 5, 1);
		memcpy(iv[n], p.job.data - 16, 16);
		for (unsigned int i = 0; i < n; i++)
			assert_memory_not_equal(iv[i], iv[n], 16);
	}
	close_pair(&p);
}

static void wrong_init(void **state)
{
	const uint8_t slots[DATA_SLOTS_LEN] = {0};
	const struct cipher_suite bad = {CIPHER_AES_128_CBC, CIPHER_NO_DIGEST},
				  good = {CIPHER_AES_128_GCM, CIPHER_NO_DIGEST};
	const struct data_header h[] = {
		{4, PEER_ID, 0}, {3, PEER_ID, 0}, {4, 0x1000000, 0}, {4, PEER_ID, 8}};
	struct data_receive r;
	struct data_send s;
	assert_int_equal(data_receive_init(&r, engine, &bad, slots, false), -EINVAL);
	assert_int_equal(data_send_init(&s, engine, &bad, slots, &h[0]), -EINVAL);
	for (unsigned int i = 1; i < 4; i++)
		assert_int_equal(data_send_init(&s, engine, &good, slots, &h[i]), -EINVAL);
}

static int set_up(void **state)
{
	return cipher_engine_new(&engine);
}

static int tear_down(void **state)
{
	cipher_engine_free(engine);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_to_maximum),
		cmocka_unit_test(mixed_burst),
		cmocka_unit_test(headers),
		cmocka_unit_test(packet_lengths),
		cmocka_unit_test(tampered),
		cmocka_unit_test(v1_additional_data),
		cmocka_unit_test(replayed),
		cmocka_unit_test(id_wrap),
		cmocka_unit_test(usage),
		cmocka_unit_test(padding),
		cmocka_unit_test(fresh_ivs),
		cmocka_unit_test(wrong_init),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
