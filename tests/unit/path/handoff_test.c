// SPDX-License-Identifier: Apache-2.0
/* Two workers on one hub: data goes to the owner of its peer, whichever worker it came to, in order and
 * once; who opened seals, with counters that nobody else gets. */
#include "dataplane/base/clock.h"
#include "dataplane/table/instance.h"
#include "dataplane/table/peer.h"
#include "dataplane/table/session.h"
#include "dataplane/wg/messages.h"
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
	MANY = 200,
};

static struct path other; /* worker 1's; hub.path is worker 0's */
static unsigned int available;

static int start_two(void **state)
{
	struct memory_hub_settings s = {.peers = 4,
		.flags = INSTANCE_SITE_TO_SITE,
		.mbufs = 8191,
		.sites = true,
		.workers = 2};
	int err = memory_hub_new(&hub, &s);
	if (err == 0)
		err = path_init(&other, hub.tables, &hub.rings,
			counter_registry_add(&hub.tables->counters), 1);
	if (err == 0)
		available = rte_mempool_avail_count(hub.rings.pool);
	return err;
}

static int end_two(void **state)
{
	unsigned int left = rte_mempool_avail_count(hub.rings.pool);
	path_fini(&other);
	memory_hub_free(&hub);
	return left == available ? 0 : -1;
}

static unsigned int owner_of(unsigned int peer)
{
	return tables_owner(hub.tables, hub.peer[peer]->slot);
}

static struct path *path_of(unsigned int worker)
{
	return worker == 0 ? &hub.path : &other;
}

static struct rte_mbuf *frame_between(unsigned int from, unsigned int to)
{
	static uint8_t inner[SIZE];
	make_inner4(inner, SIZE, from, to);
	struct rte_mbuf *m = frame_from(from, inner, SIZE);
	if (m == NULL)
		abort(); /* the pool is large */
	return m;
}

static void receive_by(unsigned int worker, struct rte_mbuf **frames, uint16_t count)
{
	path_receive(path_of(worker), 0, frames, count);
	path_run(path_of(worker), clock_monotonic_ns());
}

/* What waits in a worker's ring; it does it. */
static unsigned int take_over_by(unsigned int worker)
{
	struct rte_mbuf *m[PATH_VECTOR];
	unsigned int n =
		rte_ring_dequeue_burst(hub.rings.handoff[worker], (void **)m, PATH_VECTOR, NULL);
	path_inject(path_of(worker), m, (uint16_t)n);
	path_run(path_of(worker), clock_monotonic_ns());
	return n;
}

static unsigned int sent_by(unsigned int queue, struct rte_mbuf **ret, unsigned int max)
{
	return rte_ring_dequeue_burst(hub.sent[queue], (void **)ret, max, NULL);
}

static uint64_t counter_of(const struct rte_mbuf *m)
{
	return message_read_le64(rte_pktmbuf_mtod_offset(m, const uint8_t *, OUTER + 8));
}

static void the_owner_opens_and_seals(void **state)
{
	struct rte_mbuf *sent;
	for (unsigned int from = 0; from < 2; from++) {
		for (unsigned int worker = 0; worker < 2; worker++) {
			unsigned int owner = owner_of(from);
			uint64_t before = memory_hub_count(&hub, COUNTER_HANDED_OVER_PACKETS);
			struct rte_mbuf *m = frame_between(from, 1 - from);
			receive_by(worker, &m, 1);
			assert_int_equal(take_over_by(owner), worker != owner);
			assert_int_equal(sent_by(1 - owner, &sent, 1), 0);
			assert_int_equal(sent_by(owner, &sent, 1), 1);
			assert_int_equal(
				memory_hub_count(&hub, COUNTER_HANDED_OVER_PACKETS) - before,
				worker != owner);
			rte_pktmbuf_free(sent);
		}
	}
	assert_int_not_equal(owner_of(0), owner_of(1)); /* else this showed little */
}

/* Each worker gets the same packet: the tag is right twice, the counter is new once. */
static void accepted_once(void **state)
{
	struct rte_mbuf *sent[4];
	uint64_t before = memory_hub_count(&hub, COUNTER_DROP_WG_REPLAY);
	struct rte_mbuf *m = frame_between(1, 0);
	struct rte_mbuf *again = rte_pktmbuf_copy(m, hub.rings.pool, 0, UINT32_MAX);
	receive_by(0, &m, 1);
	receive_by(1, &again, 1);
	assert_int_equal(take_over_by(owner_of(1)), 1);
	assert_int_equal(memory_hub_sent(&hub, sent, 4), 1);
	assert_int_equal(memory_hub_count(&hub, COUNTER_DROP_WG_REPLAY) - before, 1);
	rte_pktmbuf_free(sent[0]);
}

/* A flow that comes to another worker leaves the hub in the order in which it came. */
static void order_is_kept(void **state)
{
	struct rte_mbuf *frames[MANY], *sent[MANY];
	unsigned int from = 0, owner = owner_of(from);
	uint16_t len;
	uint8_t inner[SIZE];
	make_inner4(inner, SIZE, from, 1);
	for (unsigned int n = 0; n < MANY; n++) {
		inner[SIZE - 1] = (uint8_t)n;
		frames[n] = frame_from(from, inner, SIZE);
	}
	for (unsigned int n = 0; n < MANY; n += 50) {
		receive_by(1 - owner, frames + n, 50);
		if (n == 50)
			assert_int_equal(take_over_by(owner), 100);
	}
	assert_int_equal(take_over_by(owner), 100);
	assert_int_equal(sent_by(owner, sent, MANY), MANY);
	uint64_t first = counter_of(sent[0]);
	for (unsigned int n = 0; n < MANY; n++) {
		assert_int_equal(counter_of(sent[n]), first + n);
		assert_int_equal(open_sent(sent[n], 1, &len)[SIZE - 1], n);
	}
	rte_pktmbuf_free_bulk(sent, MANY);
}

static void a_full_ring_drops(void **state)
{
	unsigned int from = 0, owner = owner_of(from), put = 0, n;
	struct rte_mbuf *frames[MANY], *sent[MANY];
	uint64_t before = memory_hub_count(&hub, COUNTER_DROP_HANDOFF_FULL);
	struct rte_ring *ring = hub.rings.handoff[owner];
	while (memory_hub_count(&hub, COUNTER_DROP_HANDOFF_FULL) == before) {
		for (n = 0; n < MANY; n++)
			frames[n] = frame_between(from, 1);
		receive_by(1 - owner, frames, MANY);
		put += MANY;
	}
	assert_in_range(rte_ring_count(ring), 1000, 8000); /* bounded */
	assert_int_equal(memory_hub_count(&hub, COUNTER_DROP_HANDOFF_FULL) - before,
		put - rte_ring_count(ring));
	while (take_over_by(owner) > 0) {
		n = sent_by(owner, sent, MANY);
		rte_pktmbuf_free_bulk(sent, n);
		n = sent_by(owner, sent, MANY);
		rte_pktmbuf_free_bulk(sent, n);
	}
}

/* An index of nobody is refused where it came; an instance that went meanwhile where it arrives. */
static void what_is_gone(void **state)
{
	struct rte_mbuf *m = frame_between(0, 1), *sent;
	unsigned int owner = owner_of(0);
	uint64_t unknown = memory_hub_count(&hub, COUNTER_DROP_WG_UNKNOWN_INDEX);
	uint64_t stale = memory_hub_count(&hub, COUNTER_DROP_INJECT_STALE);
	*byte_of(m, OUTER + 4) ^= 1;
	receive_by(1 - owner, &m, 1);
	assert_int_equal(take_over_by(owner), 0);
	assert_int_equal(memory_hub_count(&hub, COUNTER_DROP_WG_UNKNOWN_INDEX) - unknown, 1);
	m = frame_between(0, 1);
	receive_by(1 - owner, &m, 1);
	hub.instance->generation ^= 1;
	assert_int_equal(take_over_by(owner), 1);
	hub.instance->generation ^= 1;
	assert_int_equal(memory_hub_count(&hub, COUNTER_DROP_INJECT_STALE) - stale, 1);
	m = frame_between(0, 1); /* and a session that went */
	receive_by(1 - owner, &m, 1);
	struct session *s = hub.peer[0]->current;
	session_index_release(hub.tables->sessions, s->keypair.local_index);
	assert_int_equal(take_over_by(owner), 1);
	assert_int_equal(memory_hub_count(&hub, COUNTER_DROP_WG_UNKNOWN_INDEX) - unknown, 2);
	assert_int_equal(sent_by(owner, &sent, 1), 0);
	assert_int_equal(
		session_index_reserve(hub.tables->sessions, hub.peer[0], &s->keypair.local_index),
		0);
	session_index_bind(hub.tables->sessions, s->keypair.local_index, s);
}

/* A port with one queue for two workers: frames leave by the worker that has it. */
static void fewer_queues_than_workers(void **state)
{
	struct rte_mbuf *m = frame_between(1, 0), *sent;
	unsigned int owner = owner_of(1);
	assert_int_equal(owner, 1);
	hub.tables->port[0].tx_queues = 1;
	receive_by(owner, &m, 1);
	assert_int_equal(sent_by(0, &sent, 1), 0);
	assert_int_equal(take_over_by(0), 1);
	assert_int_equal(sent_by(0, &sent, 1), 1);
	assert_int_equal(sent_by(1, &sent, 1), 0);
	hub.tables->port[0].tx_queues = 2;
	rte_pktmbuf_free(m);
}

/* One addition a session and burst: each counter is used once, none is left out. */
static void counters_of_a_burst(void **state)
{
	struct rte_mbuf *frames[MANY], *sent[MANY];
	struct session *s[3] = {hub.peer[1]->current, hub.peer[2]->current, hub.peer[3]->current};
	uint64_t first[3], packets[3], bytes[3];
	for (unsigned int i = 0; i < 3; i++) {
		first[i] = s[i]->keypair.send_counter;
		packets[i] = hub.peer[i + 1]->sent.packets;
		bytes[i] = hub.peer[i + 1]->sent.bytes;
	}
	for (unsigned int n = 0; n < MANY; n++)
		frames[n] = frame_between(0, 1 + n % 3);
	receive_by(owner_of(0), frames, MANY);
	assert_int_equal(sent_by(owner_of(0), sent, MANY), MANY);
	for (unsigned int n = 0; n < MANY; n++)
		assert_int_equal(counter_of(sent[n]), first[n % 3] + n / 3);
	for (unsigned int i = 0; i < 3; i++) {
		uint64_t mine = (MANY + 2 - i) / 3;
		assert_int_equal(s[i]->keypair.send_counter, first[i] + mine);
		assert_int_equal(hub.peer[i + 1]->sent.packets, packets[i] + mine);
		assert_int_equal(hub.peer[i + 1]->sent.bytes, bytes[i] + mine * (112 + 32));
	}
	rte_pktmbuf_free_bulk(sent, MANY);
}

/* In the middle of a burst the key is used up: what is left waits for another, and the number does
 * not go on towards 0. */
static void the_last_counters(void **state)
{
	struct rte_mbuf *frames[40], *sent[40];
	struct session *s = hub.peer[1]->current;
	struct keying_message m;
	uint64_t before = s->keypair.send_counter;
	unsigned int waiting = 0, asked = 0;
	s->keypair.send_counter = REJECT_AFTER_MESSAGES - 5;
	for (unsigned int n = 0; n < 40; n++)
		frames[n] = frame_between(0, 1);
	receive_by(owner_of(0), frames, 40);
	assert_int_equal(sent_by(owner_of(0), sent, 40), 5);
	assert_int_equal(counter_of(sent[4]), REJECT_AFTER_MESSAGES - 1);
	while (rings_keying_get(&hub.rings, &m)) {
		assert_int_equal(m.type, KEYING_WANT_KEY);
		waiting += m.mbuf != NULL;
		asked += m.mbuf == NULL;
		rte_pktmbuf_free(m.mbuf);
	}
	assert_int_equal(waiting, 35);
	assert_int_equal(asked, 1);
	assert_in_range(s->keypair.send_counter, REJECT_AFTER_MESSAGES, UINT64_MAX - 4096);
	uint64_t stopped = s->keypair.send_counter;
	assert_true(keypair_reserve(&s->keypair, 32) >= REJECT_AFTER_MESSAGES);
	assert_true(s->keypair.send_counter == stopped);
	s->keypair.send_counter = before;
	hub.peer[1]->wants_key = 0;
	rte_pktmbuf_free_bulk(sent, 5);
}

static struct rte_mbuf *piece_of(const uint8_t *frame, uint16_t offset, uint16_t len, bool more)
{
	uint8_t f[256];
	memcpy(f, frame, 34);
	memcpy(f + 34, frame + 34 + offset, len);
	f[17] = (uint8_t)(len + 20);
	f[20] = more ? 0x20 : 0;
	f[21] = (uint8_t)(offset / 8);
	fix_inner_checksum(f + 14);
	return packet_of(f, (uint16_t)(34 + len));
}

/* Whichever workers the pieces came to, one of them has both; the peer's owner opens the whole. */
static void pieces_meet(void **state)
{
	bool seen[2] = {false, false};
	for (uint8_t source = 1; source < 33; source++) {
		struct rte_mbuf *m = frame_between(0, 1), *sent;
		uint8_t frame[256];
		uint16_t len = m->data_len;
		memcpy(frame, byte_of(m, 0), len);
		rte_pktmbuf_free(m);
		frame[29] = source;
		struct rte_mbuf *first = piece_of(frame, 0, 80, true),
				*last = piece_of(frame, 80, (uint16_t)(len - 114), false);
		receive_by(0, &first, 1);
		receive_by(1, &last, 1);
		bool by_first = path_waits(&hub.path);
		seen[by_first] = true;
		assert_int_equal(take_over_by(by_first ? 0 : 1), 1);
		(void)take_over_by(owner_of(0));
		assert_int_equal(memory_hub_sent(&hub, &sent, 1), 1);
		rte_pktmbuf_free(sent);
		assert_false(path_waits(&hub.path) || path_waits(&other));
	}
	assert_true(seen[0] && seen[1]);
	drop_all_from_keying();
	hub.peer[0]->roaming = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_owner_opens_and_seals),
		cmocka_unit_test(accepted_once),
		cmocka_unit_test(order_is_kept),
		cmocka_unit_test(a_full_ring_drops),
		cmocka_unit_test(pieces_meet),
		cmocka_unit_test(what_is_gone),
		cmocka_unit_test(fewer_queues_than_workers),
		cmocka_unit_test(counters_of_a_burst),
		cmocka_unit_test(the_last_counters),
	};
	return cmocka_run_group_tests(tests, start_two, end_two);
}
