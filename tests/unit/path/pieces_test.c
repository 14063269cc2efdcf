// SPDX-License-Identifier: Apache-2.0
/*
 * Packets larger than the way: outside they leave in fragments of the port's MTU, inside IPv4 is
 * cut where it may be. What a receiver puts together is what was sent.
 */
#include "dataplane/base/clock.h"
#include "dataplane/path/fragment.h"
#include "dataplane/table/instance.h"
#include "dataplane/table/peer.h"
#include "dataplane/table/session.h"
#include "dataplane/table/underlay.h"
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

enum {
	MOST = 1420,
	ALL = 256,
};

static uint16_t be16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

/* IPv4 from peer 0 to peer 1 with counted bytes; len with the header. */
static void make_inner(uint8_t *inner, uint16_t len)
{
	make_inner4(inner, len, 0, 1);
	for (uint16_t i = 28; i < len; i++)
		inner[i] = (uint8_t)(i * 7);
}

static unsigned int run(struct rte_mbuf **m, uint16_t count, struct rte_mbuf **sent)
{
	memory_hub_run(&hub, m, count);
	return memory_hub_sent(&hub, sent, ALL);
}

/* What a receiver does with the hub's fragments, which are in order; the whole frame in ret. */
static uint16_t join(struct rte_mbuf **m, unsigned int count, uint16_t mtu, uint8_t *ret)
{
	bool v6 = be16(byte_of(m[0], 12)) == 0x86dd;
	uint16_t headers = v6 ? 54 : 34, at = headers;
	memcpy(ret, byte_of(m[0], 0), headers);
	for (unsigned int n = 0; n < count; n++) {
		const uint8_t *f = byte_of(m[n], 0);
		bool more = v6 ? (f[57] & 1) != 0 : (f[20] & 0x20) != 0;
		uint16_t offset = v6 ? be16(f + 56) & 0xfff8 : (be16(f + 20) & 0x1fff) * 8;
		uint16_t begin = v6 ? 62 : 34, len = (uint16_t)(m[n]->data_len - begin);
		assert_in_range(m[n]->data_len - 14, 1, mtu);
		assert_int_equal(more, n + 1 < count);
		assert_int_equal(offset, at - headers);
		if (v6) {
			assert_int_equal(be16(f + 18), m[n]->data_len - 54);
			assert_int_equal(f[20], 44);
			assert_int_equal(f[54], 17);
			assert_memory_equal(f + 58, byte_of(m[0], 58), 4);
		} else {
			assert_int_equal(be16(f + 16), m[n]->data_len - 14);
			assert_int_equal(checksum(f + 14, 20), 0xffff);
			assert_int_equal(f[20] & 0x40, 0); /* don't fragment */
			assert_memory_equal(f + 18, byte_of(m[0], 18), 2);
		}
		memcpy(ret + at, f + begin, len);
		at = (uint16_t)(at + len);
	}
	assert_int_equal(be16(ret + headers + 4), at - headers);
	if (v6) {
		ret[18] = (uint8_t)((at - headers) >> 8);
		ret[19] = (uint8_t)(at - headers);
		ret[20] = 17;
		assert_int_equal(checksum6(ret + 14, (uint16_t)(at - 14)), 0xffff);
	}
	return at;
}

static void sent_in_pieces(bool v6)
{
	static const uint16_t mtus[] = {1280, 576, 1000, 301};
	for (unsigned int i = 0; i < 4; i++) {
		struct rte_mbuf *sent[ALL], *m;
		uint8_t inner[MOST], frame[2048];
		uint16_t len, headers = v6 ? OUTER6 : OUTER;
		make_inner(inner, MOST);
		m = frame_from(0, inner, MOST);
		hub.tables->port[0].mtu = mtus[i];
		unsigned int count = run(&m, 1, sent);
		assert_in_range(count, 2, 7);
		len = join(sent, count, mtus[i], frame);
		rte_pktmbuf_free_bulk(sent, count);
		m = packet_of(frame, len);
		const uint8_t *ip = open_sent_behind(m, headers, 1, &len);
		assert_memory_equal(ip + 28, inner + 28, MOST - 28);
		rte_pktmbuf_free(m);
	}
	hub.tables->port[0].mtu = 1500;
}

static void outside4(void **state)
{
	sent_in_pieces(false);
}

static void outside6(void **state)
{
	struct endpoint *old = hub.peer[1]->endpoint,
			*new = slab_alloc(&hub.tables->endpoint_memory);
	struct neighbour missing;
	bool is_missing;
	if (new == NULL)
		abort();
	assert_int_equal(ip_addr_parse("2001:db8:1::7", &new->remote.addr), 0);
	new->remote.port = 7;
	assert_int_equal(underlay_resolve(hub.tables, new, &is_missing, &missing), 0);
	hub.peer[1]->endpoint = new;
	sent_in_pieces(true);
	hub.peer[1]->endpoint = old;
	slab_free(new);
}

/* A frame of just the MTU is not touched; one byte more is. */
static void just_fits(void **state)
{
	struct rte_mbuf *sent[ALL], *m;
	uint8_t inner[MOST];
	make_inner(inner, MOST);
	for (unsigned int more = 0; more < 2; more++) {
		hub.tables->port[0].mtu = (uint16_t)(MOST + 60 - more);
		m = frame_from(0, inner, MOST);
		unsigned int count = run(&m, 1, sent);
		assert_int_equal(count, 1 + more);
		rte_pktmbuf_free_bulk(sent, count);
	}
	hub.tables->port[0].mtu = 1500;
}

/* Each message has another identification: a router may fragment any of them (RFC 6864). */
static void identifications_differ(void **state)
{
	struct rte_mbuf *sent[ALL], *m;
	uint16_t last = 0;
	for (unsigned int n = 0; n < 16; n++) {
		m = good_frame();
		assert_int_equal(run(&m, 1, sent), 1);
		uint16_t id = be16(byte_of(sent[0], 18));
		assert_true(n == 0 || id != last);
		last = id;
		rte_pktmbuf_free(sent[0]);
	}
}

/* A data frame becomes a handshake whose UDP checksum is wrong. */
static void make_bad_initiation(struct rte_mbuf *m)
{
	enum {
		LEN = sizeof(struct message_handshake_initiation),
	};
	pkt_cut(m, 0, 42 + LEN);
	uint8_t *frame = byte_of(m, 0);
	frame[16] = 0;
	frame[17] = 28 + LEN;
	frame[38] = 0;
	frame[39] = 8 + LEN;
	frame[40] = 1;
	frame[42] = MESSAGE_HANDSHAKE_INITIATION;
	fix_inner_checksum(frame + 14);
}

/* A whole vector of packets becomes many more: vectors and ports are bounded, nothing is lost to
 * the pool. */
static void many_at_once(void **state)
{
	struct rte_mbuf *m[PATH_VECTOR], *sent[1024];
	uint8_t inner[MOST];
	make_inner(inner, MOST);
	for (unsigned int round = 0; round < 2; round++) {
		uint64_t full = memory_hub_count(&hub, COUNTER_DROP_TX_FULL);
		uint64_t none = memory_hub_count(&hub, COUNTER_DROP_NO_BUFFER);
		hub.tables->port[0].mtu = round == 0 ? 301 : 1500;
		hub.instance->mtu = round == 0 ? 1420 : 1300;
		for (unsigned int n = 0; n < PATH_VECTOR; n++)
			m[n] = frame_from(0, inner, MOST);
		memory_hub_run(&hub, m, PATH_VECTOR);
		unsigned int count = memory_hub_sent(&hub, sent, 1024);
		rte_pktmbuf_free_bulk(sent, count);
		full = memory_hub_count(&hub, COUNTER_DROP_TX_FULL) - full;
		none = memory_hub_count(&hub, COUNTER_DROP_NO_BUFFER) - none;
		assert_int_equal(count + full + none, round == 0 ? PATH_VECTOR * 6 : PATH_VECTOR);
		assert_true(round == 0 ? full > 0 : none == PATH_VECTOR);
	}
	hub.tables->port[0].mtu = 1500;
	hub.instance->mtu = 1420;
}

/* What is dropped in one run can be more packets than came in. */
static void more_drops_than_came_in(void **state)
{
	struct rte_mbuf *m[PATH_VECTOR], *sent[1024];
	uint8_t inner[MOST];
	make_inner(inner, MOST);
	hub.tables->port[0].mtu = 301;
	for (unsigned int round = 0; round < 2; round++) { /* the first one fills the port */
		uint64_t full = memory_hub_count(&hub, COUNTER_DROP_TX_FULL);
		uint64_t wrong = memory_hub_count(&hub, COUNTER_DROP_OUTER_CHECKSUM);
		for (unsigned int n = 0; n < PATH_VECTOR; n++) {
			m[n] = frame_from(0, inner, MOST);
			if (round == 1 && n % 2 == 0)
				make_bad_initiation(m[n]);
		}
		memory_hub_run(&hub, m, PATH_VECTOR);
		full = memory_hub_count(&hub, COUNTER_DROP_TX_FULL) - full;
		wrong = memory_hub_count(&hub, COUNTER_DROP_OUTER_CHECKSUM) - wrong;
		assert_int_equal(wrong, round == 0 ? 0 : PATH_VECTOR / 2);
		assert_true(full > (round == 0 ? 0 : PATH_VECTOR / 2));
	}
	rte_pktmbuf_free_bulk(sent, memory_hub_sent(&hub, sent, 1024));
	hub.tables->port[0].mtu = 1500;
}

/* The pieces of an inner packet as the receiving peer opens them; joined in ret. */
static uint16_t open_pieces(struct rte_mbuf **m, unsigned int count, uint16_t mtu, uint8_t *ret)
{
	uint16_t at = 0;
	for (unsigned int n = 0; n < count; n++) {
		uint16_t len;
		const uint8_t *ip = open_sent(m[n], 1, &len);
		uint16_t header = (uint16_t)((ip[0] & 0x0f) * 4), total = be16(ip + 2);
		assert_in_range(len, total, mtu);
		assert_int_equal(checksum(ip, header), 0xffff);
		assert_int_equal(ip[8], 63);
		if (n == 0) {
			memcpy(ret, ip, total);
			at = total;
			continue;
		}
		memcpy(ret + at, ip + header, (size_t)(total - header));
		at = (uint16_t)(at + total - header);
	}
	return at;
}

static uint16_t where(struct rte_mbuf *m)
{
	return be16(byte_of(m, OUTER + DATA + 6)); /* opened */
}

static void inside(void **state)
{
	struct rte_mbuf *sent[ALL], *m;
	uint8_t inner[MOST], joined[2048];
	hub.instance->mtu = 1280;
	make_inner(inner, MOST);
	m = frame_from(0, inner, MOST);
	unsigned int count = run(&m, 1, sent);
	assert_int_equal(count, 2);
	assert_int_equal(open_pieces(sent, count, 1280, joined), MOST);
	assert_memory_equal(joined + 20, inner + 20, MOST - 20);
	assert_int_equal(where(sent[0]), 0x2000);
	assert_int_equal(where(sent[1]), 1256 / 8);
	rte_pktmbuf_free_bulk(sent, count);
	/* pieces of what is a piece: offsets go on, and so does "more" */
	inner[6] = 0x20 | 1;
	inner[7] = 0x10;
	fix_inner_checksum(inner);
	m = frame_from(0, inner, MOST);
	count = run(&m, 1, sent);
	assert_int_equal(count, 2);
	assert_int_equal(open_pieces(sent, count, 1280, joined), MOST);
	assert_int_equal(where(sent[0]), 0x2110);
	assert_int_equal(where(sent[1]), 0x2110 + 1256 / 8);
	rte_pktmbuf_free_bulk(sent, count);
	hub.instance->mtu = 1420;
}

/* RFC 791: only options with the copied flag are repeated. */
static void options_inside(void **state)
{
	static const uint8_t options[] = {
		1, 7, 7, 4, 1, 2, 3, 4, /* no operation, record route */
		0x94, 4, 0, 0, /* router alert: copied */
	};
	struct rte_mbuf *sent[ALL], *m;
	uint8_t inner[MOST], joined[2048];
	hub.instance->mtu = 1280;
	make_inner(inner, MOST);
	inner[0] = 0x48;
	memcpy(inner + 20, options, sizeof(options));
	inner[10] = inner[11] = 0;
	uint16_t sum = (uint16_t)~checksum(inner, 32);
	inner[10] = (uint8_t)(sum >> 8);
	inner[11] = (uint8_t)sum;
	m = frame_from(0, inner, MOST);
	unsigned int count = run(&m, 1, sent);
	assert_int_equal(count, 2);
	assert_int_equal(open_pieces(sent, count, 1280, joined), MOST);
	assert_memory_equal(joined + 20, inner + 20, MOST - 20);
	const uint8_t *second = byte_of(sent[1], OUTER + DATA);
	assert_int_equal(second[0], 0x46);
	assert_memory_equal(second + 20, options + 8, 4);
	rte_pktmbuf_free_bulk(sent, count);
	/* lengths that lie lead nowhere */
	for (unsigned int n = 0; n < 200; n++) {
		for (unsigned int i = 20; i < 32; i++)
			inner[i] = (uint8_t)dice_roll();
		m = frame_from(0, inner, MOST);
		count = run(&m, 1, sent);
		assert_int_equal(count, 2);
		rte_pktmbuf_free_bulk(sent, count);
	}
	hub.instance->mtu = 1420;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(outside4),
		cmocka_unit_test(outside6),
		cmocka_unit_test(just_fits),
		cmocka_unit_test(identifications_differ),
		cmocka_unit_test(many_at_once),
		cmocka_unit_test(more_drops_than_came_in),
		cmocka_unit_test(inside),
		cmocka_unit_test(options_inside),
	};
	return cmocka_run_group_tests(tests, fixture_start6, fixture_end);
}
