// SPDX-License-Identifier: Apache-2.0
/* What a router does to what it passes on and to what it refuses: MSS, ICMP errors and their
 * limits, routes that lead nowhere. */
#include "dataplane/base/clock.h"
#include "dataplane/path/checksum.h"
#include "dataplane/table/instance.h"
#include "dataplane/table/peer.h"
#include "tests/unit/path/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
	TCP_MAX = 20 + 60,
	SYN = 0x02,
};

static const uint8_t nowhere[4] = {192, 0, 2, 1};

/* The sum of a TCP segment behind a plain IPv4 header: 0xffff when it is right. */
static uint16_t tcp_checksum4(const uint8_t *ip, uint16_t len)
{
	uint8_t all[12 + TCP_MAX] = {0};
	memcpy(all, ip + 12, 8);
	all[9] = 6;
	all[11] = (uint8_t)(len - 20);
	memcpy(all + 12, ip + 20, len - 20U);
	return checksum(all, (uint16_t)(12 + len - 20));
}

/* A TCP segment with these options (a multiple of four bytes); returns its length. */
static uint16_t make_tcp(uint8_t *ip, uint8_t flags, const uint8_t *options, uint8_t len)
{
	uint16_t total = (uint16_t)(40 + len);
	make_inner4(ip, total, 0, 1);
	memset(ip + 20, 0, 20);
	ip[9] = 6;
	ip[32] = (uint8_t)((20 + len) / 4 << 4);
	ip[33] = flags;
	memcpy(ip + 40, options, len);
	uint16_t sum = (uint16_t)~tcp_checksum4(ip, total);
	ip[36] = (uint8_t)(sum >> 8);
	ip[37] = (uint8_t)sum;
	fix_inner_checksum(ip);
	return total;
}

/* Which value at offset `at` of the options comes out. */
static unsigned int forward_tcp(uint8_t flags, const uint8_t *options, uint8_t len, unsigned int at)
{
	uint8_t ip[TCP_MAX];
	struct rte_mbuf *sent;
	uint16_t total = make_tcp(ip, flags, options, len), got;
	assert_int_equal(path_take(frame_from(0, ip, total), &sent), 1);
	const uint8_t *out = open_sent(sent, 1, &got);
	assert_int_equal(tcp_checksum4(out, total), 0xffff);
	assert_int_equal(checksum(out, 20), 0xffff);
	unsigned int value = (unsigned int)(out[40 + at] << 8 | out[41 + at]);
	rte_pktmbuf_free(sent);
	return value;
}

static void mss(void **state)
{
	static const struct {
		uint8_t options[12], len, at;
		uint16_t before, after;
		uint8_t flags;
	} cases[] = {
		{{2, 4, 0, 0}, 4, 2, 1460, 1380, SYN}, {{2, 4, 0, 0}, 4, 2, 1460, 1380, SYN | 0x10},
		{{2, 4, 0, 0}, 4, 2, 1381, 1380, SYN}, {{2, 4, 0, 0}, 4, 2, 1380, 1380, SYN},
		{{2, 4, 0, 0}, 4, 2, 536, 536, SYN}, {{2, 4, 0, 0}, 4, 2, 0, 0, SYN},
		{{2, 4, 0, 0}, 4, 2, 65535, 1380, SYN},
		{{2, 4, 0, 0}, 4, 2, 1460, 1460, 0x10}, /* no SYN */
		{{1, 2, 4, 0, 0, 0, 0, 0}, 8, 3, 1460, 1380, SYN}, /* at an odd byte */
		{{4, 2, 2, 4, 0, 0, 0, 0}, 8, 4, 1460, 1380, SYN}, /* behind another option */
		{{3, 3, 7, 2, 4, 0, 0, 0}, 8, 5, 9000, 1380, SYN}, /* and at an odd byte */
		{{0, 0, 2, 4, 0, 0, 0, 0}, 8, 4, 1460, 1460, SYN}, /* behind the end of options */
		{{2, 3, 0, 0, 0, 0, 0, 0}, 8, 2, 1460, 1460, SYN}, /* of a wrong length */
		{{8, 1, 2, 4, 0, 0, 0, 0}, 8, 4, 1460, 1460, SYN}, /* behind an impossible one */
		{{8, 9, 2, 4, 0, 0, 0, 0}, 8, 4, 1460, 1460, SYN}, /* behind one that is too long */
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t options[12];
		memcpy(options, cases[i].options, sizeof(options));
		options[cases[i].at] = (uint8_t)(cases[i].before >> 8);
		options[cases[i].at + 1] = (uint8_t)cases[i].before;
		unsigned int got = forward_tcp(cases[i].flags, options, cases[i].len, cases[i].at);
		if (got != cases[i].after)
			fail_msg("case %zu: %u", i, got);
	}
}

/* Options that end with the header, and headers that lie: nothing is read behind them. */
static void tcp_that_lies(void **state)
{
	static const uint8_t cut[] = {1, 1, 1, 2}, all[] = {2, 4, 0x05, 0xb4};
	uint8_t ip[TCP_MAX], kept[TCP_MAX];
	struct rte_mbuf *sent;
	uint16_t len;
	assert_int_equal(forward_tcp(SYN, cut, 4, 2), 1 << 8 | 2);
	static const uint8_t offsets[] = {0x00, 0x40, 0x70, 0xf0};
	for (unsigned int i = 0; i < sizeof(offsets); i++) {
		uint16_t total = make_tcp(ip, SYN, all, 4);
		ip[32] = offsets[i];
		memcpy(kept, ip, sizeof(kept));
		kept[8]--;
		fix_inner_checksum(kept);
		assert_int_equal(path_take(frame_from(0, ip, total), &sent), 1);
		assert_memory_equal(open_sent(sent, 1, &len), kept, total);
		rte_pktmbuf_free(sent);
	}
	uint16_t total = make_tcp(ip, SYN, all, 4); /* a later fragment has no TCP header */
	ip[7] = 1;
	fix_inner_checksum(ip);
	assert_int_equal(path_take(frame_from(0, ip, total), &sent), 1);
	assert_memory_equal(open_sent(sent, 1, &len) + 40, all, 4);
	rte_pktmbuf_free(sent);
}

/* The short way of a hop gives what the long one gives; 0xffff is no header's checksum. */
static void checksum_of_a_hop(void **state)
{
	for (unsigned int sum = 0; sum < 0xffff; sum++) {
		uint8_t hop[2] = {(uint8_t)(sum >> 8), (uint8_t)sum}, word[2] = {hop[0], hop[1]};
		checksum_adjust_hop(hop);
		checksum_adjust(word, 0x4011, 0x3f11);
		assert_memory_equal(hop, word, sizeof(hop));
	}
}

/* Checksums stay right for every TTL and protocol. */
static void ttl_and_checksum(void **state)
{
	uint8_t ip[SIZE];
	struct rte_mbuf *sent;
	uint16_t len;
	for (unsigned int n = 0; n < 512; n++) {
		make_inner4(ip, SIZE, 0, 1);
		ip[8] = (uint8_t)(n % 254 + 2);
		ip[9] = (uint8_t)(n * 7 | 64); /* neither ICMP, TCP nor UDP */
		ip[4] = (uint8_t)(n * 31);
		fix_inner_checksum(ip);
		assert_int_equal(path_take(frame_from(0, ip, SIZE), &sent), 1);
		const uint8_t *out = open_sent(sent, 1, &len);
		assert_int_equal(out[8], ip[8] - 1);
		assert_int_equal(checksum(out, 20), 0xffff);
		rte_pktmbuf_free(sent);
	}
	make_inner4(ip, SIZE, 0, 1);
	ip[8] = 0;
	fix_inner_checksum(ip);
	assert_refused(frame_from(0, ip, SIZE), COUNTER_DROP_TTL, 11, 0);
}

static void routes_that_drop(void **state)
{
	struct ip_prefix p;
	assert_int_equal(ip_prefix_parse("10.9.0.0/16", &p), 0);
	assert_int_equal(route_set(hub.instance, &p, ROUTE_DROP, NULL), 0);
	assert_refused(
		frame_to("10.9.1.1"), COUNTER_DROP_ROUTE_DROP, 3, 1); /* as for an absent host */
	route_del(route_find(hub.instance, &p));
	assert_refused(frame_to("10.9.1.1"), COUNTER_DROP_NO_ROUTE, 3, 0);
}

/* RFC 1812 section 4.3.2: the error quotes the packet as it came, from the hub's address. */
static void an_icmp_error(void **state)
{
	uint8_t ip[1000], own[4] = {10, 0, 0, 1};
	struct rte_mbuf *sent;
	uint16_t len;
	make_inner4(ip, 1000, 0, 1);
	memcpy(ip + 16, nowhere, sizeof(nowhere));
	fix_inner_checksum(ip);
	assert_int_equal(path_take(frame_from(0, ip, 1000), &sent), 1);
	const uint8_t *out = open_sent(sent, 0, &len);
	uint16_t total = (uint16_t)(out[2] << 8 | out[3]);
	assert_int_equal(total, 576);
	assert_memory_equal(out + 12, own, 4);
	assert_int_equal(checksum(out, 20), 0xffff);
	assert_int_equal(checksum(out + 20, (uint16_t)(total - 20)), 0xffff);
	assert_memory_equal(out + 28, ip, total - 28U);
	rte_pktmbuf_free(sent);
	static uint8_t big[1500];
	make_inner4(big, 1421, 0, 1);
	big[6] = 0x40; /* don't fragment */
	fix_inner_checksum(big);
	assert_int_equal(path_take(frame_from(0, big, 1421), &sent), 1);
	out = open_sent(sent, 0, &len);
	assert_int_equal(out[26] << 8 | out[27], 1420); /* RFC 1191: the next hop's MTU */
	rte_pktmbuf_free(sent);
}

/* RFC 1812 section 4.3.2.7 */
static void no_error_about(void **state)
{
	uint8_t ip[SIZE];
	make_inner4(ip, SIZE, 0, 1);
	memcpy(ip + 16, nowhere, sizeof(nowhere));
	ip[9] = 1;
	static const uint8_t errors[] = {3, 4, 5, 11, 12};
	for (unsigned int i = 0; i < sizeof(errors); i++) {
		ip[20] = errors[i];
		fix_inner_checksum(ip);
		assert_dropped(frame_from(0, ip, SIZE), COUNTER_DROP_NO_ROUTE);
	}
	ip[20] = 8;
	ip[7] = 2; /* a fragment that is not the first */
	fix_inner_checksum(ip);
	assert_dropped(frame_from(0, ip, SIZE), COUNTER_DROP_NO_ROUTE);
	ip[7] = 0;
	fix_inner_checksum(ip);
	assert_refused(frame_from(0, ip, SIZE), COUNTER_DROP_NO_ROUTE, 3, 0);
	make_inner4(ip, 20, 0, 1); /* an ICMP packet without ICMP */
	memcpy(ip + 16, nowhere, sizeof(nowhere));
	ip[9] = 1;
	fix_inner_checksum(ip);
	assert_dropped(frame_from(0, ip, 20), COUNTER_DROP_NO_ROUTE);
}

/* A flood of bad packets brings a bounded number of errors; a second later they come again. */
static void errors_are_limited(void **state)
{
	uint64_t now = clock_monotonic_ns() + 1000 * NS_PER_SEC;
	uint64_t birth = hub.peer[0]->current->keypair.birth_ns;
	hub.peer[0]->current->keypair.birth_ns = now;
	struct rte_mbuf *sent[64];
	unsigned int errors = 0, n;
	uint64_t before = memory_hub_count(&hub, COUNTER_DROP_NO_ROUTE);
	for (unsigned int i = 0; i < 500; i++) {
		struct rte_mbuf *m = frame_to("192.0.2.1");
		path_receive(&hub.path, 0, &m, 1);
		path_run(&hub.path, now); /* time stands still */
		while ((n = memory_hub_sent(&hub, sent, 64)) > 0) {
			errors += n;
			rte_pktmbuf_free_bulk(sent, n);
		}
	}
	assert_int_equal(memory_hub_count(&hub, COUNTER_DROP_NO_ROUTE) - before, 500);
	assert_in_range(errors, 10, 100);
	struct rte_mbuf *m = frame_to("192.0.2.1");
	path_receive(&hub.path, 0, &m, 1);
	path_run(&hub.path, now + NS_PER_SEC);
	assert_int_equal(memory_hub_sent(&hub, sent, 64), 1);
	rte_pktmbuf_free(sent[0]);
	hub.peer[0]->current->keypair.birth_ns = birth;
	/* the clock that the other tests use lies before: begin anew */
	hub.path.icmp_last_ns = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mss),
		cmocka_unit_test(tcp_that_lies),
		cmocka_unit_test(checksum_of_a_hop),
		cmocka_unit_test(ttl_and_checksum),
		cmocka_unit_test(routes_that_drop),
		cmocka_unit_test(an_icmp_error),
		cmocka_unit_test(no_error_about),
		cmocka_unit_test(errors_are_limited),
	};
	return cmocka_run_group_tests(tests, fixture_start, fixture_end);
}
