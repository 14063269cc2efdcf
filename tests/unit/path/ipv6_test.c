// SPDX-License-Identifier: Apache-2.0
/* IPv6, inside and outside the tunnel. Addresses of one family never pass for the other. */
#include "dataplane/table/instance.h"
#include "dataplane/table/peer.h"
#include "dataplane/table/session.h"
#include "dataplane/table/underlay.h"
#include "dataplane/wg/messages.h"
#include "tests/unit/path/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

static void address(uint8_t ret[16], const char *text)
{
	struct ip_addr a;
	assert_int_equal(ip_addr_parse(text, &a), 0);
	memcpy(ret, a.bytes, 16);
}

static struct rte_mbuf *good_frame6(void)
{
	uint8_t inner[SIZE];
	make_inner6(inner, SIZE, 0, 1);
	return frame_from(0, inner, SIZE);
}

static struct rte_mbuf *frame6_to(const char *destination)
{
	uint8_t inner[SIZE];
	make_inner6(inner, SIZE, 0, 1);
	address(inner + 24, destination);
	return frame_from(0, inner, SIZE);
}

/* As assert_refused(), with an ICMPv6 error whose checksum is right. */
static void assert_refused6(struct rte_mbuf *frame, enum counter reason, uint8_t type, uint8_t code)
{
	struct rte_mbuf *sent;
	uint16_t len;
	uint8_t hub_address[16];
	struct ip_addr peer = memory_hub_address6(0);
	assert_int_equal(path_take(frame, &sent), 1);
	assert_int_equal(grown(reason), 1);
	const uint8_t *ip = open_sent(sent, 0, &len);
	uint16_t total = (uint16_t)(40 + (ip[4] << 8 | ip[5]));
	address(hub_address, "fd00::1");
	assert_int_equal(ip[0], 0x60);
	assert_int_equal(ip[6], 58);
	assert_memory_equal(ip + 8, hub_address, 16);
	assert_memory_equal(ip + 24, peer.bytes, 16);
	assert_int_equal(ip[40], type);
	assert_int_equal(ip[41], code);
	assert_in_range(total, 48 + 40, 1280);
	assert_int_equal(checksum6(ip, total), 0xffff);
	rte_pktmbuf_free(sent);
}

static void forwarded(void **state)
{
	struct rte_mbuf *sent;
	uint8_t inner[SIZE];
	uint16_t len;
	make_inner6(inner, SIZE, 0, 1);
	assert_int_equal(path_take(frame_from(0, inner, SIZE), &sent), 1);
	const uint8_t *ip = open_sent(sent, 1, &len);
	inner[7] = 63;
	assert_memory_equal(ip, inner, SIZE);
	rte_pktmbuf_free(sent);
}

static void inner_headers(void **state)
{
	static const uint16_t lengths[] = {73, 4000, 0xffff}; /* more than came, padding included */
	uint8_t inner[SIZE];
	for (unsigned int i = 0; i < 3; i++) {
		make_inner6(inner, SIZE, 0, 1);
		inner[4] = (uint8_t)(lengths[i] >> 8);
		inner[5] = (uint8_t)lengths[i];
		assert_dropped(frame_from(0, inner, SIZE), COUNTER_DROP_INNER_MALFORMED);
	}
	make_inner6(inner, SIZE, 0, 1);
	assert_dropped(frame_from(0, inner, 32), COUNTER_DROP_INNER_MALFORMED);
}

static void spoofed(void **state)
{
	uint8_t inner[SIZE];
	make_inner6(inner, SIZE, 2, 1);
	assert_dropped(frame_from(0, inner, SIZE), COUNTER_DROP_SPOOFED_SOURCE);
	make_inner6(inner, SIZE, 0, 1);
	address(inner + 8, "fd00::1"); /* the hub's own */
	assert_dropped(frame_from(0, inner, SIZE), COUNTER_DROP_SPOOFED_SOURCE);
	/* the peer's IPv4 address, dressed as IPv6, is not the peer's */
	struct ip_addr v4 = memory_hub_address4(0);
	memcpy(inner + 8, v4.bytes, 16);
	assert_dropped(frame_from(0, inner, SIZE), COUNTER_DROP_SPOOFED_SOURCE);
}

static void destinations(void **state)
{
	assert_dropped(frame6_to("ff02::1"), COUNTER_DROP_INNER_DESTINATION);
	assert_dropped(frame6_to("fe80::1"), COUNTER_DROP_INNER_DESTINATION);
	assert_dropped(frame6_to("::1"), COUNTER_DROP_INNER_DESTINATION);
	assert_dropped(frame6_to("::"), COUNTER_DROP_INNER_DESTINATION);
	assert_dropped(frame6_to("fd00::2"), COUNTER_DROP_ROUTE_BACK);
	assert_refused6(frame6_to("2001:db8::1"), COUNTER_DROP_NO_ROUTE, 1, 0);
}

/* ::/0 must not carry IPv4 out in IPv6's clothes, past lists that speak of IPv4. */
static void mapped_destinations_go_nowhere(void **state)
{
	struct ip_prefix all;
	uint8_t inner[SIZE];
	assert_int_equal(ip_prefix_parse("::/0", &all), 0);
	assert_int_equal(route_set(hub.instance, &all, ROUTE_EGRESS, NULL), 0);
	hub.instance->flags |= INSTANCE_EGRESS_V6;
	hub.peer[0]->route_all = 1;
	make_inner6(inner, SIZE, 0, 1);
	memcpy(inner + 24, mapped, sizeof(mapped));
	memset(inner + 36, 8, 4); /* ::ffff:8.8.8.8 */
	assert_dropped(frame_from(0, inner, SIZE), COUNTER_DROP_INNER_DESTINATION);
	struct rte_mbuf *sent;
	assert_int_equal(path_take(frame6_to("2001:db8::1"), &sent), 0);
	drop_from_host(1); /* while real IPv6 does go out */
	hub.peer[0]->route_all = 0;
	hub.instance->flags = INSTANCE_SITE_TO_SITE;
	route_del(route_find(hub.instance, &all));
}

static void hops_and_size(void **state)
{
	static uint8_t inner[1500];
	struct rte_mbuf *sent;
	uint16_t len;
	make_inner6(inner, SIZE, 0, 1);
	inner[7] = 1;
	assert_refused6(frame_from(0, inner, SIZE), COUNTER_DROP_TTL, 3, 0);
	make_inner6(inner, 1421, 0, 1);
	assert_int_equal(path_take(frame_from(0, inner, 1421), &sent), 1);
	assert_int_equal(grown(COUNTER_DROP_MTU), 1);
	const uint8_t *ip = open_sent(sent, 0, &len);
	assert_int_equal(ip[40], 2); /* packet too big */
	assert_int_equal(ip[44] << 24 | ip[45] << 16 | ip[46] << 8 | ip[47], 1420);
	assert_int_equal(len, 1280); /* quotes as much as the smallest MTU holds */
	assert_int_equal(checksum6(ip, 1280), 0xffff);
	rte_pktmbuf_free(sent);
	/* the largest that fits is not padded past the MTU */
	make_inner6(inner, 1420, 0, 1);
	assert_int_equal(path_take(frame_from(0, inner, 1420), &sent), 1);
	(void)open_sent(sent, 1, &len);
	assert_int_equal(len, 1420);
	rte_pktmbuf_free(sent);
}

static void access_rules(void **state)
{
	hub.instance->flags = 0;
	assert_refused6(frame6_to("fd00::3"), COUNTER_DROP_ACCESS_SITE_TO_SITE, 1, 1);
	hub.instance->flags = INSTANCE_SITE_TO_SITE;
	struct peer_allowed *list = calloc(1, sizeof(*list) + sizeof(struct ip_prefix));
	if (list == NULL)
		abort();
	list->count = 1;
	assert_int_equal(ip_prefix_parse("fd00::4/128", &list->prefix[0]), 0);
	hub.peer[0]->allowed = list;
	assert_refused6(frame6_to("fd00::3"), COUNTER_DROP_ACCESS_DESTINATION, 1, 1);
	struct rte_mbuf *sent;
	assert_int_equal(path_take(frame6_to("fd00::4"), &sent), 1);
	rte_pktmbuf_free(sent);
	hub.peer[0]->allowed = NULL;
	free(list);
}

/* RFC 4443 section 2.4 (e): nobody is told about an error, or about what may hide one. */
static void no_error_about_errors(void **state)
{
	static const uint8_t protocols[] = {0, 43, 44, 50, 60}; /* extension headers, ESP */
	uint8_t inner[SIZE];
	make_inner6(inner, SIZE, 0, 1);
	inner[6] = 58;
	inner[40] = 1; /* destination unreachable */
	address(inner + 24, "2001:db8::1");
	assert_dropped(frame_from(0, inner, SIZE), COUNTER_DROP_NO_ROUTE);
	for (unsigned int i = 0; i < sizeof(protocols); i++) {
		inner[6] = protocols[i];
		assert_dropped(frame_from(0, inner, SIZE), COUNTER_DROP_NO_ROUTE);
	}
	inner[6] = 58;
	inner[40] = 128; /* a query is answered */
	assert_refused6(frame_from(0, inner, SIZE), COUNTER_DROP_NO_ROUTE, 1, 0);
}

static void hub_answers_ping(void **state)
{
	uint8_t inner[SIZE];
	struct rte_mbuf *sent;
	uint16_t len;
	make_inner6(inner, SIZE, 0, 1);
	address(inner + 24, "fd00::1");
	inner[6] = 58;
	memset(inner + 40, 0, SIZE - 40);
	inner[40] = 128;
	inner[44] = 0x12; /* identifier */
	inner[47] = 0x34; /* sequence */
	uint16_t sum = (uint16_t)~checksum6(inner, SIZE);
	inner[42] = (uint8_t)(sum >> 8);
	inner[43] = (uint8_t)sum;
	assert_int_equal(path_take(frame_from(0, inner, SIZE), &sent), 1);
	assert_int_equal(grown(COUNTER_ECHO_REPLIES), 1);
	const uint8_t *ip = open_sent(sent, 0, &len);
	assert_int_equal(ip[40], 129);
	assert_int_equal(checksum6(ip, SIZE), 0xffff);
	assert_memory_equal(ip + 8, inner + 24, 16);
	assert_memory_equal(ip + 24, inner + 8, 16);
	assert_memory_equal(ip + 44, inner + 44, SIZE - 44);
	rte_pktmbuf_free(sent);
}

static void mss_is_clamped(void **state)
{
	uint8_t inner[64];
	struct rte_mbuf *sent;
	uint16_t len;
	make_inner6(inner, 64, 0, 1);
	inner[6] = 6;
	memset(inner + 40, 0, 24);
	inner[52] = 0x60;
	inner[53] = 0x12; /* SYN and ACK */
	static const uint8_t mss[] = {2, 4, 0xff, 0xff};
	memcpy(inner + 60, mss, sizeof(mss));
	uint16_t sum = (uint16_t)~checksum6(inner, 64);
	inner[56] = (uint8_t)(sum >> 8);
	inner[57] = (uint8_t)sum;
	assert_int_equal(path_take(frame_from(0, inner, 64), &sent), 1);
	const uint8_t *ip = open_sent(sent, 1, &len);
	assert_int_equal(ip[62] << 8 | ip[63], 1360);
	assert_int_equal(checksum6(ip, 64), 0xffff);
	rte_pktmbuf_free(sent);
}

/* Endpoints of before are stale now; keying would make them anew. */
static void renew_endpoints(void)
{
	for (unsigned int i = 0; i < hub.peers; i++)
		hub.peer[i]->endpoint->underlay_generation =
			underlay_generation(hub.tables->underlay);
}

static void outer_is_ipv6(void **state)
{
	struct rte_mbuf *sent;
	struct keying_message message;
	uint8_t source[16];
	address(source, "2001:db8:f::9");
	set_underlay6();
	renew_endpoints();
	assert_int_equal(path_take(in_ipv6(good_frame6()), &sent), 1);
	rte_pktmbuf_free(sent);
	take_from_keying(&message); /* the peer was at an IPv4 address */
	assert_int_equal(message.type, KEYING_ROAM);
	assert_true(message.peer == peer_handle(hub.peer[0]));
	assert_memory_equal(message.remote.bytes, source, 16);
	assert_int_equal(message.remote_port, 10000);
	assert_int_equal(message.local_port, 51820);
	/* told once until keying has done it */
	assert_int_equal(path_take(in_ipv6(good_frame6()), &sent), 1);
	rte_pktmbuf_free(sent);
	assert_nothing_for_keying();
	hub.peer[0]->roaming = 0;
}

static void outer_headers6(void **state)
{
	struct rte_mbuf *sent, *m = in_ipv6(good_frame6());
	m->pkt_len = m->data_len = 53;
	assert_dropped(m, COUNTER_DROP_FRAME_SHORT);
	m = in_ipv6(good_frame6());
	*byte_of(m, 14) = 0x40;
	assert_dropped(m, COUNTER_DROP_OUTER_MALFORMED);
	m = in_ipv6(good_frame6());
	*byte_of(m, 18) = 0x40; /* longer than the frame */
	assert_dropped(m, COUNTER_DROP_FRAME_TRUNCATED);
	m = in_ipv6(good_frame6());
	*byte_of(m, 58) = 0x40; /* UDP says more than IP */
	assert_dropped(m, COUNTER_DROP_OUTER_MALFORMED);
	m = in_ipv6(good_frame6());
	*byte_of(m, 18) = 0; /* no room for UDP */
	*byte_of(m, 19) = 7;
	assert_dropped(m, COUNTER_DROP_OUTER_MALFORMED);
	m = in_ipv6(good_frame6());
	*byte_of(m, 20) = 51; /* an authentication header is the host's */
	assert_int_equal(path_take(m, &sent), 0);
	assert_int_equal(grown(COUNTER_PUNTED_PACKETS), 1);
	drop_from_host(1);
	m = in_ipv6(good_frame6());
	*byte_of(m, 53) = 9; /* to another address than the hub's */
	assert_int_equal(path_take(m, &sent), 0);
	assert_int_equal(grown(COUNTER_PUNTED_PACKETS), 1);
	drop_from_host(1);
}

static void outer_sources6(void **state)
{
	static const char *const bad[] = {"::", "::1", "ff02::1", "2001:db8:f::1"};
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct rte_mbuf *m = in_ipv6(good_frame6());
		address(byte_of(m, 22), bad[i]);
		assert_dropped(m, COUNTER_DROP_OUTER_SOURCE);
	}
	struct rte_mbuf *m = in_ipv6(good_frame6());
	memset(byte_of(m, 54), 0, 2); /* port 0 can't be answered */
	assert_dropped(m, COUNTER_DROP_OUTER_SOURCE);
}

/* A mapped address on the wire would become an IPv4 endpoint that nobody has. */
static void mapped_outer_addresses(void **state)
{
	struct rte_mbuf *m = in_ipv6(good_frame6());
	memcpy(byte_of(m, 22), mapped, sizeof(mapped));
	assert_dropped(m, COUNTER_DROP_OUTER_SOURCE);
	m = in_ipv6(good_frame6());
	memcpy(byte_of(m, 38), mapped, sizeof(mapped));
	memcpy(byte_of(m, 50), "\xcb\x00\x71\x01", 4); /* the hub's 203.0.113.1 */
	assert_dropped(m, COUNTER_DROP_OUTER_SOURCE);
	assert_nothing_for_keying();
}

static void sent_over_ipv6(void **state)
{
	struct endpoint *old = hub.peer[1]->endpoint,
			*new = slab_alloc(&hub.tables->endpoint_memory);
	struct neighbour n;
	bool missing;
	struct rte_mbuf *sent;
	uint16_t len;
	if (new == NULL)
		abort();
	assert_int_equal(ip_endpoint_parse("[2001:db8:f:1::7]:4500", &new->remote), 0);
	new->local_port = 51820;
	assert_int_equal(underlay_resolve(hub.tables, new, &missing, &n), 0);
	assert_false(missing);
	hub.peer[1]->endpoint = new;
	for (uint16_t size = 60; size < 92; size++) { /* odd lengths of UDP too */
		uint8_t inner[SIZE];
		make_inner6(inner, size, 0, 1);
		assert_int_equal(path_take(frame_from(0, inner, size), &sent), 1);
		if (sent == NULL)
			abort();
		uint8_t *frame = byte_of(sent, 0);
		assert_int_equal(frame[12] << 8 | frame[13], 0x86dd);
		assert_int_equal(frame[18] << 8 | frame[19], sent->data_len - 54);
		assert_int_equal(frame[58] << 8 | frame[59], sent->data_len - 54);
		assert_int_equal(frame[5], 0x66);
		assert_int_equal(checksum6(frame + 14, (uint16_t)(sent->data_len - 14)), 0xffff);
		(void)open_sent_behind(sent, OUTER6, 1, &len);
		rte_pktmbuf_free(sent);
	}
	hub.peer[1]->endpoint = old;
	slab_free(new);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forwarded),
		cmocka_unit_test(inner_headers),
		cmocka_unit_test(spoofed),
		cmocka_unit_test(destinations),
		cmocka_unit_test(mapped_destinations_go_nowhere),
		cmocka_unit_test(hops_and_size),
		cmocka_unit_test(access_rules),
		cmocka_unit_test(no_error_about_errors),
		cmocka_unit_test(hub_answers_ping),
		cmocka_unit_test(mss_is_clamped),
		cmocka_unit_test(outer_is_ipv6),
		cmocka_unit_test(outer_headers6),
		cmocka_unit_test(outer_sources6),
		cmocka_unit_test(mapped_outer_addresses),
		cmocka_unit_test(sent_over_ipv6),
	};
	return cmocka_run_group_tests(tests, fixture_start, fixture_end);
}
