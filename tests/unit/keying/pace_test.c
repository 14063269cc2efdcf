// SPDX-License-Identifier: Apache-2.0
/* Initiations have a pace: after a restart thousands of peers are called in order, and those that
 * something waits for before those that only return. */
#include "dataplane/base/clock.h"
#include "tests/unit/keying/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <rte_ring.h>

enum {
	PEERS = 1500,
	BURST = 100,
	PER_SECOND = 1000,
};

static struct peer *peer[PEERS];
static unsigned int calls[PEERS]; /* initiations to each */
static uint64_t first_call_ns[PEERS];

/* Peers as the node tells them after a restart: keys nobody has, for nobody answers here. */
static void make_peers(void)
{
	for (unsigned int n = 0; n < PEERS; n++) {
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

/* Takes what the hub sent; returns how many. */
static unsigned int take_calls(void)
{
	unsigned int taken = 0;
	for (struct rte_mbuf *m = take_injected(); m != NULL; m = take_injected()) {
		const struct peer *p = peer_from_handle(f.tables, pkt_of(m)->handle);
		for (unsigned int n = 0; n < PEERS; n++) {
			if (peer[n] != p)
				continue;
			if (calls[n]++ == 0)
				first_call_ns[n] = f.k.now_ns;
			break;
		}
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

static int start(void **state)
{
	memset(calls, 0, sizeof(calls));
	memset(first_call_ns, 0, sizeof(first_call_ns));
	return fixture_start(state);
}

static void all_return_in_order(void **state)
{
	make_peers();
	assert_int_equal(take_calls(), BURST); /* the first at once */
	for (unsigned int n = 0; n < BURST; n++)
		assert_int_equal(calls[n], 1);
	assert_in_range(pass(NS_PER_SEC), PER_SECOND - 1, PER_SECOND + 1);
	(void)pass(NS_PER_SEC / 2);
	for (unsigned int n = 0; n < PEERS; n++) {
		assert_int_equal(calls[n], 1);
		if (n > 0)
			assert_true(first_call_ns[n] >= first_call_ns[n - 1]);
	}
}

static void who_has_traffic_goes_first(void **state)
{
	make_peers();
	(void)take_calls();
	f.k.now_ns += NS_PER_MS;
	for (unsigned int n = PEERS - 50; n < PEERS; n++) {
		keying_peer_want_handshake(&f.k, peer[n]);
		keying_timer_visit(&f.k, peer[n]);
		keying_timer_visit(&f.k, peer[n]); /* asking twice is one place in the queue */
	}
	(void)pass(60 * NS_PER_MS);
	for (unsigned int n = PEERS - 50; n < PEERS; n++)
		assert_int_equal(calls[n], 1);
	assert_int_equal(calls[200], 0);
	(void)pass(2 * NS_PER_SEC);
	for (unsigned int n = 0; n < PEERS; n++)
		assert_int_equal(calls[n], 1); /* nobody twice */
}

static void who_comes_by_itself_is_not_called(void **state)
{
	struct client c;
	make_peers();
	struct peer *p = client_new(&c, 1, "198.51.100.9:4500"); /* last in the queue */
	(void)take_calls();
	client_handshake(&c);
	keying_session_promote(&f.k, p, c.keys.remote_index);
	struct session *s = p->current;
	(void)pass(3 * NS_PER_SEC);
	assert_ptr_equal(p->current, s);
	assert_int_equal(counted(COUNTER_HANDSHAKE_INITIATIONS_SENT), PEERS);
}

/* Nobody answers: the thousand a second hold for what is sent again too. */
static void silence_is_no_flood(void **state)
{
	make_peers();
	(void)take_calls();
	for (unsigned int s = 0; s < 20; s++)
		assert_in_range(pass(NS_PER_SEC), 0, PER_SECOND + BURST);
}

static void who_is_gone_is_skipped(void **state)
{
	make_peers();
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
		test(who_has_traffic_goes_first),
		test(who_comes_by_itself_is_not_called),
		test(silence_is_no_flood),
		test(who_is_gone_is_skipped),
	};
	return cmocka_run_group_tests(tests, fixture_start_eal, fixture_stop_eal);
}
