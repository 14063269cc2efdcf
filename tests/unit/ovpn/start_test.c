// SPDX-License-Identifier: Apache-2.0
/* The stateless start: what is answered, and each rule by which a session begins. */
#include "dataplane/ovpn/start.h"

#include "dataplane/base/clock.h"
#include "dataplane/ovpn/wrap.h"
#include "tests/unit/ovpn/vectors.h"

#include <errno.h>

/* With the hand window of 60 s a slot is 30 s. */
static const uint64_t slot_ns = 30 * NS_PER_SEC;
static const uint64_t now = 30000 * NS_PER_SEC + 5;

struct scene {
	struct start start;
	struct start_path path;
	struct control_packet reset, reply, echo;
};

/* Up to the echo: the packet that would begin a session. */
static void set_up(struct scene *s)
{
	memset(s, 0, sizeof(*s));
	assert_int_equal(start_init(&s->start, 60), 0);
	assert_int_equal(ip_endpoint_parse("198.51.100.7:4500", &s->path.source), 0);
	assert_int_equal(ip_endpoint_parse("203.0.113.1:1194", &s->path.dest), 0);
	s->reset.opcode = P_CONTROL_HARD_RESET_CLIENT_V2;
	memcpy(s->reset.session_id.bytes, "\xda\xb2\xb0\x14\x5a\xfb\xc8\x12", 8);
	assert_int_equal(start_reply(&s->start, &s->path, &s->reset, START_PLAIN, now, &s->reply),
		START_ACCEPTED);
	s->echo = (struct control_packet){.opcode = P_ACK_V1,
		.session_id = s->reset.session_id,
		.remote_session_id = s->reply.session_id,
		.ack_count = 1};
}

static enum start_verdict check(const struct scene *s, uint64_t now_ns)
{
	return start_check(&s->start, &s->path, &s->echo, now_ns);
}

/* Item 5: 14 bytes are answered with 26, and all but the session id is known. */
static void the_reply_byte_by_byte(void **state)
{
	struct scene s;
	uint8_t bytes[64], want[64];
	set_up(&s);
	assert_int_equal(control_packet_write(&s.reset, bytes, sizeof(bytes)), 14);
	assert_int_equal(control_packet_write(&s.reply, bytes, sizeof(bytes)), 26);
	(void)unhex("40619e6153cc38a4f50100000000dab2b0145afbc81200000000", want, sizeof(want));
	memcpy(want + 1, s.reply.session_id.bytes, SESSION_ID_LEN);
	assert_memory_equal(bytes, want, 26);
	assert_false(session_id_is_zero(&s.reply.session_id));
}

/* The same in tls-crypt-v2: 72 bytes, the last six inside ask for the key again. */
static void the_reply_asks_for_the_key(void **state)
{
	static const struct wrap_stamp stamp = {1, 0x6b00e1d9};
	struct scene s;
	struct static_key kc;
	struct wrap server, client;
	struct wrap_opened o;
	uint8_t bytes[64], wire[128], text[64];
	set_up(&s);
	s.reset.opcode = P_CONTROL_HARD_RESET_CLIENT_V3;
	(void)unhex(tls_crypt_v2_kc, kc.bytes, sizeof(kc.bytes));
	assert_int_equal(start_reply(&s.start, &s.path, &s.reset, START_RESEND_WKC, now, &s.reply),
		START_ACCEPTED);
	assert_int_equal(control_packet_write(&s.reply, bytes, sizeof(bytes)), 32);
	struct wrap_config c = {.mode = WRAP_TLS_CRYPT_V2, .key = &kc};
	assert_int_equal(wrap_init(&server, &c), 0);
	c.is_client = true;
	assert_int_equal(wrap_init(&client, &c), 0);
	assert_int_equal(wrap_seal(&server, &stamp, bytes, 32, wire, sizeof(wire)), 72);
	assert_int_equal(wrap_open(&client, NULL, wire, 72, &o), 0);
	size_t len = unhex(tls_crypt_v2_s_hard_reset_text, text, sizeof(text));
	memcpy(text + 5, s.reset.session_id.bytes, SESSION_ID_LEN);
	assert_int_equal(o.len, CONTROL_HEAD_LEN + len);
	assert_memory_equal(o.plain + CONTROL_HEAD_LEN, text, len);
	wrap_fini(&server);
	wrap_fini(&client);
}

/* A session id depends on nothing that is remembered. */
static void nothing_is_kept(void **state)
{
	struct scene s;
	struct control_packet again;
	set_up(&s);
	const struct start before = s.start;
	for (unsigned int i = 0; i < 1000; i++) {
		struct control_packet other = s.reset;
		other.session_id.bytes[0] = (uint8_t)i;
		other.session_id.bytes[1] = (uint8_t)(i >> 8);
		assert_int_equal(start_reply(&s.start, &s.path, &other, START_PLAIN, now, &again),
			START_ACCEPTED);
		assert_false(session_id_equal(&again.session_id, &s.reply.session_id));
	}
	assert_memory_equal(&s.start, &before, sizeof(before));
	assert_int_equal(
		start_reply(&s.start, &s.path, &s.reset, START_PLAIN, now, &again), START_ACCEPTED);
	assert_true(session_id_equal(&again.session_id, &s.reply.session_id));
}

static enum start_verdict reply(const struct scene *s, const struct control_packet *reset)
{
	struct control_packet ret = {.packet_id = 77};
	enum start_verdict v = start_reply(&s->start, &s->path, reset, START_PLAIN, now, &ret);
	assert_int_equal(ret.packet_id, v == START_ACCEPTED ? 0 : 77);
	return v;
}

static void what_is_answered(void **state)
{
	struct scene s;
	set_up(&s);
	struct control_packet p = s.reset;
	for (unsigned int opcode = 0; opcode < 32; opcode++) {
		p.opcode = (enum opcode)opcode;
		assert_int_equal(
			reply(&s, &p), opcode == 7 || opcode == 10 ? START_ACCEPTED : START_OPCODE);
	}
	p = s.reset;
	p.key_id = 1;
	assert_int_equal(reply(&s, &p), START_KEY_ID);
	p = s.reset;
	p.packet_id = 1; /* the second reset of RouterOS is never answered */
	assert_int_equal(reply(&s, &p), START_PACKET_ID);
	p = s.reset;
	memset(&p.session_id, 0, sizeof(p.session_id));
	assert_int_equal(reply(&s, &p), START_SESSION_ID);
	p = s.reset;
	p.payload = (const uint8_t *)"\0\1\0\2";
	p.payload_len = 4;
	assert_int_equal(reply(&s, &p), START_PAYLOAD);
}

/* Rule 2 of section 1.4, one condition after the other. Item 7: both kinds begin one. */
static void three_opcodes_begin(void **state)
{
	struct scene s;
	set_up(&s);
	for (unsigned int opcode = 0; opcode < 32; opcode++) {
		bool begins =
			opcode == P_ACK_V1 || opcode == P_CONTROL_V1 || opcode == P_CONTROL_WKC_V1;
		s.echo.opcode = (enum opcode)opcode;
		s.echo.packet_id = opcode == P_ACK_V1 ? 0 : 1;
		assert_int_equal(check(&s, now), begins ? START_ACCEPTED : START_OPCODE);
	}
}

static void key_id_is_0(void **state)
{
	struct scene s;
	set_up(&s);
	for (uint8_t key_id = 1; key_id < 8; key_id++) {
		s.echo.key_id = key_id;
		assert_int_equal(check(&s, now), START_KEY_ID);
	}
}

/* Item 8. */
static void without_an_ack_nothing_begins(void **state)
{
	struct scene s;
	set_up(&s);
	s.echo.opcode = P_CONTROL_V1;
	s.echo.packet_id = 1;
	assert_int_equal(check(&s, now), START_ACCEPTED);
	s.echo.ack_count = 0; /* even if the session id were there */
	assert_int_equal(check(&s, now), START_NO_ACK);
}

/* Item 10. */
static void ids_above_1_never_begin(void **state)
{
	struct scene s;
	set_up(&s);
	s.echo.opcode = P_CONTROL_V1;
	for (uint32_t id = 0; id < 5; id++) {
		s.echo.packet_id = id;
		assert_int_equal(check(&s, now), id <= 1 ? START_ACCEPTED : START_PACKET_ID);
	}
	s.echo.packet_id = UINT32_MAX;
	assert_int_equal(check(&s, now), START_PACKET_ID);
	s.echo.packet_id = 1;
	for (unsigned int n = 1; n <= ACKS_MAX; n++) {
		s.echo.ack_count = (uint8_t)n;
		s.echo.ack[n - 1] = 2;
		assert_int_equal(check(&s, now), START_PACKET_ID);
		s.echo.ack[n - 1] = 1;
		assert_int_equal(check(&s, now), START_ACCEPTED);
	}
}

/* Item 6: forged. */
static void every_bit_of_the_session_ids_counts(void **state)
{
	struct scene s, other;
	set_up(&s);
	for (unsigned int bit = 0; bit < 64; bit++) {
		uint8_t *ours = &s.echo.remote_session_id.bytes[bit / 8];
		uint8_t *theirs = &s.echo.session_id.bytes[bit / 8];
		*ours ^= (uint8_t)(1 << (bit % 8));
		assert_int_equal(check(&s, now), START_SESSION_ID);
		*ours ^= (uint8_t)(1 << (bit % 8));
		*theirs ^= (uint8_t)(1 << (bit % 8));
		assert_int_equal(check(&s, now), START_SESSION_ID);
		*theirs ^= (uint8_t)(1 << (bit % 8));
	}
	assert_int_equal(check(&s, now), START_ACCEPTED);
	set_up(&other); /* with a secret of its own */
	s.echo.remote_session_id = other.reply.session_id;
	assert_int_equal(check(&s, now), START_SESSION_ID);
}

/* Item 6: another source, and another of our own addresses. */
static void bound_to_both_ends(void **state)
{
	static const char *const others[] = {"198.51.100.8:4500", "198.51.100.7:4501",
		"198.51.100.7:37905" /* 4500 with its bytes swapped */, "[2001:db8::1]:4500",
		"203.0.113.1:1194"};
	struct scene s;
	set_up(&s);
	const struct start_path path = s.path;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		s.path = path;
		assert_int_equal(ip_endpoint_parse(others[i], &s.path.source), 0);
		assert_int_equal(check(&s, now), START_SESSION_ID);
		s.path = path;
		s.path.dest.port = (uint16_t)(s.path.dest.port + 1 + i);
		assert_int_equal(check(&s, now), START_SESSION_ID);
	}
	s.path = (struct start_path){path.dest, path.source};
	assert_int_equal(check(&s, now), START_SESSION_ID);
	s.path = path;
	s.path.dest.addr.bytes[15] ^= 1;
	assert_int_equal(check(&s, now), START_SESSION_ID);
	s.path = path;
	assert_int_equal(check(&s, now), START_ACCEPTED);
}

/* Item 6: this slot and two before it, none to come, none older. */
static void slots(void **state)
{
	struct scene s;
	set_up(&s);
	assert_int_equal(s.start.timeslot_ns, slot_ns);
	uint64_t begin = now / slot_ns * slot_ns;
	assert_int_equal(check(&s, begin), START_ACCEPTED);
	assert_int_equal(check(&s, begin + slot_ns), START_ACCEPTED);
	assert_int_equal(check(&s, begin + 3 * slot_ns - 1), START_ACCEPTED);
	assert_int_equal(check(&s, begin + 3 * slot_ns), START_SESSION_ID); /* old */
	assert_int_equal(check(&s, begin - 1), START_SESSION_ID); /* still to come */
	assert_int_equal(check(&s, begin - slot_ns), START_SESSION_ID);
	assert_int_equal(check(&s, 0), START_SESSION_ID);
	assert_int_equal(check(&s, slot_ns), START_SESSION_ID);
	assert_int_equal(check(&s, UINT64_MAX), START_SESSION_ID);
}

static void the_first_slot_has_none_before_it(void **state)
{
	struct scene s;
	set_up(&s);
	assert_int_equal(
		start_reply(&s.start, &s.path, &s.reset, START_PLAIN, 3, &s.reply), START_ACCEPTED);
	s.echo.remote_session_id = s.reply.session_id;
	assert_int_equal(check(&s, 5), START_ACCEPTED);
	assert_int_equal(check(&s, 3 * slot_ns - 1), START_ACCEPTED);
	assert_int_equal(check(&s, 3 * slot_ns), START_SESSION_ID);
}

static void hand_windows(void **state)
{
	struct start s;
	assert_int_equal(start_init(&s, 0), -EINVAL);
	assert_int_equal(start_init(&s, 1), 0);
	assert_int_equal(s.timeslot_ns, NS_PER_SEC);
	assert_int_equal(start_init(&s, UINT32_MAX), 0);
	assert_int_equal(s.timeslot_ns, 2147483648 * NS_PER_SEC);
	static const struct start zero;
	start_fini(&s);
	assert_memory_equal(&s, &zero, sizeof(s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_reply_byte_by_byte),
		cmocka_unit_test(the_reply_asks_for_the_key),
		cmocka_unit_test(nothing_is_kept),
		cmocka_unit_test(what_is_answered),
		cmocka_unit_test(three_opcodes_begin),
		cmocka_unit_test(key_id_is_0),
		cmocka_unit_test(without_an_ack_nothing_begins),
		cmocka_unit_test(ids_above_1_never_begin),
		cmocka_unit_test(every_bit_of_the_session_ids_counts),
		cmocka_unit_test(bound_to_both_ends),
		cmocka_unit_test(slots),
		cmocka_unit_test(the_first_slot_has_none_before_it),
		cmocka_unit_test(hand_windows),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
