// SPDX-License-Identifier: Apache-2.0
/* tls-auth and tls-crypt: OpenVPN's own packets, every bit of them, keys, directions and replays. */
#include "dataplane/ovpn/wrap.h"

#include "tests/unit/dice.h"
#include "tests/unit/ovpn/vectors.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

static struct static_key vector_key(void)
{
	struct static_key k;
	assert_int_equal(unhex(vector_static_key, k.bytes, sizeof(k.bytes)), STATIC_KEY_LEN);
	return k;
}

static void set_up(
	struct wrap *w, enum wrap_mode mode, enum key_direction direction, bool is_client)
{
	struct static_key k = vector_key();
	const struct wrap_config c = {.mode = mode,
		.digest = WRAP_SHA256,
		.direction = direction,
		.is_client = is_client,
		.key = &k};
	assert_int_equal(wrap_init(w, &c), 0);
	static_key_wipe(&k); /* only read in wrap_init() */
}

/* The plain packet of a hex, as received by w. */
static void open_vector(struct wrap *w, const char *text, struct wrap_opened *ret)
{
	uint8_t wire[512];
	size_t len = unhex(text, wire, sizeof(wire));
	assert_int_equal(wrap_open(w, NULL, wire, len, ret), 0);
	assert_int_equal(len, ret->len + wrap_overhead(w));
}

/* What the sender's side makes of the plain packet is the same hex. */
static void seals_the_same(struct wrap *w, const struct wrap_opened *o, const char *text)
{
	uint8_t wire[512], sealed[512];
	size_t len = unhex(text, wire, sizeof(wire));
	assert_int_equal(wrap_seal(w, &o->stamp, o->plain, o->len, sealed, len), len);
	assert_memory_equal(sealed, wire, len);
	for (size_t size = 0; size < len; size++)
		assert_int_equal(wrap_seal(w, &o->stamp, o->plain, o->len, sealed, size), -ENOSPC);
}

static void tls_auth_of_the_wire(void **state)
{
	struct wrap server, client;
	struct wrap_opened o;
	struct control_packet p;
	set_up(&server, WRAP_TLS_AUTH, KEY_DIRECTION_0, false);
	set_up(&client, WRAP_TLS_AUTH, KEY_DIRECTION_1, true);
	open_vector(&server, tls_auth_c_hard_reset, &o);
	seals_the_same(&client, &o, tls_auth_c_hard_reset);
	assert_int_equal(o.stamp.id, 1);
	assert_int_equal(o.stamp.time, 0x6b00e1cc);
	assert_int_equal(control_packet_parse(o.plain, o.len, &p), 0);
	assert_int_equal(p.opcode, P_CONTROL_HARD_RESET_CLIENT_V2);
	assert_int_equal(o.len, 14);
	open_vector(&client, tls_auth_s_hard_reset, &o);
	seals_the_same(&server, &o, tls_auth_s_hard_reset);
	assert_int_equal(control_packet_parse(o.plain, o.len, &p), 0);
	assert_int_equal(p.opcode, P_CONTROL_HARD_RESET_SERVER_V2);
	open_vector(&server, tls_auth_c_ack, &o);
	seals_the_same(&client, &o, tls_auth_c_ack);
	assert_int_equal(control_packet_parse(o.plain, o.len, &p), 0);
	assert_int_equal(p.opcode, P_ACK_V1);
	wrap_fini(&server);
	wrap_fini(&client);
}

static void tls_crypt_of_the_wire(void **state)
{
	static const struct {
		const char *wire, *text;
		bool from_client;
	} all[] = {
		{tls_crypt_c_hard_reset, tls_crypt_c_hard_reset_text, true},
		{tls_crypt_s_hard_reset, tls_crypt_s_hard_reset_text, false},
		{tls_crypt_c_ack, tls_crypt_c_ack_text, true},
	};
	struct wrap server, client;
	struct wrap_opened o;
	set_up(&server, WRAP_TLS_CRYPT, KEY_DIRECTION_NONE, false);
	set_up(&client, WRAP_TLS_CRYPT, KEY_DIRECTION_NONE, true);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		uint8_t text[256];
		open_vector(all[i].from_client ? &server : &client, all[i].wire, &o);
		seals_the_same(all[i].from_client ? &client : &server, &o, all[i].wire);
		size_t len = unhex(all[i].text, text, sizeof(text));
		assert_int_equal(o.len, CONTROL_HEAD_LEN + len);
		assert_memory_equal(o.plain + CONTROL_HEAD_LEN, text, len);
	}
	/* the sizes of section 1.4 */
	assert_int_equal(14 + wrap_overhead(&server), 54);
	assert_int_equal(26 + wrap_overhead(&server), 66);
	wrap_fini(&server);
	wrap_fini(&client);
}

/* Our HMAC against OpenSSL's one-shot over the bytes as section 1.2 puts them in order. */
static void tls_auth_digests_and_directions(void **state)
{
	static const struct {
		enum wrap_digest digest;
		size_t len;
	} digests[] = {{WRAP_SHA1, 20}, {WRAP_SHA256, 32}, {WRAP_SHA512, 64}};
	static const struct {
		enum key_direction ours, theirs;
		size_t sends; /* where in the file the sending key is */
	} directions[] = {{KEY_DIRECTION_0, KEY_DIRECTION_1, 64},
		{KEY_DIRECTION_1, KEY_DIRECTION_0, 192},
		{KEY_DIRECTION_NONE, KEY_DIRECTION_NONE, 64}};
	static const uint8_t plain[14] = {0x38, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0, 0};
	static const struct wrap_stamp stamp = {.id = 0x01020304, .time = 0x05060708};
	struct static_key k = vector_key();
	for (size_t i = 0; i < 9; i++) {
		struct wrap ours, theirs;
		struct wrap_opened o;
		uint8_t wire[128], again[128], in[8 + 14] = {1, 2, 3, 4, 5, 6, 7, 8};
		size_t n = digests[i / 3].len;
		struct wrap_config c = {
			WRAP_TLS_AUTH, digests[i / 3].digest, directions[i % 3].ours, false, &k};
		const EVP_MD *const md[] = {EVP_sha1(), EVP_sha256(), EVP_sha512()};
		assert_int_equal(wrap_init(&ours, &c), 0);
		c.direction = directions[i % 3].theirs;
		assert_int_equal(wrap_init(&theirs, &c), 0);
		assert_int_equal(wrap_seal(&ours, &stamp, plain, 14, wire, sizeof(wire)), 22 + n);
		memcpy(in + 8, plain, 14);
		memcpy(again, plain, 9);
		assert_non_null(HMAC(md[i / 3], k.bytes + directions[i % 3].sends, (int)n, in, 22,
			again + 9, NULL));
		memcpy(again + 9 + n, in, 8);
		memcpy(again + 17 + n, plain + 9, 5);
		assert_memory_equal(wire, again, 22 + n);
		assert_int_equal(wrap_open(&theirs, NULL, wire, 22 + n, &o), 0);
		assert_memory_equal(o.plain, plain, 14);
		/* one's own comes back: only without a direction it is authentic */
		int want = i % 3 == 2 ? 0 : -EBADMSG;
		assert_int_equal(wrap_open(&ours, NULL, wire, 22 + n, &o), want);
		wrap_fini(&ours);
		wrap_fini(&theirs);
	}
}

static void configurations_that_are_none(void **state)
{
	struct static_key k = vector_key();
	struct wrap w;
	assert_int_equal(wrap_init(&w, &(struct wrap_config){.mode = 9, .key = &k}), -EINVAL);
	assert_int_equal(
		wrap_init(&w, &(struct wrap_config){.mode = WRAP_TLS_AUTH, .digest = 3, .key = &k}),
		-EINVAL);
	assert_int_equal(
		wrap_init(&w,
			&(struct wrap_config){.mode = WRAP_TLS_AUTH, .direction = 3, .key = &k}),
		-EINVAL);
	set_up(&w, WRAP_TLS_AUTH, KEY_DIRECTION_0, false);
	assert_int_equal(wrap_set_key(&w, &k), -EINVAL);
	wrap_fini(&w);
}

/* Whatever bit is changed, and wherever it ends: refused, and the window has not moved. */
static void every_bit_counts(void **state)
{
	static const char *const packets[] = {tls_auth_c_ack, tls_crypt_c_ack};
	static const enum wrap_mode modes[] = {WRAP_TLS_AUTH, WRAP_TLS_CRYPT};
	for (unsigned int m = 0; m < 2; m++) {
		struct wrap w;
		struct wrap_opened o;
		struct wrap_replay replay = {.greatest = {.id = 1, .time = 0x6b00e1cc}, .seen = 1};
		const struct wrap_replay before = replay;
		uint8_t wire[256];
		set_up(&w, modes[m], KEY_DIRECTION_0, false);
		size_t len = unhex(packets[m], wire, sizeof(wire));
		for (size_t bit = 0; bit < 8 * len; bit++) {
			wire[bit / 8] ^= (uint8_t)(1 << (bit % 8));
			o.len = 7;
			assert_int_equal(wrap_open(&w, &replay, wire, len, &o), -EBADMSG);
			assert_int_equal(o.len, 0);
			wire[bit / 8] ^= (uint8_t)(1 << (bit % 8));
		}
		for (size_t n = 0; n < len; n++)
			assert_int_equal(wrap_open(&w, &replay, wire, n, &o), -EBADMSG);
		assert_int_equal(wrap_open(&w, &replay, wire, len + 1, &o), -EBADMSG);
		assert_memory_equal(&replay, &before, sizeof(before));
		assert_int_equal(wrap_open(&w, &replay, wire, len, &o), 0);
		assert_true(replay.greatest.id > 1);
		wrap_fini(&w);
	}
}

static void another_key_is_silent(void **state)
{
	for (unsigned int m = 0; m < 2; m++) {
		struct wrap w;
		struct wrap_opened o;
		struct wrap_replay replay = {0};
		struct static_key k = vector_key();
		uint8_t wire[256];
		const struct wrap_config c = {m == 0 ? WRAP_TLS_AUTH : WRAP_TLS_CRYPT, WRAP_SHA256,
			KEY_DIRECTION_0, false, &k};
		k.bytes[m == 0 ? 192 : 128] ^= 1; /* in the HMAC key; in the cipher key */
		assert_int_equal(wrap_init(&w, &c), 0);
		size_t len = unhex(m == 0 ? tls_auth_c_hard_reset : tls_crypt_c_hard_reset, wire,
			sizeof(wire));
		assert_int_equal(wrap_open(&w, &replay, wire, len, &o), -EBADMSG);
		assert_int_equal(replay.greatest.id, 0);
		wrap_fini(&w);
	}
}

static void tls_crypt_takes_another_key(void **state)
{
	struct wrap w;
	struct wrap_opened o;
	struct static_key k = vector_key(), other = {{1, 2, 3}};
	const struct wrap_config c = {.mode = WRAP_TLS_CRYPT, .key = &other};
	uint8_t wire[256];
	size_t len = unhex(tls_crypt_c_hard_reset, wire, sizeof(wire));
	assert_int_equal(wrap_init(&w, &c), 0);
	assert_int_equal(wrap_open(&w, NULL, wire, len, &o), -EBADMSG);
	assert_int_equal(wrap_set_key(&w, &k), 0);
	assert_int_equal(wrap_open(&w, NULL, wire, len, &o), 0);
	assert_int_equal(wrap_set_key(&w, &other), 0);
	assert_int_equal(wrap_open(&w, NULL, wire, len, &o), -EBADMSG);
	wrap_fini(&w);
}

static void a_replayed_packet_is_refused(void **state)
{
	struct wrap w;
	struct wrap_opened o;
	struct wrap_replay replay = {0};
	uint8_t wire[256];
	set_up(&w, WRAP_TLS_CRYPT, KEY_DIRECTION_NONE, false);
	size_t len = unhex(tls_crypt_c_hard_reset, wire, sizeof(wire));
	assert_int_equal(wrap_open(&w, &replay, wire, len, &o), 0);
	assert_int_equal(wrap_open(&w, &replay, wire, len, &o), -EALREADY);
	assert_int_equal(o.len, 0);
	assert_int_equal(wrap_open(&w, NULL, wire, len, &o), 0); /* before a session nobody asks */
	wrap_fini(&w);
}

/* section 1.2: time going back is refused, the same time is a window of 64 */
static void the_window(void **state)
{
	struct wrap_replay r = {0};
	const uint32_t t = 1000;
	assert_false(wrap_replay_accept(&r, &(struct wrap_stamp){0, t}));
	assert_true(wrap_replay_accept(&r, &(struct wrap_stamp){100, t}));
	assert_false(wrap_replay_accept(&r, &(struct wrap_stamp){100, t}));
	assert_true(wrap_replay_accept(&r, &(struct wrap_stamp){37, t})); /* 63 behind */
	assert_false(wrap_replay_accept(&r, &(struct wrap_stamp){37, t}));
	assert_false(wrap_replay_accept(&r, &(struct wrap_stamp){36, t}));
	assert_true(wrap_replay_accept(&r, &(struct wrap_stamp){163, t}));
	assert_false(wrap_replay_accept(&r, &(struct wrap_stamp){100, t})); /* still known */
	assert_true(wrap_replay_accept(&r, &(struct wrap_stamp){101, t}));
	assert_false(wrap_replay_accept(&r, &(struct wrap_stamp){200, t - 1}));
	assert_true(wrap_replay_accept(&r, &(struct wrap_stamp){1, t + 1})); /* anew */
	assert_false(wrap_replay_accept(&r, &(struct wrap_stamp){164, t}));
	assert_true(wrap_replay_accept(&r, &(struct wrap_stamp){UINT32_MAX, t + 1}));
	assert_false(wrap_replay_accept(&r, &(struct wrap_stamp){1, t + 1}));
	assert_true(wrap_replay_accept(&r, &(struct wrap_stamp){UINT32_MAX - 63, t + 1}));
	assert_false(wrap_replay_accept(&r, &(struct wrap_stamp){UINT32_MAX - 64, t + 1}));
}

/* Against a twin that remembers everything of the newest time. */
static void the_window_and_its_twin(void **state)
{
	static uint8_t seen[4096];
	struct wrap_replay r = {0};
	uint32_t time = 0, greatest = 0;
	unsigned int accepted = 0;
	for (unsigned int n = 0; n < 200000; n++) {
		struct wrap_stamp s = {(greatest + dice_roll() % 170) % 4096, time};
		s.id = s.id > 100 ? s.id - 100 : s.id;
		s.time += dice_roll() % 1000 == 0 ? 1 : 0;
		s.time -= dice_roll() % 100 == 0 && s.time > 0 ? 1 : 0;
		if (s.time > time && s.id > 0) {
			memset(seen, 0, sizeof(seen));
			greatest = 0;
			time = s.time;
		}
		bool want = s.id > 0 && s.time == time && s.id + 64 > greatest && !seen[s.id];
		assert_int_equal(wrap_replay_accept(&r, &s), want);
		if (!want)
			continue;
		accepted++;
		seen[s.id] = 1;
		greatest = s.id > greatest ? s.id : greatest;
	}
	assert_in_range(accepted, 10000, 190000);
}

static void stamps_count(void **state)
{
	struct wrap_stamp s = {0};
	assert_int_equal(wrap_stamp_next(&s, 50), 0);
	assert_int_equal(s.id, 1);
	assert_int_equal(s.time, 50);
	assert_int_equal(wrap_stamp_next(&s, 40), 0); /* a clock that is set back does not matter */
	assert_int_equal(s.id, 2);
	assert_int_equal(s.time, 50);
	s.id = UINT32_MAX;
	assert_int_equal(wrap_stamp_next(&s, 50), -EOVERFLOW);
	assert_int_equal(s.id, UINT32_MAX);
	assert_int_equal(wrap_stamp_next(&s, 51), 0);
	assert_int_equal(s.id, 1);
	assert_int_equal(s.time, 51);
}

static void plain_is_plain(void **state)
{
	static const uint8_t reset[14] = {0x38, 1, 2, 3, 4, 5, 6, 7, 8};
	static uint8_t long_one[CONTROL_PACKET_MAX + 1] = {0x20, 1};
	static const struct wrap_stamp no_stamp;
	uint8_t wire[64];
	struct wrap w;
	struct wrap_opened o;
	struct wrap_replay replay = {0};
	set_up(&w, WRAP_NONE, KEY_DIRECTION_NONE, false);
	assert_int_equal(wrap_seal(&w, &no_stamp, reset, 14, wire, sizeof(wire)), 14);
	for (unsigned int twice = 0; twice < 2; twice++) { /* nothing to tell a replay by */
		assert_int_equal(wrap_open(&w, &replay, wire, 14, &o), 0);
		assert_int_equal(o.len, 14);
		assert_memory_equal(o.plain, reset, 14);
	}
	assert_int_equal(wrap_seal(&w, &no_stamp, reset, 9, wire, sizeof(wire)), -EBADMSG);
	assert_int_equal(wrap_open(&w, NULL, reset, 9, &o), -EBADMSG);
	assert_int_equal(wrap_open(&w, NULL, long_one, CONTROL_PACKET_MAX, &o), 0);
	assert_int_equal(wrap_open(&w, NULL, long_one, CONTROL_PACKET_MAX + 1, &o), -EBADMSG);
	wrap_fini(&w);
}

/* What is not control is not even authenticated, and each mode has its own reset. */
static void opcodes_of_each_mode(void **state)
{
	static const enum wrap_mode modes[] = {
		WRAP_NONE, WRAP_TLS_AUTH, WRAP_TLS_CRYPT, WRAP_TLS_CRYPT_V2};
	uint8_t plain[14] = {0, 1, 2, 3, 4, 5, 6, 7, 8}, wire[128];
	const struct wrap_stamp stamp = {1, 1};
	for (unsigned int m = 0; m < 4; m++) {
		struct wrap server, client;
		struct wrap_opened o;
		set_up(&server, modes[m], KEY_DIRECTION_0, false);
		set_up(&client, modes[m], KEY_DIRECTION_1, true);
		for (unsigned int opcode = 0; opcode < 32; opcode++) {
			bool ok = opcode >= 3 && opcode <= 8 && opcode != P_DATA_V1;
			if (modes[m] == WRAP_TLS_CRYPT_V2)
				ok = ok && opcode != P_CONTROL_HARD_RESET_CLIENT_V2;
			plain[0] = (uint8_t)(opcode << 3);
			ssize_t n = wrap_seal(&client, &stamp, plain, 14, wire, sizeof(wire));
			assert_true(n > 0);
			assert_int_equal(
				wrap_open(&server, NULL, wire, (size_t)n, &o), ok ? 0 : -EBADMSG);
		}
		wrap_fini(&server);
		wrap_fini(&client);
	}
}

static void nothing_is_left(void **state)
{
	static const struct wrap zero;
	struct wrap w;
	set_up(&w, WRAP_TLS_CRYPT, KEY_DIRECTION_NONE, false);
	wrap_fini(&w); /* AddressSanitizer counts the rest */
	assert_memory_equal(&w, &zero, sizeof(w));
	wrap_fini(&w); /* twice does no harm */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tls_auth_of_the_wire),
		cmocka_unit_test(tls_crypt_of_the_wire),
		cmocka_unit_test(tls_auth_digests_and_directions),
		cmocka_unit_test(configurations_that_are_none),
		cmocka_unit_test(every_bit_counts),
		cmocka_unit_test(another_key_is_silent),
		cmocka_unit_test(tls_crypt_takes_another_key),
		cmocka_unit_test(a_replayed_packet_is_refused),
		cmocka_unit_test(the_window),
		cmocka_unit_test(the_window_and_its_twin),
		cmocka_unit_test(stamps_count),
		cmocka_unit_test(plain_is_plain),
		cmocka_unit_test(opcodes_of_each_mode),
		cmocka_unit_test(nothing_is_left),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
