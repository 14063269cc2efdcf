// SPDX-License-Identifier: Apache-2.0
/*
 * Outer fragments, in both families: put together in any order, every overlap refused with the
 * whole datagram, limits of number, size and time, and what is not a tunnel's goes on as it came.
 * Time is injected; the fixture sees a lost packet at the end.
 */
#include "dataplane/base/clock.h"
#include "dataplane/path/reassembly.h"
#include "dataplane/table/session.h"
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

enum {
	INNER = 1300,
	CE = 3,
};

static uint64_t now_ns;
static uint16_t next_id;

/* A whole frame to cut, and how. */
struct whole {
	uint8_t frame[2048];
	uint16_t len, headers; /* headers: Ethernet and IP */
	bool v6;
	uint16_t id;
};

static void make_whole_of(struct whole *w, bool v6, struct rte_mbuf *m)
{
	m = v6 ? in_ipv6(m) : m;
	w->v6 = v6;
	w->headers = v6 ? 54 : 34;
	w->len = m->data_len;
	w->id = next_id++;
	memcpy(w->frame, byte_of(m, 0), w->len);
	rte_pktmbuf_free(m);
}

static void make_whole(struct whole *w, bool v6)
{
	static uint8_t inner[INNER];
	make_inner4(inner, INNER, 0, 1);
	for (unsigned int i = 28; i < INNER; i++)
		inner[i] = (uint8_t)i;
	make_whole_of(w, v6, frame_from(0, inner, INNER));
}

static uint16_t payload(const struct whole *w)
{
	return (uint16_t)(w->len - w->headers);
}

/* Bytes that the datagram does not have are zero. */
static struct rte_mbuf *cut(const struct whole *w, uint32_t offset, uint16_t len, bool more)
{
	uint8_t f[2048] = {0};
	uint16_t headers = w->headers, where = (uint16_t)(offset / 8);
	memcpy(f, w->frame, headers);
	if (w->v6) {
		uint16_t ip_len = (uint16_t)(len + 8);
		f[18] = (uint8_t)(ip_len >> 8);
		f[19] = (uint8_t)ip_len;
		f[20] = 44;
		f[54] = 17;
		f[56] = (uint8_t)(where >> 5);
		f[57] = (uint8_t)(where << 3 | more);
		f[60] = (uint8_t)(w->id >> 8);
		f[61] = (uint8_t)w->id;
		headers = (uint16_t)(headers + 8);
	} else {
		uint16_t ip_len = (uint16_t)(len + 20);
		f[16] = (uint8_t)(ip_len >> 8);
		f[17] = (uint8_t)ip_len;
		f[18] = (uint8_t)(w->id >> 8);
		f[19] = (uint8_t)w->id;
		f[20] = (uint8_t)(where >> 8 | (more ? 0x20 : 0));
		f[21] = (uint8_t)where;
		fix_inner_checksum(f + 14);
	}
	for (uint32_t i = 0; i < len && offset + i < payload(w); i++)
		f[headers + i] = w->frame[w->headers + offset + i];
	return packet_of(f, (uint16_t)(headers + len));
}

/* How many frames were sent for it. */
static unsigned int feed(struct rte_mbuf *m)
{
	struct rte_mbuf *sent;
	unsigned int n = path_take_at(m, now_ns, &sent);
	rte_pktmbuf_free(sent);
	return n;
}

static unsigned int feed_cut(const struct whole *w, uint32_t offset, uint16_t len, bool more)
{
	return feed(cut(w, offset, len, more));
}

/* Everything that waits has gone at the end of it. */
static void let_time_pass(void)
{
	now_ns += (uint64_t)(REASSEMBLY_TIMEOUT_MS + REASSEMBLY_SWEEP_MS) * (NS_PER_SEC / 1000);
	path_run(&hub.path, now_ns);
	assert_false(path_waits(&hub.path));
}

static void expect_dropped(const struct whole *w, uint32_t offset, uint16_t len, bool more,
	enum counter reason, unsigned int packets)
{
	assert_int_equal(feed_cut(w, offset, len, more), 0);
	if (grown(reason) != packets)
		fail_msg("%s: %lu of %u", counter_name(reason), (unsigned long)grown(reason),
			packets);
}

/* The inner packet arrives as it was, however the outer one was cut. */
static void assert_arrives(struct rte_mbuf *last)
{
	struct rte_mbuf *sent;
	uint16_t len;
	assert_int_equal(path_take_at(last, now_ns, &sent), 1);
	assert_int_equal(grown(COUNTER_REASSEMBLED_DATAGRAMS), 1);
	const uint8_t *ip = open_sent(sent, 1, &len);
	for (unsigned int i = 28; i < INNER; i++)
		assert_int_equal(ip[i], (uint8_t)i);
	rte_pktmbuf_free(sent);
	assert_false(path_waits(&hub.path));
}

static void in_every_order(void **state)
{
	static const uint8_t order[6][3] = {
		{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
	static const uint16_t at[3] = {0, 400, 1000};
	for (unsigned int n = 0; n < 12; n++) {
		struct whole w;
		make_whole(&w, n >= 6);
		struct rte_mbuf *m[3] = {cut(&w, at[0], 400, true), cut(&w, at[1], 600, true),
			cut(&w, at[2], (uint16_t)(payload(&w) - 1000), false)};
		const uint8_t *o = order[n % 6];
		assert_int_equal(feed(m[o[0]]), 0);
		assert_true(path_waits(&hub.path));
		assert_int_equal(feed(m[o[1]]), 0);
		assert_arrives(m[o[2]]);
	}
}

static void as_many_pieces_as_there_may_be(void **state)
{
	struct whole w;
	make_whole(&w, false);
	for (unsigned int i = 0; i + 1 < REASSEMBLY_PIECES; i++)
		assert_int_equal(feed_cut(&w, i * 160, 160, true), 0);
	uint16_t at = (REASSEMBLY_PIECES - 1) * 160;
	assert_arrives(cut(&w, at, (uint16_t)(payload(&w) - at), false));
	make_whole(&w, false); /* one more is too many */
	for (unsigned int i = 0; i < REASSEMBLY_PIECES; i++)
		assert_int_equal(feed_cut(&w, i * 128, 128, true), 0);
	expect_dropped(&w, REASSEMBLY_PIECES * 128, 128, true, COUNTER_DROP_FRAGMENT_TOO_LARGE,
		REASSEMBLY_PIECES + 1);
	let_time_pass();
}

/* Fragments with what the network may add: exact copies do no harm. */
static void duplicates_are_ignored(void **state)
{
	for (unsigned int v6 = 0; v6 < 2; v6++) {
		struct whole w;
		make_whole(&w, v6 != 0);
		assert_int_equal(feed_cut(&w, 0, 800, true), 0);
		expect_dropped(&w, 0, 800, true, COUNTER_DROP_FRAGMENT_DUPLICATE, 1);
		expect_dropped(&w, 0, 800, true, COUNTER_DROP_FRAGMENT_DUPLICATE, 1);
		assert_arrives(cut(&w, 800, (uint16_t)(payload(&w) - 800), false));
	}
}

/* RFC 5722: what overlaps ends the datagram, with all that comes of it later. */
static void every_overlap_is_refused(void **state)
{
	static const struct {
		uint16_t offset, len;
		bool more;
	} bad[] = {
		{0, 400, true}, /* same start, shorter */
		{0, 808, true}, /* same start, longer */
		{400, 400, true}, /* same end */
		{400, 800, true}, /* over the end */
		{8, 16, true}, /* inside */
		{792, 16, true}, /* by one unit */
		{792, 8, true}, /* the last unit */
		{400, 100, false}, /* the end, before what is there */
	};
	for (unsigned int n = 0; n < 2 * sizeof(bad) / sizeof(bad[0]); n++) {
		unsigned int i = n / 2;
		struct whole w;
		make_whole(&w, n % 2 != 0);
		assert_int_equal(feed_cut(&w, 0, 800, true), 0);
		expect_dropped(&w, bad[i].offset, bad[i].len, bad[i].more,
			COUNTER_DROP_FRAGMENT_OVERLAP, 2);
		uint16_t rest = (uint16_t)(payload(&w) - 800);
		expect_dropped(&w, 800, rest, false, COUNTER_DROP_FRAGMENT_OVERLAP, 1);
		expect_dropped(&w, 0, 800, true, COUNTER_DROP_FRAGMENT_OVERLAP, 1);
		let_time_pass();
	}
}

static void ends_must_agree(void **state)
{
	static const struct {
		uint16_t offset, len;
		bool more;
	} bad[] = {
		{1200, 80, false}, /* another end, before */
		{1200, 160, false}, /* another end, behind */
		{1296, 8, true}, /* goes on behind the end */
		{1400, 8, true}, {1192, 8, true}, /* goes on at the end */
	};
	for (unsigned int n = 0; n < 2 * sizeof(bad) / sizeof(bad[0]); n++) {
		unsigned int i = n / 2;
		struct whole w;
		make_whole(&w, n % 2 != 0);
		assert_int_equal(feed_cut(&w, 1192, 8, false), 0); /* the end is at 1200 */
		expect_dropped(&w, bad[i].offset, bad[i].len, bad[i].more,
			COUNTER_DROP_FRAGMENT_OVERLAP, 2);
		let_time_pass();
	}
}

static void malformed_fragments(void **state)
{
	for (unsigned int v6 = 0; v6 < 2; v6++) {
		struct whole w;
		make_whole(&w, v6 != 0);
		enum counter bad = COUNTER_DROP_FRAGMENT_MALFORMED;
		expect_dropped(&w, 800, 0, false, bad, 1); /* nothing in it */
		expect_dropped(&w, 800, 0, true, bad, 1);
		expect_dropped(&w, 0, 100, true, bad, 1); /* not in units of 8 */
		expect_dropped(&w, 800, 1, true, bad, 1);
		expect_dropped(&w, 65528, 8, false, bad, 1); /* the ping of death */
		expect_dropped(&w, 65528, 1000, true, bad, 1);
		assert_false(path_waits(&hub.path));
	}
}

/* The ports stand in the first fragment or nowhere (RFC 7112 for the whole chain of headers). */
static void first_fragment_holds_the_ports(void **state)
{
	struct whole w;
	make_whole(&w, true);
	assert_int_equal(feed(cut(&w, 0, 7, false)), 0);
	assert_int_equal(grown(COUNTER_DROP_FRAGMENT_MALFORMED), 1);
	make_whole(&w, false);
	assert_int_equal(feed_cut(&w, 0, 8, true), 0); /* just them */
	assert_int_equal(feed_cut(&w, 8, 800, true), 0);
	assert_arrives(cut(&w, 808, (uint16_t)(payload(&w) - 808), false));
}

/* RFC 6946: a fragment that is whole has nothing to do with others of its number. */
static void atomic_fragment(void **state)
{
	struct whole w;
	struct rte_mbuf *sent;
	make_whole(&w, true);
	assert_int_equal(feed_cut(&w, 0, 800, true), 0);
	assert_int_equal(path_take_at(cut(&w, 0, payload(&w), false), now_ns, &sent), 1);
	rte_pktmbuf_free(sent);
	let_time_pass();
}

static void given_up_after_two_seconds(void **state)
{
	struct whole w;
	unsigned int before = rte_mempool_avail_count(hub.rings.pool);
	make_whole(&w, false);
	assert_int_equal(feed_cut(&w, 0, 800, true), 0);
	assert_int_equal(feed_cut(&w, 808, 80, true), 0);
	assert_int_equal(rte_mempool_avail_count(hub.rings.pool), before - 2);
	now_ns += 2 * NS_PER_SEC - 1;
	path_run(&hub.path, now_ns);
	assert_true(path_waits(&hub.path));
	uint64_t count = memory_hub_count(&hub, COUNTER_DROP_FRAGMENT_TIMEOUT);
	let_time_pass();
	assert_int_equal(memory_hub_count(&hub, COUNTER_DROP_FRAGMENT_TIMEOUT) - count, 2);
	assert_int_equal(rte_mempool_avail_count(hub.rings.pool), before);
	/* too late also when nobody has swept yet */
	make_whole(&w, false);
	assert_int_equal(feed_cut(&w, 0, 800, true), 0);
	hub.path.reassembly->next_sweep_ns = UINT64_MAX;
	now_ns += 2 * NS_PER_SEC;
	assert_int_equal(feed_cut(&w, 800, (uint16_t)(payload(&w) - 800), false), 0);
	assert_int_equal(grown(COUNTER_DROP_FRAGMENT_TIMEOUT), 1);
	hub.path.reassembly->next_sweep_ns = 0;
	let_time_pass();
}

/* One pair of addresses has so many places; the oldest makes room. */
static void a_source_is_bounded(void **state)
{
	struct whole w, first;
	unsigned int before = rte_mempool_avail_count(hub.rings.pool);
	make_whole(&first, false);
	assert_int_equal(feed_cut(&first, 0, 800, true), 0);
	for (unsigned int i = 1; i < REASSEMBLY_WAYS; i++) {
		now_ns += 1000;
		make_whole(&w, false);
		assert_int_equal(feed_cut(&w, 0, 800, true), 0);
	}
	make_whole(&w, false);
	expect_dropped(&w, 0, 800, true, COUNTER_DROP_FRAGMENT_CROWDED, 1);
	assert_int_equal(rte_mempool_avail_count(hub.rings.pool), before - REASSEMBLY_WAYS);
	/* the first is forgotten, the last arrives */
	assert_int_equal(feed_cut(&first, 800, (uint16_t)(payload(&first) - 800), false), 0);
	assert_int_equal(feed_cut(&w, 800, (uint16_t)(payload(&w) - 800), false), 1);
	let_time_pass();
}

/* Whatever comes from wherever, no more packets wait than the table has places for. */
static void all_together_are_bounded(void **state)
{
	unsigned int before = rte_mempool_avail_count(hub.rings.pool);
	unsigned int most = REASSEMBLY_SETS * REASSEMBLY_WAYS * REASSEMBLY_PIECES;
	struct whole w = {.headers = 34, .len = 1400};
	struct rte_mbuf *m = good_frame();
	memcpy(w.frame, byte_of(m, 0), 42);
	rte_pktmbuf_free(m);
	for (unsigned int n = 0; n < 3 * most; n++) {
		w.id = (uint16_t)(n / most);
		w.frame[29] = (uint8_t)n; /* one of 256 sources */
		assert_int_equal(feed_cut(&w, n % most / 256 * 8, 8, true), 0);
	}
	assert_in_range(before - rte_mempool_avail_count(hub.rings.pool), most / 4, most);
	let_time_pass();
	assert_int_equal(rte_mempool_avail_count(hub.rings.pool), before);
}

/* What is for no listener goes on as it came, what waited for the ports too. */
static void fragments_for_the_host(void **state)
{
	for (unsigned int v6 = 0; v6 < 2; v6++) {
		struct whole w;
		make_whole(&w, v6 != 0);
		w.frame[w.headers + 3] ^= 1; /* another port */
		assert_int_equal(feed_cut(&w, 800, (uint16_t)(payload(&w) - 800), false), 0);
		drop_from_host(0);
		assert_int_equal(feed_cut(&w, 0, 400, true), 0);
		assert_int_equal(grown(COUNTER_PUNTED_PACKETS), 2);
		drop_from_host(2);
		assert_int_equal(feed_cut(&w, 400, 400, true), 0);
		drop_from_host(1);
		let_time_pass();
		/* larger than any tunnel's, before the ports are known */
		make_whole(&w, v6 != 0);
		assert_int_equal(feed_cut(&w, 60000, 400, true), 0);
		drop_from_host(1);
		assert_int_equal(feed_cut(&w, 0, 400, true), 0);
		drop_from_host(1);
		let_time_pass();
		/* to somebody else */
		make_whole(&w, v6 != 0);
		w.frame[w.headers - 1] ^= 0x80;
		assert_int_equal(feed_cut(&w, 0, 400, true), 0);
		drop_from_host(1);
		assert_false(path_waits(&hub.path));
	}
}

static void too_large_for_a_buffer(void **state)
{
	struct whole w;
	make_whole(&w, false);
	assert_int_equal(feed_cut(&w, 0, 800, true), 0);
	expect_dropped(&w, 4000, 8, false, COUNTER_DROP_FRAGMENT_TOO_LARGE, 2);
	make_whole(&w, false); /* fits by its offsets, but not behind the headers */
	assert_int_equal(feed_cut(&w, 0, 1016, true), 0);
	expect_dropped(&w, 1016, 1014, false, COUNTER_DROP_FRAGMENT_TOO_LARGE, 2);
	let_time_pass();
}

/* RFC 3168 section 5.3. */
static void congestion_of_any_is_of_all(void **state)
{
	struct rte_mbuf *sent;
	for (unsigned int n = 0; n < 2; n++) {
		static uint8_t inner[SIZE];
		uint16_t len;
		struct whole w;
		make_inner4(inner, SIZE, 0, 1);
		inner[1] = 2; /* ECT(0) */
		fix_inner_checksum(inner);
		make_whole_of(&w, n != 0, frame_from(0, inner, SIZE));
		if (w.v6)
			w.frame[15] = 2 << 4;
		else
			w.frame[15] = 2;
		assert_int_equal(feed_cut(&w, 0, 80, true), 0);
		w.frame[15] |= w.v6 ? CE << 4 : CE;
		struct rte_mbuf *last = cut(&w, 80, (uint16_t)(payload(&w) - 80), false);
		assert_int_equal(path_take_at(last, now_ns, &sent), 1);
		assert_int_equal(open_sent(sent, 1, &len)[1], CE);
		rte_pktmbuf_free(sent);
		/* the sender of the other one knows no ECN: congestion must be a loss */
		make_whole(&w, n != 0);
		assert_int_equal(feed_cut(&w, 0, 80, true), 0);
		w.frame[15] |= w.v6 ? CE << 4 : CE;
		expect_dropped(&w, 80, (uint16_t)(payload(&w) - 80), false, COUNTER_DROP_ECN, 2);
	}
}

/* Any cut in any order with any copies, among others: what arrives is what was sent. */
static void random_cuts(void **state)
{
	for (unsigned int round = 0; round < 500; round++) {
		struct whole w;
		struct rte_mbuf *m[2 * REASSEMBLY_PIECES];
		unsigned int count = 0;
		make_whole(&w, dice_roll() % 2 != 0);
		for (uint16_t at = 0, len; at < payload(&w); at = (uint16_t)(at + len)) {
			bool last = count == REASSEMBLY_PIECES - 1;
			len = (uint16_t)(8 + dice_roll() % 60 * 8);
			if (last || at + len >= payload(&w))
				len = (uint16_t)(payload(&w) - at);
			m[count++] = cut(&w, at, len, at + len < payload(&w));
		}
		for (unsigned int i = 1; i < count; i++) {
			unsigned int j = dice_roll() % (i + 1);
			struct rte_mbuf *t = m[i];
			m[i] = m[j];
			m[j] = t;
		}
		for (unsigned int i = 0; i + 1 < count; i++)
			assert_int_equal(feed(m[i]), 0);
		assert_arrives(m[count - 1]); // NOLINT(clang-analyzer-core.CallAndMessage)
		now_ns += dice_roll() % (NS_PER_SEC / 10);
	}
}

static int start(void **state)
{
	int err = fixture_start6(state);
	now_ns = clock_monotonic_ns(); /* sessions were born before */
	return err;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_every_order),
		cmocka_unit_test(as_many_pieces_as_there_may_be),
		cmocka_unit_test(duplicates_are_ignored),
		cmocka_unit_test(every_overlap_is_refused),
		cmocka_unit_test(ends_must_agree),
		cmocka_unit_test(malformed_fragments),
		cmocka_unit_test(first_fragment_holds_the_ports),
		cmocka_unit_test(atomic_fragment),
		cmocka_unit_test(given_up_after_two_seconds),
		cmocka_unit_test(a_source_is_bounded),
		cmocka_unit_test(all_together_are_bounded),
		cmocka_unit_test(fragments_for_the_host),
		cmocka_unit_test(too_large_for_a_buffer),
		cmocka_unit_test(congestion_of_any_is_of_all),
		cmocka_unit_test(random_cuts),
	};
	return cmocka_run_group_tests(tests, start, fixture_end);
}
