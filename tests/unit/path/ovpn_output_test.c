// SPDX-License-Identifier: Apache-2.0
/* What goes to OpenVPN clients: sealed in every way, room for it, whose turn it is, and who gets nothing. */
#include "dataplane/path/ecn.h"
#include "dataplane/table/instance.h"
#include "dataplane/table/peer.h"
#include "tests/unit/path/ovpn_side.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <rte_ring.h>

static struct ovpn_side c, d;
static const struct ovpn_kind v2 = {.is_v2 = true};

/* From peer 1, who speaks WireGuard, to peer 0. */
static struct rte_mbuf *frame(uint16_t size)
{
	static uint8_t inner[1500];
	make_inner4(inner, size, 1, 0);
	return frame_from(1, inner, size);
}

static void assert_arrives(struct rte_mbuf *sent, const uint8_t *inner, uint16_t size, bool is_v6)
{
	uint32_t len;
	const uint8_t *outer = byte_of(sent, 14);
	if (is_v6)
		assert_int_equal(checksum6(outer, (uint16_t)(sent->data_len - 14)), 0xffff);
	else
		assert_int_equal(checksum(outer, 20), 0xffff);
	assert_int_equal(read_be16(byte_of(sent, is_v6 ? 54 : 34)), OVPN_PORT);
	assert_int_equal(read_be16(byte_of(sent, is_v6 ? 56 : 36)), 4500);
	const uint8_t *ip = ovpn_open(&c, sent, is_v6 ? OUTER6 : OUTER, &len);
	assert_int_equal(len, size);
	assert_memory_equal(ip + 12, inner + 12, size - 12U);
	rte_pktmbuf_free(sent);
}

/* From a WireGuard peer, and from the host, whose packets have no more than the usual headroom. */
static void every_cipher_framing_and_way(void **state)
{
	uint8_t inner[1200];
	struct ip_addr host, to = memory_hub_address4(0);
	assert_int_equal(ip_addr_parse("192.0.2.77", &host), 0);
	for (unsigned int n = 0; n < ovpn_suite_count * 16; n++) {
		struct ovpn_kind kind = {.suite = ovpn_suites[n / 16],
			.is_v2 = (n & 1) != 0,
			.is_v6 = (n & 2) != 0,
			.compression = (enum data_compression)(n % 16 >> 2)};
		struct rte_mbuf *sent;
		ovpn_side_begin(&c, 0, &kind);
		make_inner4(inner, 1200, 1, 0);
		assert_int_equal(path_take(frame(1200), &sent), 1);
		assert_arrives(sent, inner, 1200, kind.is_v6);
		memory_hub_inner4(inner, 1200, &host, &to);
		assert_int_equal(path_take_injected(packet_of(inner, 1200), PKT_INJECT_ROUTE,
					 instance_handle(hub.instance), &sent),
			1);
		assert_arrives(sent, inner, 1200, kind.is_v6);
		ovpn_side_end(&c);
	}
}

static void a_ping_fits_every_cipher(void **state)
{
	uint8_t ping[DATA_PING_LEN];
	data_payload_write_ping(ping);
	for (unsigned int n = 0; n < ovpn_suite_count * 2; n++) {
		struct ovpn_kind kind = {
			.suite = ovpn_suites[n / 2], .is_v2 = true, .is_v6 = n % 2 != 0};
		struct rte_mbuf *sent;
		uint32_t len;
		ovpn_side_begin(&c, 0, &kind);
		assert_int_equal(path_take_injected(packet_of(NULL, 0), PKT_INJECT_PEER_INNER,
					 peer_handle(hub.peer[0]), &sent),
			1);
		const uint8_t *payload = ovpn_open(&c, sent, kind.is_v6 ? OUTER6 : OUTER, &len);
		assert_int_equal(len, sizeof(ping));
		assert_memory_equal(payload, ping, sizeof(ping));
		rte_pktmbuf_free(sent);
		ovpn_side_end(&c);
	}
}

/* What has no room is refused before it gets a number. */
static void without_room_no_number_is_used(void **state)
{
	struct ovpn_kind kind = {
		.suite = {CIPHER_AES_256_CBC, CIPHER_HMAC_SHA512}, .is_v2 = true, .is_v6 = true};
	struct rte_mbuf *sent, *m = packet_of(NULL, 0);
	uint8_t inner[1500];
	ovpn_side_begin(&c, 0, &kind);
	make_inner4(inner, 1500, 1, 0);
	uint16_t room = rte_pktmbuf_tailroom(m);
	memcpy(rte_pktmbuf_append(m, room), inner, 1500);
	assert_int_equal(
		path_take_injected(m, PKT_INJECT_PEER_INNER, peer_handle(hub.peer[0]), &sent), 0);
	assert_int_equal(grown(COUNTER_DROP_NO_HEADROOM), 1);
	assert_int_equal(c.key->send.packet_id, 0);
	/* and to the byte what has: all that the buffer holds behind the longest headers */
	m = packet_of(NULL, 0);
	uint32_t most = m->buf_len - DATA_COMPRESSION_HEADROOM - DATA_HEADROOM - OUTER6
		- DATA_COMPRESSION_TAILROOM - DATA_TAILROOM;
	if (most > 1500)
		most = 1500;
	memcpy(rte_pktmbuf_append(m, (uint16_t)most), inner, most);
	(void)path_take_injected(m, PKT_INJECT_PEER_INNER, peer_handle(hub.peer[0]), &sent);
	assert_int_equal(grown(COUNTER_DROP_NO_HEADROOM), 0);
	assert_int_equal(c.key->send.packet_id, 1);
	rte_pktmbuf_free(sent);
	ovpn_side_end(&c);
}

static void who_has_no_key_or_place_gets_nothing(void **state)
{
	ovpn_side_begin(&c, 0, &v2);
	c.tunnel->send = NULL;
	assert_dropped(frame(SIZE), COUNTER_DROP_NO_KEY);
	c.tunnel->send = c.key;
	hub.peer[0]->endpoint = NULL;
	assert_dropped(frame(SIZE), COUNTER_DROP_NO_ENDPOINT);
	hub.peer[0]->endpoint = c.endpoint;
	hub.peer[0]->expired = 1;
	assert_dropped(frame(SIZE), COUNTER_DROP_PEER_EXPIRED);
	hub.peer[0]->expired = 0;
	c.key->send.packet_id = UINT32_MAX; /* never the same number twice */
	assert_dropped(frame(SIZE), COUNTER_DROP_NO_KEY);
	ovpn_side_end(&c);
}

static void packets_are_numbered_one_after_the_other(void **state)
{
	uint8_t inner[SIZE];
	ovpn_side_begin(&c, 0, &v2);
	make_inner4(inner, SIZE, 1, 0);
	uint64_t before = hub.peer[0]->sent.packets;
	for (uint32_t n = 1; n <= 100; n++) {
		struct rte_mbuf *sent;
		assert_int_equal(path_take(frame(SIZE), &sent), 1);
		assert_int_equal(read_be32(byte_of(sent, OUTER + DATA_V2_HEADER_LEN)), n);
		assert_arrives(sent, inner, SIZE, false);
	}
	assert_int_equal(hub.peer[0]->sent.packets, before + 100);
	ovpn_side_end(&c);
}

static void a_key_near_its_end_is_renewed_once(void **state)
{
	struct keying_message told;
	struct rte_mbuf *sent;
	ovpn_side_begin(&c, 0, &v2);
	c.key->send.packet_id = 0xff000000;
	for (unsigned int n = 0; n < 2; n++) {
		assert_int_equal(path_take(frame(SIZE), &sent), 1);
		rte_pktmbuf_free(sent);
	}
	take_from_keying(&told);
	assert_int_equal(told.type, KEYING_TUNNEL_RENEW);
	assert_int_equal(told.peer, peer_handle(hub.peer[0]));
	ovpn_side_end(&c);
}

/* RFC 6040: what the inner header says the outer one says, too. */
static void congestion_is_told_outside(void **state)
{
	uint8_t inner[SIZE];
	ovpn_side_begin(&c, 0, &v2);
	for (uint8_t ecn = 0; ecn < 4; ecn++) {
		struct rte_mbuf *sent;
		make_inner4(inner, SIZE, 1, 0);
		inner[1] = ecn;
		fix_inner_checksum(inner);
		assert_int_equal(path_take(frame_from(1, inner, SIZE), &sent), 1);
		assert_int_equal(ecn_tos(byte_of(sent, 14)), ecn);
		assert_arrives(sent, inner, SIZE, false);
	}
	ovpn_side_end(&c);
}

static void between_two_clients(void **state)
{
	struct ovpn_kind old = {.suite = {CIPHER_AES_256_CBC, CIPHER_HMAC_SHA1}};
	uint8_t inner[SIZE];
	struct rte_mbuf *sent;
	ovpn_side_begin(&c, 0, &v2);
	ovpn_side_begin(&d, 1, &old);
	make_inner4(inner, SIZE, 1, 0);
	assert_int_equal(path_take(ovpn_frame(&d, inner, SIZE), &sent), 1);
	assert_arrives(sent, inner, SIZE, false);
	ovpn_side_end(&d);
	ovpn_side_end(&c);
}

/* Over TCP the thread of the stream seals; its ring is the bound here. */
static void streams_get_it_unsealed(void **state)
{
	struct ovpn_kind tcp = {.is_v2 = true, .is_tcp = true};
	uint8_t inner[SIZE];
	struct rte_mbuf *sent;
	void *m = NULL;
	ovpn_side_begin(&c, 0, &tcp);
	make_inner4(inner, SIZE, 1, 0);
	assert_int_equal(path_take(frame(SIZE), &sent), 0);
	assert_int_equal(rte_ring_dequeue(hub.rings.stream, &m), 0);
	assert_int_equal(pkt_of(m)->handle, peer_handle(hub.peer[0]));
	assert_memory_equal(byte_of(m, 12), inner + 12, SIZE - 12);
	rte_pktmbuf_free(m);
	unsigned int room = rte_ring_free_count(hub.rings.stream);
	for (unsigned int n = 0; n < room; n++)
		assert_int_equal(rte_ring_enqueue(hub.rings.stream, hub.path.rings), 0);
	assert_dropped(frame(SIZE), COUNTER_DROP_STREAM_FULL);
	while (rte_ring_dequeue(hub.rings.stream, &m) == 0) {
	}
	assert_int_equal(c.key->send.packet_id, 0);
	ovpn_side_end(&c);
}

static void what_a_stream_has_opened_is_checked_like_all(void **state)
{
	struct ovpn_kind tcp = {.is_v2 = true, .is_tcp = true};
	uint8_t inner[SIZE];
	struct rte_mbuf *sent;
	uint16_t len;
	ovpn_side_begin(&c, 0, &tcp);
	make_inner4(inner, SIZE, 0, 1);
	uint64_t handle = peer_handle(hub.peer[0]);
	assert_int_equal(
		path_take_injected(packet_of(inner, SIZE), PKT_INJECT_FROM_PEER, handle, &sent), 1);
	assert_memory_equal(open_sent(sent, 1, &len) + 12, inner + 12, SIZE - 12);
	rte_pktmbuf_free(sent);
	make_inner4(inner, SIZE, 2, 1); /* another's source */
	assert_int_equal(
		path_take_injected(packet_of(inner, SIZE), PKT_INJECT_FROM_PEER, handle, &sent), 0);
	assert_int_equal(grown(COUNTER_DROP_SPOOFED_SOURCE), 1);
	assert_int_equal(path_take_injected(packet_of(inner, SIZE), PKT_INJECT_FROM_PEER,
				 handle + (1ULL << 32), &sent),
		0);
	assert_int_equal(grown(COUNTER_DROP_INJECT_STALE), 1);
	ovpn_side_end(&c);
}

#define T(t) cmocka_unit_test_teardown(t, ovpn_test_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(every_cipher_framing_and_way),
		T(a_ping_fits_every_cipher),
		T(without_room_no_number_is_used),
		T(who_has_no_key_or_place_gets_nothing),
		T(packets_are_numbered_one_after_the_other),
		T(a_key_near_its_end_is_renewed_once),
		T(congestion_is_told_outside),
		T(between_two_clients),
		T(streams_get_it_unsealed),
		T(what_a_stream_has_opened_is_checked_like_all),
	};
	return cmocka_run_group_tests(tests, ovpn_group_start, fixture_end);
}
