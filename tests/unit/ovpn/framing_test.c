// SPDX-License-Identifier: Apache-2.0
/* The first byte and the control packet: byte by byte as OpenVPN has them, and what is refused. */
#include "dataplane/ovpn/framing.h"

#include "tests/unit/dice.h"
#include "tests/unit/ovpn/vectors.h"

#include <errno.h>

/* From a wire, unwrapped: both resets and an ack. */
static const char client_reset[] = "38dab2b0145afbc8120000000000";
static const char server_reset[] = "40619e6153cc38a4f50100000000dab2b0145afbc81200000000";
static const char client_ack[] = "28dab2b0145afbc8120100000000619e6153cc38a4f5";

static const struct session_id client_sid = {{0xda, 0xb2, 0xb0, 0x14, 0x5a, 0xfb, 0xc8, 0x12}};
static const struct session_id server_sid = {{0x61, 0x9e, 0x61, 0x53, 0xcc, 0x38, 0xa4, 0xf5}};

static void first_byte_is_opcode_and_key_id(void **state)
{
	assert_int_equal(first_byte(P_CONTROL_HARD_RESET_CLIENT_V2, 0), 0x38);
	assert_int_equal(first_byte(P_CONTROL_HARD_RESET_SERVER_V2, 0), 0x40);
	assert_int_equal(first_byte(P_DATA_V2, 0), 0x48);
	assert_int_equal(first_byte(P_CONTROL_HARD_RESET_CLIENT_V3, 0), 0x50);
	assert_int_equal(first_byte(P_CONTROL_WKC_V1, 0), 0x58);
	for (unsigned int b = 0; b < 256; b++) {
		assert_int_equal(first_byte_opcode((uint8_t)b), b / 8);
		assert_int_equal(first_byte_key_id((uint8_t)b), b % 8);
	}
}

static void parse_and_write(const char *text, size_t want_len, struct control_packet *ret)
{
	static uint8_t bytes[64];
	uint8_t again[64];
	size_t len = unhex(text, bytes, sizeof(bytes));
	assert_int_equal(len, want_len);
	assert_int_equal(control_packet_parse(bytes, len, ret), 0);
	assert_int_equal(control_packet_write(ret, again, sizeof(again)), len);
	assert_memory_equal(again, bytes, len);
	assert_int_equal(control_packet_write(ret, again, len), len);
	for (size_t size = 0; size < len; size++)
		assert_int_equal(control_packet_write(ret, again, size), -ENOSPC);
}

static void packets_of_the_wire(void **state)
{
	struct control_packet p;
	parse_and_write(client_reset, 14, &p);
	assert_int_equal(p.opcode, P_CONTROL_HARD_RESET_CLIENT_V2);
	assert_true(session_id_equal(&p.session_id, &client_sid));
	assert_int_equal(p.ack_count, 0);
	assert_true(session_id_is_zero(&p.remote_session_id));
	assert_int_equal(p.packet_id, 0);
	assert_int_equal(p.payload_len, 0);
	parse_and_write(server_reset, 26, &p);
	assert_int_equal(p.opcode, P_CONTROL_HARD_RESET_SERVER_V2);
	assert_true(session_id_equal(&p.session_id, &server_sid));
	assert_true(session_id_equal(&p.remote_session_id, &client_sid));
	assert_int_equal(p.ack_count, 1);
	assert_int_equal(p.ack[0], 0);
	parse_and_write(client_ack, 22, &p);
	assert_int_equal(p.opcode, P_ACK_V1);
	assert_int_equal(p.ack_count, 1);
	assert_true(session_id_equal(&p.remote_session_id, &server_sid));
}

static void every_truncation_is_refused(void **state)
{
	static const char *const all[] = {client_reset, server_reset, client_ack};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		uint8_t bytes[64];
		struct control_packet p = {.packet_id = 77};
		size_t len = unhex(all[i], bytes, sizeof(bytes));
		for (size_t n = 0; n < len; n++)
			assert_int_equal(control_packet_parse(bytes, n, &p), -EBADMSG);
		assert_int_equal(p.packet_id, 77); /* untouched */
	}
}

/* A packet of that opcode and that many acks, with one byte of payload unless it is an ack. */
static size_t make(unsigned int opcode, unsigned int acks, uint8_t *bytes)
{
	memset(bytes, 0x11, 128);
	bytes[0] = (uint8_t)(opcode << 3);
	bytes[9] = (uint8_t)acks;
	size_t len = 10 + (size_t)4 * acks + (acks > 0 ? 8 : 0);
	return opcode == P_ACK_V1 ? len : len + 5;
}

static void opcodes_that_are_not_spoken(void **state)
{
	static const bool spoken[32] = {[3] = true,
		[4] = true,
		[5] = true,
		[7] = true,
		[8] = true,
		[10] = true,
		[11] = true};
	uint8_t bytes[128];
	struct control_packet p;
	for (unsigned int opcode = 0; opcode < 32; opcode++) {
		size_t len = make(opcode, 2, bytes);
		assert_int_equal(
			control_packet_parse(bytes, len, &p), spoken[opcode] ? 0 : -EBADMSG);
		assert_int_equal(opcode_is_control(opcode), spoken[opcode]);
	}
}

static void at_most_eight_acks(void **state)
{
	uint8_t bytes[2048];
	struct control_packet p;
	for (unsigned int acks = 0; acks <= 8; acks++) {
		size_t len = make(P_CONTROL_V1, acks, bytes);
		assert_int_equal(control_packet_parse(bytes, len, &p), 0);
		assert_int_equal(p.ack_count, acks);
		assert_int_equal(p.payload_len, 1);
		assert_ptr_equal(p.payload, bytes + len - 1);
	}
	memset(bytes, 0x11, sizeof(bytes));
	bytes[0] = first_byte(P_CONTROL_V1, 0);
	for (unsigned int acks = 9; acks < 256; acks++) {
		bytes[9] = (uint8_t)acks;
		assert_int_equal(control_packet_parse(bytes, sizeof(bytes), &p), -EBADMSG);
	}
}

static void session_ids_are_never_zero(void **state)
{
	uint8_t bytes[64];
	struct control_packet p;
	size_t len = unhex(server_reset, bytes, sizeof(bytes));
	memset(bytes + 1, 0, 8);
	assert_int_equal(control_packet_parse(bytes, len, &p), -EBADMSG);
	len = unhex(server_reset, bytes, sizeof(bytes));
	memset(bytes + 14, 0, 8); /* the remote's */
	assert_int_equal(control_packet_parse(bytes, len, &p), -EBADMSG);
	len = unhex(server_reset, bytes, sizeof(bytes));
	memset(bytes + 1, 0, 7); /* one byte is enough */
	assert_int_equal(control_packet_parse(bytes, len, &p), 0);
}

static void hard_resets_have_key_id_0(void **state)
{
	uint8_t bytes[128];
	struct control_packet p;
	for (unsigned int key_id = 1; key_id < 8; key_id++) {
		static const enum opcode resets[] = {P_CONTROL_HARD_RESET_CLIENT_V2,
			P_CONTROL_HARD_RESET_SERVER_V2, P_CONTROL_HARD_RESET_CLIENT_V3};
		for (unsigned int i = 0; i < 3; i++) {
			size_t len = make(resets[i], 0, bytes);
			bytes[0] |= (uint8_t)key_id;
			assert_int_equal(control_packet_parse(bytes, len, &p), -EBADMSG);
		}
		size_t len = make(P_CONTROL_SOFT_RESET_V1, 0, bytes);
		bytes[0] |= (uint8_t)key_id;
		assert_int_equal(control_packet_parse(bytes, len, &p), 0);
		assert_int_equal(p.key_id, key_id);
	}
}

static void an_ack_is_nothing_else(void **state)
{
	uint8_t bytes[128];
	struct control_packet p;
	size_t len = make(P_ACK_V1, 3, bytes);
	assert_int_equal(control_packet_parse(bytes, len, &p), 0);
	assert_int_equal(p.packet_id, 0);
	assert_int_equal(control_packet_parse(bytes, len + 1, &p), -EBADMSG);
	assert_int_equal(control_packet_parse(bytes, make(P_ACK_V1, 0, bytes), &p), -EBADMSG);
}

static void writing_refuses_what_parsing_does(void **state)
{
	uint8_t bytes[64];
	const struct control_packet good = {.opcode = P_CONTROL_V1,
		.session_id = client_sid,
		.remote_session_id = server_sid,
		.ack_count = 1};
	assert_int_equal(control_packet_write(&good, bytes, sizeof(bytes)), 26);
	struct control_packet p = good;
	p.opcode = P_DATA_V2;
	assert_int_equal(control_packet_write(&p, bytes, sizeof(bytes)), -EINVAL);
	p = good;
	p.ack_count = 9;
	assert_int_equal(control_packet_write(&p, bytes, sizeof(bytes)), -EINVAL);
	p = good;
	p.key_id = 8;
	assert_int_equal(control_packet_write(&p, bytes, sizeof(bytes)), -EINVAL);
	p = good;
	memset(&p.session_id, 0, sizeof(p.session_id));
	assert_int_equal(control_packet_write(&p, bytes, sizeof(bytes)), -EINVAL);
	p = good;
	p.opcode = P_ACK_V1;
	p.payload = bytes;
	p.payload_len = 1;
	assert_int_equal(control_packet_write(&p, bytes, sizeof(bytes)), -EINVAL);
	p = good;
	p.payload = bytes;
	p.payload_len = SIZE_MAX;
	assert_int_equal(control_packet_write(&p, bytes, sizeof(bytes)), -ENOSPC);
}

/* Whatever is read is written the same. */
static void chance(void **state)
{
	unsigned int sound = 0;
	for (unsigned int n = 0; n < 200000; n++) {
		uint8_t bytes[80], again[80];
		struct control_packet p;
		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = (uint8_t)dice_roll();
		bytes[9] = (uint8_t)(dice_roll() % 10);
		size_t len = dice_roll() % (sizeof(bytes) + 1);
		if (control_packet_parse(bytes, len, &p) != 0)
			continue;
		sound++;
		assert_int_equal(control_packet_write(&p, again, sizeof(again)), len);
		assert_memory_equal(again, bytes, len);
	}
	assert_true(sound > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_byte_is_opcode_and_key_id),
		cmocka_unit_test(packets_of_the_wire),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(opcodes_that_are_not_spoken),
		cmocka_unit_test(at_most_eight_acks),
		cmocka_unit_test(session_ids_are_never_zero),
		cmocka_unit_test(hard_resets_have_key_id_0),
		cmocka_unit_test(an_ack_is_nothing_else),
		cmocka_unit_test(writing_refuses_what_parsing_does),
		cmocka_unit_test(chance),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
