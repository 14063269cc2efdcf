// SPDX-License-Identifier: Apache-2.0
/*
 * Crafted packets through the whole path: each is sent on as it must be, or dropped for the reason
 * that is counted. The hub is in memory; peers 0 and 1 are sites or clients with real sessions.
 */
#include "dataplane/table/instance.h"
#include "dataplane/table/peer.h"
#include "dataplane/table/session.h"
#include "dataplane/wg/messages.h"
#include "tests/unit/dice.h"
#include "tests/unit/path/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <rte_ring.h>

static void forwarded_with_one_hop_less(void **state)
{
	struct rte_mbuf *sent;
	uint8_t inner[SIZE];
	uint16_t len;
	make_inner4(inner, SIZE, 0, 1);
	assert_int_equal(path_take(frame_from(0, inner, SIZE), &sent), 1);
	assert_int_equal(grown(COUNTER_FORWARDED_PACKETS), 1);
	const uint8_t *ip = open_sent(sent, 1, &len);
	assert_int_equal(len, 112); /* padded to 16 */
	assert_int_equal(ip[8], 63);
	inner[8] = 63;
	fix_inner_checksum(inner);
	assert_memory_equal(ip, inner, SIZE);
	for (uint16_t i = SIZE; i < len; i++)
		assert_int_equal(ip[i], 0);
	rte_pktmbuf_free(sent);
}

static void outer_headers(void **state)
{
	struct rte_mbuf *m = good_frame();
	m->data_len = 20; /* no room for IP */
	m->pkt_len = 20;
	assert_dropped(m, COUNTER_DROP_FRAME_SHORT);
	m = good_frame();
	memcpy(byte_of(m, 6), hub.tables->port[0].mac, 6); /* our own, come back */
	assert_dropped(m, COUNTER_DROP_FRAME_OWN);
	m = good_frame();
	*byte_of(m, 0) = 0x04;
	assert_dropped(m, COUNTER_DROP_FRAME_NOT_OURS);
	m = good_frame();
	*byte_of(m, 14) = 0x44; /* header of 16 bytes */
	fix_inner_checksum(byte_of(m, 14));
	assert_dropped(m, COUNTER_DROP_OUTER_MALFORMED);
	m = good_frame();
	*byte_of(m, 16) = 0xff; /* longer than the frame */
	fix_inner_checksum(byte_of(m, 14));
	assert_dropped(m, COUNTER_DROP_FRAME_TRUNCATED);
	m = good_frame();
	*byte_of(m, 24) ^= 1; /* checksum */
	assert_dropped(m, COUNTER_DROP_OUTER_MALFORMED);
	m = good_frame();
	*byte_of(m, 39) = (uint8_t)(*byte_of(m, 39) + 20); /* UDP longer than IP */
	assert_dropped(m, COUNTER_DROP_OUTER_MALFORMED);
}

/* What is no tunnel's is the host's. */
static void punted(void **state)
{
	struct rte_mbuf *sent, *m = good_frame();
	*byte_of(m, 20) |= 0x20; /* more fragments, but not of UDP */
	*byte_of(m, 23) = 6;
	fix_inner_checksum(byte_of(m, 14));
	assert_int_equal(path_take(m, &sent), 0);
	assert_int_equal(grown(COUNTER_PUNTED_PACKETS), 1);
	drop_from_host(1);
	m = good_frame();
	*byte_of(m, 37) ^= 1; /* another UDP port */
	assert_int_equal(path_take(m, &sent), 0);
	assert_int_equal(grown(COUNTER_PUNTED_PACKETS), 1);
	drop_from_host(1);
}

static void outer_sources(void **state)
{
	static const uint8_t bad[][4] = {
		{0, 0, 0, 0}, {127, 0, 0, 1}, {224, 0, 0, 1}, {255, 255, 255, 255}};
	for (unsigned int i = 0; i < 4; i++) {
		struct rte_mbuf *m = good_frame();
		memcpy(byte_of(m, 26), bad[i], 4);
		fix_inner_checksum(byte_of(m, 14));
		assert_dropped(m, COUNTER_DROP_OUTER_SOURCE);
	}
}

static void wireguard_messages(void **state)
{
	struct rte_mbuf *m = good_frame();
	*byte_of(m, OUTER) = 5;
	assert_dropped(m, COUNTER_DROP_WG_TYPE);
	m = good_frame();
	*byte_of(m, OUTER + 1) = 1; /* reserved */
	assert_dropped(m, COUNTER_DROP_WG_TYPE);
	m = good_frame();
	*byte_of(m, OUTER) = MESSAGE_HANDSHAKE_INITIATION; /* of a wrong length */
	assert_dropped(m, COUNTER_DROP_WG_LENGTH);
	m = good_frame();
	*byte_of(m, OUTER + 4) ^= 1;
	assert_dropped(m, COUNTER_DROP_WG_UNKNOWN_INDEX);
	m = good_frame();
	*byte_of(m, OUTER + 7) ^= 0x80; /* the slot is right, the random half is not */
	assert_dropped(m, COUNTER_DROP_WG_UNKNOWN_INDEX);
	m = good_frame();
	*byte_of(m, OUTER + DATA + 3) ^= 1;
	assert_dropped(m, COUNTER_DROP_WG_AUTH);
	m = good_frame();
	*byte_of(m, (uint16_t)(m->data_len - 1)) ^= 1;
	assert_dropped(m, COUNTER_DROP_WG_AUTH);
}

static uint16_t udp_checksum(const uint8_t *frame, uint16_t len)
{
	uint8_t pseudo[12 + SIZE + 200] = {0};
	uint16_t udp_len = (uint16_t)(len - 34);
	memcpy(pseudo, frame + 26, 8);
	pseudo[9] = 17;
	pseudo[10] = (uint8_t)(udp_len >> 8);
	pseudo[11] = (uint8_t)udp_len;
	memcpy(pseudo + 12, frame + 34, udp_len);
	return (uint16_t)~checksum(pseudo, (uint16_t)(12 + udp_len));
}

/* W-42: of a handshake it is looked at, unless there is none; data is covered by its tag. */
static void outer_checksums(void **state)
{
	uint8_t inner[SIZE] = {0};
	struct rte_mbuf *sent;
	for (unsigned int n = 0; n < 3; n++) {
		struct keying_message message;
		struct rte_mbuf *m = frame_from(0, inner, 64);
		uint16_t at = OUTER - 2;
		memset(byte_of(m, OUTER), 0, 4);
		*byte_of(m, OUTER) = MESSAGE_HANDSHAKE_RESPONSE; /* 92 bytes */
		rte_pktmbuf_trim(m, (uint16_t)(m->data_len - OUTER - 92));
		*byte_of(m, 17) = 120;
		*byte_of(m, 39) = 100;
		fix_inner_checksum(byte_of(m, 14));
		if (n > 0) {
			uint16_t sum = (uint16_t)(udp_checksum(byte_of(m, 0), m->data_len) + n - 1);
			*byte_of(m, at) = (uint8_t)(sum >> 8);
			*byte_of(m, at + 1) = (uint8_t)sum;
		}
		if (n == 2) {
			assert_dropped(m, COUNTER_DROP_OUTER_CHECKSUM);
			continue;
		}
		assert_int_equal(path_take(m, &sent), 0);
		take_from_keying(&message);
		assert_int_equal(message.type, KEYING_HANDSHAKE);
	}
	struct rte_mbuf *m = good_frame();
	*byte_of(m, OUTER - 1) = 1;
	assert_int_equal(path_take(m, &sent), 1);
	rte_pktmbuf_free(sent);
}

static void replayed(void **state)
{
	struct rte_mbuf *sent, *m = good_frame();
	struct rte_mbuf *again = rte_pktmbuf_copy(m, hub.rings.pool, 0, UINT32_MAX);
	assert_int_equal(path_take(m, &sent), 1);
	rte_pktmbuf_free(sent);
	assert_dropped(again, COUNTER_DROP_WG_REPLAY);
}

static void a_key_has_its_time(void **state)
{
	struct session *s = hub.peer[0]->current;
	uint64_t birth = s->keypair.birth_ns;
	s->keypair.birth_ns -= REJECT_AFTER_TIME;
	assert_dropped(good_frame(), COUNTER_DROP_WG_KEY_EXPIRED);
	s->keypair.birth_ns = birth;
}

static void keepalives_are_counted(void **state)
{
	assert_dropped(frame_from(0, NULL, 0), COUNTER_KEEPALIVES_RECEIVED);
}

static void inner_headers(void **state)
{
	static const struct {
		uint16_t at;
		uint8_t value;
	} bad[] = {{0, 0x35}, {0, 0x44}, {0, 0x75}, {2, 0xff}, {3, 10}};
	uint8_t inner[SIZE];
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		make_inner4(inner, SIZE, 0, 1);
		inner[bad[i].at] = bad[i].value;
		fix_inner_checksum(inner);
		assert_dropped(frame_from(0, inner, SIZE), COUNTER_DROP_INNER_MALFORMED);
	}
	make_inner4(inner, SIZE, 0, 1);
	assert_dropped(frame_from(0, inner, 12), COUNTER_DROP_INNER_MALFORMED);
}

static void spoofed(void **state)
{
	uint8_t inner[SIZE];
	make_inner4(inner, SIZE, 2, 1); /* peer 0 says that it is peer 2 */
	assert_dropped(frame_from(0, inner, SIZE), COUNTER_DROP_SPOOFED_SOURCE);
	struct ip_addr nobody, to = memory_hub_address4(1);
	assert_int_equal(ip_addr_parse("192.0.2.9", &nobody), 0);
	memory_hub_inner4(inner, SIZE, &nobody, &to);
	assert_dropped(frame_from(0, inner, SIZE), COUNTER_DROP_SPOOFED_SOURCE);
	/* nor may anybody be the hub */
	struct ip_addr own;
	assert_int_equal(ip_addr_parse("10.0.0.1", &own), 0);
	memory_hub_inner4(inner, SIZE, &own, &to);
	assert_dropped(frame_from(0, inner, SIZE), COUNTER_DROP_SPOOFED_SOURCE);
}

static void destinations(void **state)
{
	assert_dropped(frame_to("255.255.255.255"), COUNTER_DROP_INNER_DESTINATION);
	assert_dropped(frame_to("224.0.0.5"), COUNTER_DROP_INNER_DESTINATION);
	assert_dropped(frame_to("127.0.0.1"), COUNTER_DROP_INNER_DESTINATION);
	assert_dropped(frame_to("169.254.1.1"), COUNTER_DROP_INNER_DESTINATION);
	assert_dropped(frame_to("10.0.0.2"), COUNTER_DROP_ROUTE_BACK); /* itself */
	assert_refused(frame_to("203.0.113.77"), COUNTER_DROP_NO_ROUTE, 3, 0);
}

static void hops(void **state)
{
	uint8_t inner[SIZE];
	make_inner4(inner, SIZE, 0, 1);
	inner[8] = 1;
	fix_inner_checksum(inner);
	assert_refused(frame_from(0, inner, SIZE), COUNTER_DROP_TTL, 11, 0);
}

static void too_large(void **state)
{
	static uint8_t inner[1500];
	make_inner4(inner, 1421, 0, 1);
	inner[6] = 0x40; /* don't fragment */
	fix_inner_checksum(inner);
	assert_refused(frame_from(0, inner, 1421), COUNTER_DROP_MTU, 3, 4);
}

static void access_rules(void **state)
{
	struct peer *from = hub.peer[0], *to = hub.peer[1];
	hub.instance->flags = 0;
	assert_refused(frame_to("10.0.0.3"), COUNTER_DROP_ACCESS_SITE_TO_SITE, 3, 13);
	from->type = PEER_TYPE_CLIENT;
	assert_refused(frame_to("10.0.0.3"), COUNTER_DROP_ACCESS_CLIENT_TO_SITE, 3, 13);
	to->type = PEER_TYPE_CLIENT;
	assert_refused(frame_to("10.0.0.3"), COUNTER_DROP_ACCESS_CLIENT_TO_CLIENT, 3, 13);
	from->type = to->type = PEER_TYPE_SITE;
	hub.instance->flags = INSTANCE_SITE_TO_SITE;
}

static void internet_is_for_route_all(void **state)
{
	struct ip_prefix all;
	struct rte_mbuf *sent;
	assert_int_equal(ip_prefix_parse("0.0.0.0/0", &all), 0);
	assert_int_equal(route_set(hub.instance, &all, ROUTE_EGRESS, NULL), 0);
	hub.instance->flags = INSTANCE_SITE_TO_SITE | INSTANCE_EGRESS_V4;
	assert_refused(frame_to("192.0.2.80"), COUNTER_DROP_ACCESS_INTERNET, 3, 13);
	/* not even through the hub's own outer address */
	assert_dropped(frame_to("203.0.113.1"), COUNTER_DROP_RECURSIVE);
	hub.peer[0]->route_all = 1;
	assert_int_equal(path_take(frame_to("192.0.2.80"), &sent), 0);
	drop_from_host(1); /* to naveN */
	hub.peer[0]->route_all = 0;
	hub.instance->flags = INSTANCE_SITE_TO_SITE;
	route_del(route_find(hub.instance, &all));
}

/* A site that advertises 0.0.0.0/0 is the instance's way out: not one for split clients. */
static void internet_through_a_site(void **state)
{
	struct ip_prefix all;
	struct rte_mbuf *sent;
	assert_int_equal(ip_prefix_parse("0.0.0.0/0", &all), 0);
	assert_int_equal(route_set(hub.instance, &all, ROUTE_PEER, hub.peer[1]), 0);
	hub.instance->flags = INSTANCE_SITE_TO_SITE | INSTANCE_CLIENT_TO_SITE;
	assert_int_equal(path_take(frame_to("192.0.2.80"), &sent), 1); /* from a site */
	rte_pktmbuf_free(sent);
	hub.peer[0]->type = PEER_TYPE_CLIENT;
	assert_refused(frame_to("192.0.2.80"), COUNTER_DROP_ACCESS_INTERNET, 3, 13);
	assert_int_equal(path_take(frame_to("10.0.0.3"), &sent), 1); /* the site itself */
	rte_pktmbuf_free(sent);
	hub.peer[0]->route_all = 1;
	assert_int_equal(path_take(frame_to("192.0.2.80"), &sent), 1);
	rte_pktmbuf_free(sent);
	hub.peer[0]->route_all = 0;
	hub.peer[0]->type = PEER_TYPE_SITE;
	hub.instance->flags = INSTANCE_SITE_TO_SITE;
	route_del(route_find(hub.instance, &all));
}

static void a_list_of_destinations(void **state)
{
	static struct peer_allowed *list;
	struct rte_mbuf *sent;
	list = calloc(1, sizeof(*list) + sizeof(struct ip_prefix));
	list->count = 1;
	assert_int_equal(ip_prefix_parse("10.0.0.4/32", &list->prefix[0]), 0);
	hub.peer[0]->allowed = list;
	assert_refused(frame_to("10.0.0.3"), COUNTER_DROP_ACCESS_DESTINATION, 3, 13);
	assert_int_equal(path_take(frame_to("10.0.0.4"), &sent), 1);
	rte_pktmbuf_free(sent);
	hub.peer[0]->allowed = NULL;
	free(list);
}

static void expired_peers(void **state)
{
	hub.peer[0]->expired = 1;
	assert_dropped(good_frame(), COUNTER_DROP_PEER_EXPIRED);
	hub.peer[0]->expired = 0;
	hub.peer[1]->expired = 1;
	assert_dropped(good_frame(), COUNTER_DROP_PEER_EXPIRED);
	hub.peer[1]->expired = 0;
}

static void no_endpoint(void **state)
{
	struct endpoint *e = hub.peer[1]->endpoint;
	hub.peer[1]->endpoint = NULL;
	assert_dropped(good_frame(), COUNTER_DROP_NO_ENDPOINT);
	hub.peer[1]->endpoint = e;
}

static void hub_answers_ping(void **state)
{
	uint8_t inner[SIZE];
	struct rte_mbuf *sent;
	struct ip_addr from = memory_hub_address4(0), own;
	uint16_t len;
	assert_int_equal(ip_addr_parse("10.0.0.1", &own), 0);
	memory_hub_inner4(inner, SIZE, &from, &own);
	inner[9] = 1; /* ICMP echo */
	memset(inner + 20, 0, SIZE - 20);
	inner[20] = 8;
	inner[22] = 0xf7; /* its checksum: ~0x0800 */
	inner[23] = 0xff;
	fix_inner_checksum(inner);
	assert_int_equal(path_take(frame_from(0, inner, SIZE), &sent), 1);
	assert_int_equal(grown(COUNTER_ECHO_REPLIES), 1);
	const uint8_t *ip = open_sent(sent, 0, &len);
	assert_memory_equal(ip + 12, own.bytes + 12, 4);
	assert_int_equal(ip[20], 0);
	assert_int_equal(ip[22] << 8 | ip[23], 0xffff);
	rte_pktmbuf_free(sent);
}

/* A SYN that asks for more than the tunnel takes is asked for less, checksum and all. */
static void mss_is_clamped(void **state)
{
	static const uint8_t mss[] = {2, 4, 0x05, 0xb4}; /* 1460 */
	uint8_t inner[60];
	struct rte_mbuf *sent;
	uint16_t len;
	make_inner4(inner, 60, 0, 1);
	memset(inner + 20, 0, 40);
	inner[9] = 6;
	inner[32] = 0x60; /* 24 bytes of header */
	inner[33] = 0x02; /* SYN */
	memcpy(inner + 40, mss, sizeof(mss));
	fix_inner_checksum(inner);
	assert_int_equal(path_take(frame_from(0, inner, 60), &sent), 1);
	const uint8_t *ip = open_sent(sent, 1, &len);
	assert_int_equal(ip[42] << 8 | ip[43], 1380);
	/* the change of the sum is the change of the field: RFC 1624 */
	uint32_t sum = (uint32_t)(ip[36] << 8 | ip[37]) + 1380;
	sum = (sum & 0xffff) + (sum >> 16);
	assert_true(sum % 0xffff == 1460 % 0xffff);
	rte_pktmbuf_free(sent);
}

/* Any bytes where a frame is expected: no crash, nothing leaks, nothing is sent. */
static void noise_is_harmless(void **state)
{
	unsigned int available = rte_mempool_avail_count(hub.rings.pool);
	for (unsigned int n = 0; n < 20000; n++) {
		struct rte_mbuf *sent, *m = good_frame();
		unsigned int changes = 1 + dice_roll() % 4;
		uint32_t reach = n % 2 == 0 ? OUTER + DATA : m->data_len;
		while (changes-- > 0)
			*byte_of(m, (uint16_t)(dice_roll() % reach)) = (uint8_t)dice_roll();
		if (n % 5 == 0)
			m->pkt_len = m->data_len = (uint16_t)(dice_roll() % (m->data_len + 1U));
		if (path_take(m, &sent) > 0)
			rte_pktmbuf_free(sent);
		drop_all_from_host();
		drop_all_from_keying();
	}
	assert_int_equal(rte_mempool_avail_count(hub.rings.pool), available);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forwarded_with_one_hop_less),
		cmocka_unit_test(outer_headers),
		cmocka_unit_test(punted),
		cmocka_unit_test(outer_sources),
		cmocka_unit_test(wireguard_messages),
		cmocka_unit_test(outer_checksums),
		cmocka_unit_test(replayed),
		cmocka_unit_test(a_key_has_its_time),
		cmocka_unit_test(keepalives_are_counted),
		cmocka_unit_test(inner_headers),
		cmocka_unit_test(spoofed),
		cmocka_unit_test(destinations),
		cmocka_unit_test(hops),
		cmocka_unit_test(too_large),
		cmocka_unit_test(access_rules),
		cmocka_unit_test(internet_is_for_route_all),
		cmocka_unit_test(internet_through_a_site),
		cmocka_unit_test(a_list_of_destinations),
		cmocka_unit_test(expired_peers),
		cmocka_unit_test(no_endpoint),
		cmocka_unit_test(hub_answers_ping),
		cmocka_unit_test(mss_is_clamped),
		cmocka_unit_test(noise_is_harmless),
	};
	return cmocka_run_group_tests(tests, fixture_start, fixture_end);
}
