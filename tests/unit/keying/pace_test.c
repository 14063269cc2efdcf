// SPDX-License-Identifier: Apache-2.0
/* Initiations have a pace: after a restart thousands of peers are called in order, those that something
 * waits for before those that only return or stay silent, and nobody waits for ever. */
#include "dataplane/base/clock.h"
#include "tests/unit/keying/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

enum {
	SILENT = 20000, /* they want to be called again each 5 s: four times what the pace allows */
	PEERS = 3000, /* enough for what a second or two can show */
	BURST = 100,
	PER_SECOND = 1000,
	WAITING = 1800, /* the pool has 2 047 */
};

// NOLINTBEGIN(bugprone-reserved-identifier): the linker's names
int __real_noise_initiation_create(const struct noise_identity *i, struct noise_remote *r,
	uint32_t local_index, uint64_t realtime_ns, struct message_handshake_initiation *ret);
int __wrap_noise_initiation_create(const struct noise_identity *i, struct noise_remote *r,
	uint32_t local_index, uint64_t realtime_ns, struct message_handshake_initiation *ret);
/* Nobody reads what the hub sends here, and Diffie-Hellman would make a minute of it. */
int __wrap_noise_initiation_create(const struct noise_identity *i, struct noise_remote *r,
	uint32_t local_index, uint64_t realtime_ns, struct message_handshake_initiation *ret)
{
	const struct keying_instance *hub = f.instance->keying;
	if (i != &hub->identity)
		return __real_noise_initiation_create(i, r, local_index, realtime_ns, ret);
	*ret = (struct message_handshake_initiation){.type = {MESSAGE_HANDSHAKE_INITIATION}};
	r->initiation.state = NOISE_STATE_CREATED_INITIATION;
	r->initiation.local_index = local_index;
	return 0;
}
// NOLINTEND(bugprone-reserved-identifier)

static struct peer *peer[SILENT];
static unsigned int calls[SILENT]; /* initiations to each */
static uint64_t first_call_ns[SILENT];

/* Peers as the node tells them after a restart: keys nobody has, for nobody answers here. */
static void make_peers(unsigned int count)
{
	for (unsigned int n = 0; n < count; n++) {
		struct peer_settings s = {.id.bytes = {(uint8_t)n, (uint8_t)(n >> 8), 7},
			.instance = f.instance,
			.type = PEER_TYPE_SITE,
			.public_key.bytes = {(uint8_t)n, (uint8_t)(n >> 8), 9},
			.allowed_any = true};
		bool created;
		assert_int_equal(peer_set(f.tables, &s, &peer[n], &created), 0);
		struct keying_peer kp = {.peer = peer[n]};
		assert_int_equal(ip_endpoint_parse("198.51.100.7:4500", &kp.endpoint), 0);
		keying_peer_apply(&f.k, &kp);
	}
}

/* Slots are given in order, from the first peer's on. */
static void note_call(const struct peer *p)
{
	uint32_t n = peer[0] != NULL ? p->slot - peer[0]->slot : SILENT;
	if (n < SILENT && peer[n] == p && calls[n]++ == 0)
		first_call_ns[n] = f.k.now_ns;
}

/* Takes what the hub sent; returns how many. */
static unsigned int take_calls(void)
{
	unsigned int taken = 0;
	for (struct rte_mbuf *m = take_injected(); m != NULL; m = take_injected()) {
		note_call(peer_from_handle(f.tables, pkt_of(m)->handle));
		taken++;
		rte_pktmbuf_free(m);
	}
	return taken;
}

static unsigned int pass(uint64_t ns)
{
	unsigned int taken = 0;
	for (uint64_t end = f.k.now_ns + ns; f.k.now_ns < end;) {
		f.k.now_ns += NS_PER_MS;
		keying_timer_run(&f.k);
		keying_pace_run(&f.k);
		taken += take_calls();
	}
	return taken;
}

/* A worker has a packet for it. */
static void send_to(struct peer *p)
{
	struct keying_message m = {.type = KEYING_WANT_KEY,
		.peer = peer_handle(p),
		.mbuf = rte_pktmbuf_alloc(f.rings.pool)};
	assert_non_null(m.mbuf);
	assert_true(rings_keying_put(&f.rings, &m));
	while (rte_ring_count(f.rings.keying) > 0)
		(void)keying_round(&f.k);
}

static int start(void **state)
{
	memset(peer, 0, sizeof(peer));
	memset(calls, 0, sizeof(calls));
	memset(first_call_ns, 0, sizeof(first_call_ns));
	return fixture_start(state);
}

static uint64_t bucket(void)
{
	return f.k.pace.bucket.taken_to_ns;
}

static unsigned int count_called(unsigned int first, unsigned int end)
{
	unsigned int called = 0;
	for (unsigned int n = first; n < end; n++)
		called += calls[n] > 0;
	return called;
}

/* Who was called long ago and did not answer is not called again before the last was called once. */
static void all_return_in_order(void **state)
{
	make_peers(SILENT);
	assert_int_equal(take_calls(), BURST); /* the first at once */
	assert_int_equal(count_called(0, BURST), BURST);
	for (unsigned int s = 0; s < SILENT / PER_SECOND; s++)
		assert_in_range(pass(NS_PER_SEC), PER_SECOND - 1, PER_SECOND + 1);
	for (unsigned int n = 0; n < SILENT; n++) {
		assert_in_range(calls[n], 1, n < PER_SECOND ? 2 : 1);
		assert_true(n == 0 || first_call_ns[n] >= first_call_ns[n - 1]);
	}
}

/* The silent ones use all there is, without end; and one more returns. */
static void silence_keeps_nobody_waiting(void **state)
{
	struct wg_client late, talks, live;
	make_peers(SILENT);
	(void)pass(SILENT / PER_SECOND * NS_PER_SEC);
	for (unsigned int s = 0; s < 10; s++) /* the thousand holds for what is sent again too */
		assert_in_range(pass(NS_PER_SEC), PER_SECOND - 1, PER_SECOND + 1);
	struct peer *p = client_new(&late, 1, "198.51.100.9:4500");
	uint64_t since_ns = f.k.now_ns;
	while (p->handshake_sent_bytes == 0 && f.k.now_ns < since_ns + 60 * NS_PER_SEC)
		(void)pass(10 * NS_PER_MS);
	print_message("one that returns: after %.2f s\n",
		(double)(f.k.now_ns - since_ns) / (double)NS_PER_SEC);
	assert_in_range(f.k.now_ns - since_ns, NS_PER_SEC, (SILENT / PER_SECOND + 1) * NS_PER_SEC);
	p = client_new(&talks, 2, "198.51.100.9:4501");
	send_to(p); /* first of those with packets */
	(void)pass(3 * NS_PER_MS);
	assert_true(p->handshake_sent_bytes > 0);
	p = client_new(&live, 3, NULL);
	client_handshake(&live);
	keying_session_promote(&f.k, p, live.keys.remote_index);
	uint64_t sent = p->handshake_sent_bytes;
	keying_peer_want_handshake(&f.k, p);
	keying_timer_visit(&f.k, p);
	(void)pass(3 * NS_PER_MS);
	assert_true(p->handshake_sent_bytes > sent);
}

static void who_has_traffic_goes_first(void **state)
{
	make_peers(PEERS);
	(void)take_calls();
	f.k.now_ns += NS_PER_MS;
	for (unsigned int n = PEERS - 50; n < PEERS; n++) {
		send_to(peer[n]);
		keying_timer_visit(&f.k, peer[n]); /* asking twice is one place in the queue */
	}
	(void)pass(60 * NS_PER_MS);
	assert_int_equal(count_called(PEERS - 50, PEERS), 50);
	assert_int_equal(calls[200], 0);
	(void)pass(3 * NS_PER_SEC);
	for (unsigned int n = 0; n < PEERS; n++)
		assert_int_equal(calls[n], 1); /* nobody twice */
}

/* Packets wait for so many that the others would wait for ever. */
static void nobody_starves(void **state)
{
	make_peers(PEERS);
	(void)take_calls();
	for (unsigned int n = PEERS - WAITING; n < PEERS; n++)
		send_to(peer[n]);
	(void)take_calls();
	unsigned int first = count_called(PEERS - WAITING, PEERS);
	unsigned int behind = count_called(0, PEERS - WAITING);
	(void)pass(NS_PER_SEC);
	assert_in_range(count_called(PEERS - WAITING, PEERS) - first, 870, 880);
	assert_in_range(count_called(0, PEERS - WAITING) - behind, 120, 130);
}

static void who_comes_by_itself_is_not_called(void **state)
{
	struct wg_client c;
	make_peers(PEERS);
	struct peer *p = client_new(&c, 1, "198.51.100.9:4500"); /* last in the queue */
	(void)take_calls();
	client_handshake(&c);
	keying_session_promote(&f.k, p, c.keys.remote_index);
	struct session *s = p->current;
	(void)pass(4 * NS_PER_SEC);
	assert_ptr_equal(p->current, s);
	assert_int_equal(counted(COUNTER_HANDSHAKE_INITIATIONS_SENT), PEERS);
}

/* Who can't be called takes no turn from those who can: one that was never seen, one that no route leads
 * to, and any of an instance without a key. */
static void who_cannot_be_called_costs_nothing(void **state)
{
	static const struct key no_key;
	struct wg_client unseen, unrouted, keyless;
	struct peer *p = client_new(&unseen, 1, NULL);
	uint64_t before = bucket();
	atomic_store(&p->wants_key, 1);
	send_to(p);
	assert_null(p->keying);
	assert_int_equal(p->wants_key, 0);
	assert_int_equal(counted(COUNTER_DROP_NO_KEY), 1);
	p = client_new(&unrouted, 2, "[2001:db8::9]:4500");
	assert_non_null(p->keying); /* it is tried again */
	(void)pass(20 * NS_PER_SEC);
	assert_true(bucket() == before);
	p = client_new(&keyless, 3, "198.51.100.9:4500");
	(void)pass(NS_PER_SEC);
	assert_true(p->handshake_sent_bytes > 0);
	keying_sessions_drop(&f.k, p);
	keying_peer_rest(&f.k, p);
	assert_int_equal(keying_instance_apply(&f.k, f.instance, &no_key), 0);
	before = bucket();
	send_to(p);
	keying_session_keepalive(&f.k, p);
	assert_null(p->keying);
	(void)pass(20 * NS_PER_SEC);
	assert_true(bucket() == before);
	assert_int_equal(counted(COUNTER_DROP_NO_KEY), 2);
	assert_int_equal(p->staged_count, 0);
}

static void who_is_gone_is_skipped(void **state)
{
	make_peers(PEERS);
	(void)take_calls();
	for (unsigned int n = BURST; n < PEERS; n++) {
		keying_peer_want_handshake(&f.k, peer[n]);
		keying_timer_visit(&f.k, peer[n]);
	}
	for (unsigned int n = BURST; n < PEERS; n++) {
		if (n % 3 == 0)
			peer_unlink(f.tables, peer[n]);
		keying_peer_drop(&f.k, peer[n]);
	}
	assert_int_equal(pass(4 * NS_PER_SEC), 0);
	tables_reclaim(f.tables);
}

#define test(name) cmocka_unit_test_setup_teardown(name, start, fixture_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(all_return_in_order),
		test(silence_keeps_nobody_waiting),
		test(who_has_traffic_goes_first),
		test(nobody_starves),
		test(who_comes_by_itself_is_not_called),
		test(who_cannot_be_called_costs_nothing),
		test(who_is_gone_is_skipped),
	};
	return cmocka_run_group_tests(tests, fixture_start_eal, fixture_stop_eal);
}
