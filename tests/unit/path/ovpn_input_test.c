// SPDX-License-Identifier: Apache-2.0
/* OpenVPN data that comes in: opened, refused, told of, and on its way to a WireGuard peer. */
#include "dataplane/ovpn/framing.h"
#include "dataplane/table/instance.h"
#include "dataplane/table/peer.h"
#include "tests/unit/path/ovpn_side.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct ovpn_side c;
static const struct ovpn_kind v2 = {.is_v2 = true};

static struct rte_mbuf *frame(void)
{
	uint8_t inner[SIZE];
	make_inner4(inner, SIZE, 0, 1);
	return ovpn_frame(&c, inner, SIZE);
}

/* One packet, to peer 1, who speaks WireGuard. */
static void reaches(const struct ovpn_kind *kind, uint16_t size)
{
	uint8_t inner[1500];
	struct rte_mbuf *sent;
	uint16_t len;
	ovpn_side_begin(&c, 0, kind);
	make_inner4(inner, size, 0, 1);
	uint64_t before = hub.peer[0]->received.packets;
	assert_int_equal(path_take(ovpn_frame(&c, inner, size), &sent), 1);
	const uint8_t *ip = open_sent(sent, 1, &len);
	assert_memory_equal(ip + 12, inner + 12, size - 12U); /* TTL and its sum have changed */
	assert_int_equal(hub.peer[0]->received.packets, before + 1);
	rte_pktmbuf_free(sent);
	assert_nothing_for_keying(); /* it is where it was */
	ovpn_side_end(&c);
}

static void every_cipher_and_framing(void **state)
{
	for (unsigned int n = 0; n < ovpn_suite_count; n++) {
		for (unsigned int how = 0; how < 16; how++) {
			struct ovpn_kind kind = {.suite = ovpn_suites[n],
				.is_v2 = (how & 1) != 0,
				.is_v6 = (how & 2) != 0,
				.compression = (enum data_compression)(how >> 2)};
			reaches(&kind, SIZE);
			reaches(&kind, 1380);
		}
	}
}

static void a_packet_comes_once(void **state)
{
	for (unsigned int n = 0; n < ovpn_suite_count; n++) {
		struct ovpn_kind kind = {.suite = ovpn_suites[n], .is_v2 = true};
		struct rte_mbuf *sent;
		ovpn_side_begin(&c, 0, &kind);
		struct rte_mbuf *first = frame(), *second;
		second = packet_of(byte_of(first, 0), first->data_len);
		assert_int_equal(path_take(first, &sent), 1);
		rte_pktmbuf_free(sent);
		assert_dropped(second, COUNTER_DROP_OVPN_REPLAY);
		ovpn_side_end(&c);
	}
}

/* Any bit of what is covered; the header of CBC is not (its peer id and key id only lead to the key). */
static void an_altered_packet_is_refused_and_moves_nothing(void **state)
{
	for (unsigned int n = 0; n < ovpn_suite_count; n++) {
		struct ovpn_kind kind = {.suite = ovpn_suites[n], .is_v2 = true};
		ovpn_side_begin(&c, 0, &kind);
		struct rte_mbuf *good = frame(), *sent;
		for (uint16_t at = OUTER + DATA_V2_HEADER_LEN; at < good->data_len; at += 5) {
			struct rte_mbuf *bad = packet_of(byte_of(good, 0), good->data_len);
			*byte_of(bad, at) ^= 0x10;
			*byte_of(bad, 35) ^= 1; /* from elsewhere */
			*byte_of(bad, 24) = *byte_of(bad, 25) = 0;
			fix_inner_checksum(byte_of(bad, 14));
			assert_dropped(bad, COUNTER_DROP_OVPN_AUTH);
		}
		assert_nothing_for_keying();
		assert_int_equal(path_take(good, &sent), 1); /* its number is not used up */
		rte_pktmbuf_free(sent);
		ovpn_side_end(&c);
	}
}

static void who_or_what_is_unknown_is_refused(void **state)
{
	struct rte_mbuf *m;
	ovpn_side_begin(&c, 0, &v2);
	m = frame();
	*byte_of(m, OUTER) |= 3; /* key id */
	assert_dropped(m, COUNTER_DROP_OVPN_UNKNOWN_KEY);
	m = frame();
	*byte_of(m, OUTER + 3) ^= 1; /* another slot */
	assert_dropped(m, COUNTER_DROP_OVPN_UNKNOWN_PEER);
	m = frame();
	*byte_of(m, OUTER + 1) ^= 0x80; /* an older generation */
	assert_dropped(m, COUNTER_DROP_OVPN_UNKNOWN_PEER);
	m = frame();
	memset(byte_of(m, OUTER + 1), 0xff, 3); /* "undefined", and no P_DATA_V1 either */
	assert_dropped(m, COUNTER_DROP_OVPN_UNKNOWN_PEER);
	c.tunnel->receive[0] = NULL;
	assert_dropped(frame(), COUNTER_DROP_OVPN_UNKNOWN_KEY);
	c.tunnel->receive[0] = c.key;
	ovpn_side_end(&c);
}

static void a_peer_id_counts_in_its_instance(void **state)
{
	struct instance *i = NULL;
	struct instance_settings s = {
		.id.bytes = {77}, .number = 77, .wireguard_port = 51999, .mtu = 1420};
	assert_int_equal(ip_prefix_parse("10.9.0.1/16", &s.address4), 0);
	assert_int_equal(instance_set(hub.tables, &s, &i), 0);
	ovpn_side_begin(&c, 0, &v2);
	hub.tables->openvpn_port[OVPN_PORT] = i;
	assert_dropped(frame(), COUNTER_DROP_OVPN_UNKNOWN_PEER);
	hub.tables->openvpn_port[OVPN_PORT] = hub.instance;
	ovpn_side_end(&c);
}

/* Whoever has a peer id is known by it alone. */
static void no_v1_from_who_has_a_peer_id(void **state)
{
	struct ovpn_kind v1 = {0};
	ovpn_side_begin(&c, 0, &v2);
	struct rte_mbuf *m = frame();
	uint8_t packet[300];
	packet[0] = P_DATA_V1 << 3;
	uint16_t len = (uint16_t)(m->data_len - OUTER - DATA_V2_HEADER_LEN);
	memcpy(packet + 1, byte_of(m, OUTER + DATA_V2_HEADER_LEN), len);
	rte_pktmbuf_free(m);
	assert_dropped(
		ovpn_frame_of(&c, packet, (uint16_t)(1 + len)), COUNTER_DROP_OVPN_UNKNOWN_PEER);
	ovpn_side_end(&c);
	ovpn_side_begin(&c, 0, &v1); /* and with an id of nobody's the address helps nobody */
	m = frame();
	memmove(packet + 4, byte_of(m, OUTER + 1), m->data_len - OUTER - 1U);
	write_be32(packet, 0x48000001);
	len = (uint16_t)(m->data_len - OUTER + 3);
	rte_pktmbuf_free(m);
	assert_dropped(ovpn_frame_of(&c, packet, len), COUNTER_DROP_OVPN_UNKNOWN_PEER);
	ovpn_side_end(&c);
}

static void a_tunnel_of_tcp_takes_no_datagram(void **state)
{
	struct ovpn_kind kind = {.is_v2 = true, .is_tcp = true};
	ovpn_side_begin(&c, 0, &kind);
	assert_dropped(frame(), COUNTER_DROP_OVPN_UNKNOWN_PEER);
	ovpn_side_end(&c);
}

/* P_DATA_V1 is known by where it comes from, and the port it comes to. */
static void without_a_peer_id_the_address_counts(void **state)
{
	struct ovpn_kind v1 = {0};
	ovpn_side_begin(&c, 0, &v1);
	struct rte_mbuf *m = frame();
	*byte_of(m, 35) ^= 1;
	assert_dropped(m, COUNTER_DROP_OVPN_UNKNOWN_PEER);
	m = frame();
	write_be16(byte_of(m, 36), OVPN_PORT + 1);
	hub.tables->openvpn_port[OVPN_PORT + 1] = hub.instance;
	assert_dropped(m, COUNTER_DROP_OVPN_UNKNOWN_PEER);
	ovpn_side_end(&c);
}

static void any_length(void **state)
{
	for (unsigned int n = 0; n < ovpn_suite_count; n++) {
		struct ovpn_kind kind = {.suite = ovpn_suites[n], .is_v2 = true};
		ovpn_side_begin(&c, 0, &kind);
		struct rte_mbuf *good = frame(), *sent;
		uint64_t length = 0, auth = 0, nobody = 0;
		for (uint16_t len = 1; OUTER + len < good->data_len; len++) {
			assert_int_equal(
				path_take(ovpn_frame_of(&c, byte_of(good, OUTER), len), &sent), 0);
			length += grown(COUNTER_DROP_OVPN_LENGTH);
			auth += grown(COUNTER_DROP_OVPN_AUTH);
			nobody += grown(COUNTER_DROP_OVPN_UNKNOWN_PEER);
		}
		assert_int_equal(length + auth + nobody, good->data_len - OUTER - 1);
		assert_int_equal(nobody, 3);
		assert_true(length >= 20);
		rte_pktmbuf_free(good);
		ovpn_side_end(&c);
	}
}

/* Only what is authentic moves a client, and keying is told once. */
static void who_floats_is_told_of_once(void **state)
{
	struct keying_message told;
	struct rte_mbuf *sent;
	ovpn_side_begin(&c, 0, &v2);
	for (unsigned int n = 0; n < 2; n++) {
		struct rte_mbuf *m = frame();
		write_be16(byte_of(m, 34), 4501);
		assert_int_equal(path_take(m, &sent), 1);
		rte_pktmbuf_free(sent);
	}
	take_from_keying(&told);
	assert_int_equal(told.type, KEYING_ROAM);
	assert_int_equal(told.peer, peer_handle(hub.peer[0]));
	assert_int_equal(told.remote_port, 4501);
	assert_int_equal(told.local_port, OVPN_PORT);
	ovpn_side_end(&c);
}

static void pings_and_options_are_swallowed(void **state)
{
	uint8_t ping[DATA_PING_LEN], leaves[DATA_OCC_EXIT_LEN];
	struct keying_message told;
	data_payload_write_ping(ping);
	data_payload_write_occ_exit(leaves);
	for (unsigned int how = 0; how < 4; how++) {
		struct ovpn_kind kind = {.is_v2 = true, .compression = (enum data_compression)how};
		ovpn_side_begin(&c, 0, &kind);
		assert_dropped(ovpn_frame(&c, ping, sizeof(ping)), COUNTER_OVPN_PINGS_RECEIVED);
		assert_nothing_for_keying();
		assert_dropped(ovpn_frame(&c, leaves, sizeof(leaves)), COUNTER_OVPN_PINGS_RECEIVED);
		assert_dropped(ovpn_frame(&c, leaves, sizeof(leaves)), COUNTER_OVPN_PINGS_RECEIVED);
		take_from_keying(&told); /* once */
		assert_int_equal(told.type, KEYING_TUNNEL_EXIT);
		assert_int_equal(told.index, c.tunnel->id);
		ovpn_side_end(&c);
	}
}

static void what_is_compressed_is_refused(void **state)
{
	uint8_t lzo[SIZE] = {0x66, 0x45}, odd[SIZE] = {0x12};
	struct ovpn_kind kind = {.is_v2 = true, .compression = DATA_COMPRESSION_LZO_NO};
	ovpn_side_begin(&c, 0, &kind);
	c.tunnel->compression = DATA_COMPRESSION_NONE; /* the client frames by itself */
	struct rte_mbuf *a = ovpn_frame(&c, lzo, SIZE), *b = ovpn_frame(&c, odd, SIZE);
	c.tunnel->compression = DATA_COMPRESSION_LZO_NO;
	assert_dropped(a, COUNTER_DROP_OVPN_PAYLOAD);
	assert_dropped(b, COUNTER_DROP_OVPN_PAYLOAD);
	ovpn_side_end(&c);
}

static void who_is_expired_gets_nothing_in(void **state)
{
	ovpn_side_begin(&c, 0, &v2);
	hub.peer[0]->expired = 1;
	assert_dropped(frame(), COUNTER_DROP_PEER_EXPIRED);
	hub.peer[0]->expired = 0;
	ovpn_side_end(&c);
}

static void sources_of_others_are_refused(void **state)
{
	uint8_t inner[SIZE];
	ovpn_side_begin(&c, 0, &v2);
	make_inner4(inner, SIZE, 2, 1);
	assert_dropped(ovpn_frame(&c, inner, SIZE), COUNTER_DROP_SPOOFED_SOURCE);
	ovpn_side_end(&c);
}

static void a_used_up_key_asks_for_another_once(void **state)
{
	struct keying_message told;
	struct rte_mbuf *sent;
	ovpn_side_begin(&c, 0, &v2);
	c.key->receive.usage.blocks_and_packets = 1ULL << 36;
	for (unsigned int n = 0; n < 2; n++) {
		assert_int_equal(path_take(frame(), &sent), 1);
		rte_pktmbuf_free(sent);
	}
	take_from_keying(&told);
	assert_int_equal(told.type, KEYING_TUNNEL_RENEW);
	assert_int_equal(told.index, c.tunnel->id);
	ovpn_side_end(&c);
}

/* By opcode: the control channel's are keying's, what nobody may send ends here. */
static void opcodes(void **state)
{
	uint8_t packet[30] = {0};
	struct rte_mbuf *sent;
	struct keying_message told;
	ovpn_side_begin(&c, 0, &v2);
	for (unsigned int opcode = 0; opcode < 32; opcode++) {
		packet[0] = (uint8_t)(opcode << 3);
		bool is_control = (opcode >= P_CONTROL_SOFT_RESET_V1 && opcode <= P_ACK_V1)
			|| opcode == P_CONTROL_HARD_RESET_CLIENT_V2
			|| opcode == P_CONTROL_HARD_RESET_CLIENT_V3 || opcode == P_CONTROL_WKC_V1;
		bool is_data = opcode == P_DATA_V1 || opcode == P_DATA_V2;
		assert_int_equal(path_take(ovpn_frame_of(&c, packet, sizeof(packet)), &sent), 0);
		assert_int_equal(grown(COUNTER_DROP_OVPN_OPCODE), !is_control && !is_data);
		if (!is_control)
			continue;
		take_from_keying(&told);
		assert_int_equal(told.type, KEYING_OPENVPN);
		assert_int_equal(told.remote_port, 4500);
		assert_int_equal(told.local_port, OVPN_PORT);
	}
	assert_dropped(ovpn_frame_of(&c, packet, 0), COUNTER_DROP_OVPN_LENGTH);
	ovpn_side_end(&c);
}

#define T(t) cmocka_unit_test_teardown(t, ovpn_test_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(every_cipher_and_framing),
		T(a_packet_comes_once),
		T(an_altered_packet_is_refused_and_moves_nothing),
		T(who_or_what_is_unknown_is_refused),
		T(a_peer_id_counts_in_its_instance),
		T(no_v1_from_who_has_a_peer_id),
		T(a_tunnel_of_tcp_takes_no_datagram),
		T(without_a_peer_id_the_address_counts),
		T(any_length),
		T(who_floats_is_told_of_once),
		T(pings_and_options_are_swallowed),
		T(what_is_compressed_is_refused),
		T(who_is_expired_gets_nothing_in),
		T(sources_of_others_are_refused),
		T(a_used_up_key_asks_for_another_once),
		T(opcodes),
	};
	return cmocka_run_group_tests(tests, ovpn_group_start, fixture_end);
}
