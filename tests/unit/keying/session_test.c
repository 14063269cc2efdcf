// SPDX-License-Identifier: Apache-2.0
/* The life of sessions and of what waits for them: three slots, rekeying, giving up, expiry, and
 * that nothing is left when a peer goes. */
#include "dataplane/base/clock.h"
#include "dataplane/crypto/x25519.h"
#include "dataplane/table/underlay.h"
#include "tests/unit/keying/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <rte_ring.h>

enum {
	TICK_MS = 20,
};

/* Time passes; what the hub sends meanwhile is counted and freed. */
struct passed {
	unsigned int messages, keepalives;
};

static struct passed pass(uint64_t ns)
{
	struct passed ret = {0};
	for (uint64_t end = f.k.now_ns + ns; f.k.now_ns < end; f.k.now_ns += TICK_MS * NS_PER_MS) {
		keying_timer_run(&f.k);
		for (struct rte_mbuf *m = take_injected(); m != NULL; m = take_injected()) {
			ret.messages += pkt_of(m)->inject == PKT_INJECT_PEER_OUTER;
			ret.keepalives += pkt_of(m)->inject == PKT_INJECT_PEER_INNER;
			rte_pktmbuf_free(m);
		}
	}
	return ret;
}

static struct rte_mbuf *some_packet(void)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(f.rings.pool);
	if (m == NULL)
		abort();
	(void)rte_pktmbuf_append(m, 100);
	return m;
}

static struct session *confirmed_session(struct wg_client *c, struct peer *p)
{
	client_handshake(c);
	keying_session_promote(&f.k, p, c->keys.remote_index);
	assert_ptr_equal(p->current, session_lookup(f.tables->sessions, c->keys.remote_index));
	return p->current;
}

/* Paper, section 6.4: the one before serves on for what is on its way, those before it don't. */
static void three_slots(void **state)
{
	struct wg_client c;
	struct peer *p = client_new(&c, 1, NULL);
	struct session *first = confirmed_session(&c, p);
	uint32_t index = first->keypair.local_index;
	struct session *second = confirmed_session(&c, p);
	assert_ptr_equal(p->previous, first);
	assert_ptr_equal(session_lookup(f.tables->sessions, index), first);
	client_handshake(&c); /* a third, not confirmed: the current one serves on */
	assert_ptr_equal(p->current, second);
	assert_null(p->previous);
	assert_null(session_lookup(f.tables->sessions, index));
	struct session *third = p->next;
	uint32_t of_third = third->keypair.local_index;
	client_handshake(&c); /* a fourth in its place: the third never came alive */
	assert_ptr_not_equal(p->next, third);
	assert_null(session_lookup(f.tables->sessions, of_third));
	keying_session_promote(&f.k, p, of_third);
	assert_ptr_equal(p->current, second);
	keying_session_promote(&f.k, p, c.keys.remote_index);
	assert_ptr_equal(p->previous, second);
}

static void a_new_private_key_ends_all(void **state)
{
	struct wg_client c, other;
	struct peer *p = client_new(&c, 1, NULL), *q = client_new(&other, 2, NULL);
	uint32_t index = confirmed_session(&c, p)->keypair.local_index;
	(void)confirmed_session(&other, q);
	assert_int_equal(keying_instance_apply(&f.k, f.instance, &f.hub_private), 0);
	assert_non_null(p->current); /* the same key is no change */
	assert_int_equal(x25519_generate(&f.hub_private), 0);
	assert_int_equal(x25519_public(&f.hub_private, &f.hub_public), 0);
	assert_int_equal(keying_instance_apply(&f.k, f.instance, &f.hub_private), 0);
	assert_null(p->current);
	assert_null(q->current);
	assert_null(session_lookup(f.tables->sessions, index));
	/* who knows the new public key comes in again */
	noise_remote_init(&c.hub, &f.hub_public, &(const struct key){{0}});
	cookie_maker_init(&c.cookie, &f.hub_public);
	(void)confirmed_session(&c, p);
}

static void preshared_keys(void **state)
{
	struct wg_client c;
	struct key psk = {{1, 2, 3}};
	struct peer *p = client_new(&c, 1, NULL);
	struct keying_peer kp = {.peer = p, .has_preshared_key = true, .preshared_key = psk};
	struct session *s = confirmed_session(&c, p);
	keying_peer_apply(&f.k, &kp);
	assert_ptr_equal(p->current, s); /* used from the next handshake on */
	noise_remote_set_preshared_key(&c.hub, &psk);
	assert_ptr_not_equal(confirmed_session(&c, p), s);
}

/* After a restart the greatest timestamp of before is told: an old initiation stays a replay. */
static void timestamps_survive_a_restart(void **state)
{
	struct wg_client c;
	struct message_handshake_initiation old, i;
	struct message_handshake_response r;
	struct peer *p = client_new(&c, 1, NULL);
	client_initiation(&c, &old);
	client_initiation(&c, &i);
	deliver(&c, &i, sizeof(i));
	take_message(p, &r, sizeof(r));
	struct keying_peer_status status;
	keying_peer_status(&f.k, p, &status);
	struct keying_peer kp = {.peer = p};
	memcpy(kp.timestamp, status.timestamp, sizeof(kp.timestamp));
	keying_peer_drop(&f.k, p);
	keying_peer_apply(&f.k, &kp);
	f.k.now_ns += NS_PER_SEC;
	deliver(&c, &old, sizeof(old));
	deliver(&c, &i, sizeof(i));
	assert_int_equal(counted(COUNTER_DROP_HANDSHAKE_OLD_TIMESTAMP), 2);
	memset(kp.timestamp, 0, sizeof(kp.timestamp)); /* never back */
	keying_peer_apply(&f.k, &kp);
	deliver(&c, &i, sizeof(i));
	assert_int_equal(counted(COUNTER_DROP_HANDSHAKE_OLD_TIMESTAMP), 3);
}

static void packets_that_wait(void **state)
{
	struct wg_client c;
	struct peer *p = client_new(&c, 1, NULL);
	keying_peer_stage(&f.k, p, some_packet()); /* no endpoint: nobody to ask for a key */
	assert_int_equal(counted(COUNTER_DROP_NO_KEY), 1);
	client_handshake(&c);
	for (unsigned int n = 0; n < STAGED_MAX + 3; n++)
		keying_peer_stage(&f.k, p, some_packet());
	assert_int_equal(p->staged_count, STAGED_MAX);
	assert_int_equal(counted(COUNTER_DROP_STAGED_FULL), 3);
	keying_session_promote(&f.k, p, c.keys.remote_index);
	assert_int_equal(rte_ring_count(f.rings.inject[0]), STAGED_MAX);
	assert_int_equal(f.k.staged, 0);
	(void)pass(NS_PER_MS);
	keying_peer_stage(&f.k, p, some_packet()); /* a key is there: it goes on at once */
	assert_int_equal(p->staged_count, 0);
	assert_int_equal(rte_ring_count(f.rings.inject[0]), 1);
	(void)pass(NS_PER_MS);
}

/* A worker put them into the ring in this order: the packet leaves by the new endpoint. */
static void packets_that_wait_for_a_move(void **state)
{
	struct wg_client c;
	struct peer *p = client_new(&c, 1, NULL);
	(void)confirmed_session(&c, p);
	struct keying_message roam = {.type = KEYING_ROAM,
				      .peer = peer_handle(p),
				      .remote = p->endpoint->remote.addr,
				      .remote_port = 9999,
				      .local_port = 51820},
			      packet = {.type = KEYING_WANT_KEY,
				      .peer = peer_handle(p),
				      .mbuf = some_packet()};
	assert_int_equal(ip_addr_parse("203.0.113.1", &roam.local), 0);
	p->roaming = 1;
	assert_true(rings_keying_put(&f.rings, &roam) && rings_keying_put(&f.rings, &packet));
	(void)keying_round(&f.k);
	assert_int_equal(p->endpoint->remote.port, 9999);
	assert_int_equal(p->roaming, 0);
	struct rte_mbuf *m = take_injected();
	assert_ptr_equal(m, packet.mbuf);
	assert_int_equal(pkt_of(m)->inject, PKT_INJECT_PEER_INNER);
	rte_pktmbuf_free(m);
	assert_nothing_injected(); /* and no handshake */
}

/* One peer that does not answer can't take all buffers, nor can many. */
static void all_that_waits_is_bounded(void **state)
{
	static struct wg_client c[40];
	static struct peer *p[40];
	unsigned int waiting = 0;
	for (uint8_t i = 0; i < 40; i++) {
		p[i] = client_new(&c[i], (uint8_t)(i + 1), NULL);
		client_handshake(&c[i]);
	}
	for (unsigned int n = 0; n < 40 * STAGED_MAX && waiting < 1500; n++, waiting++)
		keying_peer_stage(&f.k, p[n % 40], some_packet());
	f.k.staged += STAGED_TOTAL_MAX - waiting; /* as if others waited */
	keying_peer_stage(&f.k, p[0], some_packet());
	assert_int_equal(counted(COUNTER_DROP_STAGED_FULL), 1);
	f.k.staged -= STAGED_TOTAL_MAX - waiting;
	for (unsigned int i = 0; i < 40; i++)
		keying_peer_purge_staged(&f.k, p[i]);
	assert_int_equal(f.k.staged, 0);
	assert_int_equal(counted(COUNTER_DROP_NO_KEY), waiting);
}

static void nobody_answers(void **state)
{
	struct wg_client c;
	struct peer *p = client_new(&c, 1, "198.51.100.7:4500");
	keying_peer_stage(&f.k, p, some_packet());
	struct passed all = pass(150 * NS_PER_SEC);
	assert_in_range(all.messages, 18, 20);
	assert_event(KEYING_EVENT_HANDSHAKE_FAILED, p);
	assert_int_equal(p->last_failure, PEER_FAILURE_NO_RESPONSE);
	assert_int_equal(p->staged_count, 0);
	assert_int_equal(counted(COUNTER_DROP_NO_KEY), 1);
	all = pass(60 * NS_PER_SEC);
	assert_int_equal(all.messages, 0);
}

static void keepalives(void **state)
{
	struct wg_client c;
	struct peer *p = client_new(&c, 1, NULL);
	struct keying_peer kp = {.peer = p, .keepalive_s = 10};
	(void)confirmed_session(&c, p);
	keying_peer_apply(&f.k, &kp);
	struct passed all = pass(65 * NS_PER_SEC);
	assert_in_range(all.keepalives, 6, 7);
	assert_int_equal(all.messages, 0);
	kp.keepalive_s = 0;
	keying_peer_apply(&f.k, &kp);
	all = pass(60 * NS_PER_SEC);
	assert_int_equal(all.keepalives, 0);
}

/* Keys that nobody renews are wiped. */
static void idle_keys_end(void **state)
{
	struct wg_client c;
	struct peer *p = client_new(&c, 1, NULL);
	uint32_t index = confirmed_session(&c, p)->keypair.local_index;
	(void)pass(3 * REJECT_AFTER_TIME - NS_PER_SEC);
	assert_non_null(p->current);
	(void)pass(2 * NS_PER_SEC);
	assert_null(p->current);
	assert_null(session_lookup(f.tables->sessions, index));
}

static void peers_expire(void **state)
{
	struct wg_client c;
	struct message_handshake_initiation i;
	struct peer *p = client_new(&c, 1, NULL);
	uint32_t index = confirmed_session(&c, p)->keypair.local_index;
	p->expires_at_s = clock_realtime_ns() / NS_PER_SEC + 3600;
	keying_timer_visit(&f.k, p);
	assert_int_equal(p->expired, 0);
	p->expires_at_s = clock_realtime_ns() / NS_PER_SEC - 1;
	(void)pass(NS_PER_SEC); /* nobody has to tell: the hub looks by itself */
	assert_int_equal(p->expired, 1);
	assert_event(KEYING_EVENT_PEER_EXPIRED, p);
	assert_null(p->current);
	assert_null(session_lookup(f.tables->sessions, index));
	client_initiation(&c, &i);
	deliver(&c, &i, sizeof(i));
	assert_int_equal(counted(COUNTER_DROP_PEER_EXPIRED), 1);
	struct keying_message late = {.type = KEYING_WANT_KEY,
		.peer = peer_handle(p),
		.mbuf = some_packet()}; /* it was on its way to us */
	assert_true(rings_keying_put(&f.rings, &late));
	(void)keying_round(&f.k);
	assert_int_equal(p->staged_count, 0);
	assert_nothing_injected();
	p->expires_at_s = 0; /* prolonged */
	struct keying_peer kp = {.peer = p};
	keying_peer_apply(&f.k, &kp);
	assert_int_equal(p->expired, 0);
	(void)confirmed_session(&c, p);
}

/* A peer that nobody speaks with costs no keying state; what must outlast that does. */
static void a_silent_peer_rests(void **state)
{
	struct wg_client c;
	struct key psk = {{1, 2, 3}};
	struct message_handshake_initiation old;
	struct peer *p = client_new(&c, 1, NULL);
	struct keying_peer kp = {
		.peer = p, .has_preshared_key = true, .preshared_key = psk, .keepalive_s = 25};
	keying_peer_apply(&f.k, &kp); /* nowhere to send a keepalive to */
	assert_null(p->keying);
	client_initiation(&c, &old);
	noise_remote_set_preshared_key(&c.hub, &psk);
	kp.keepalive_s = 0;
	keying_peer_apply(&f.k, &kp);
	(void)confirmed_session(&c, p);
	assert_non_null(p->keying);
	(void)pass(3 * REJECT_AFTER_TIME + NS_PER_SEC);
	assert_null(p->current);
	assert_null(p->keying);
	assert_null(p->wheel_prev);
	deliver(&c, &old, sizeof(old));
	assert_int_equal(counted(COUNTER_DROP_HANDSHAKE_OLD_TIMESTAMP), 1);
	assert_non_null(p->keying); /* for a moment: the next forgery shall not cost more */
	assert_int_equal(pass(REKEY_TIMEOUT - NS_PER_SEC).messages, 0);
	assert_non_null(p->keying);
	assert_int_equal(pass(2 * NS_PER_SEC).messages, 0);
	assert_null(p->keying);
	kp.keepalive_s = 25;
	keying_peer_apply(&f.k, &kp);
	assert_int_equal(pass(26 * NS_PER_SEC).messages, 1); /* it was here: hold its mapping */
	(void)confirmed_session(&c, p); /* the preshared key is still there */
}

static void a_dropped_peer_leaves_nothing(void **state)
{
	struct wg_client c;
	struct peer *p = client_new(&c, 1, NULL);
	uint32_t index = confirmed_session(&c, p)->keypair.local_index;
	client_handshake(&c);
	uint32_t next = p->next->keypair.local_index;
	p->current->keypair.birth_ns -= REJECT_AFTER_TIME;
	keying_peer_stage(&f.k, p, some_packet());
	assert_int_equal(p->staged_count, 1);
	struct keying_peer kp = {
		.peer = p, .has_preshared_key = true, .preshared_key = {{1, 2, 3}}};
	keying_peer_apply(&f.k, &kp);
	assert_false(key_is_zero(&p->preshared_key));
	peer_unlink(f.tables, p);
	keying_peer_drop(&f.k, p);
	assert_null(session_lookup(f.tables->sessions, index));
	assert_null(session_lookup(f.tables->sessions, next));
	assert_null(session_index_peer(f.tables->sessions, index));
	assert_null(p->endpoint);
	assert_null(p->wheel_prev);
	assert_int_equal(f.k.staged, 0);
	assert_null(keying_instance_peer(f.instance->keying, &c.identity.public_key));
	assert_null(p->keying);
	assert_true(key_is_zero(&p->preshared_key));
	keying_peer_drop(&f.k, p); /* twice is once */
	(void)pass(20 * NS_PER_SEC); /* no timer meets it any more */
	tables_reclaim(f.tables);
}

/* Many peers in the wheel, removed in any order while it turns: each is visited in its time. */
static void the_wheel_keeps_its_peers(void **state)
{
	enum {
		PEERS = 60
	};
	static struct wg_client c[PEERS];
	static struct peer *p[PEERS];
	for (unsigned int i = 0; i < PEERS; i++) {
		p[i] = client_new(&c[i], (uint8_t)(i + 1), NULL);
		struct keying_peer kp = {.peer = p[i], .keepalive_s = (uint16_t)(1 + i % 7)};
		client_handshake(&c[i]);
		keying_session_promote(&f.k, p[i], c[i].keys.remote_index);
		keying_peer_apply(&f.k, &kp);
	}
	(void)pass(20 * NS_PER_MS);
	for (unsigned int i = 0; i < PEERS; i += 2)
		keying_peer_drop(&f.k, p[i]);
	struct passed all = pass(42 * NS_PER_SEC);
	unsigned int wanted = 0;
	for (unsigned int i = 1; i < PEERS; i += 2)
		wanted += 42 / (1 + i % 7);
	assert_in_range(all.keepalives, wanted - PEERS, wanted + PEERS); /* one more or less each */
}

static void endpoints(void **state)
{
	struct wg_client c;
	struct peer *p = client_new(&c, 1, "198.51.100.7:4500");
	struct ip_endpoint remote;
	struct ip_addr own;
	const struct endpoint *first = p->endpoint;
	unsigned int events = f.events;
	(void)pass(NS_PER_MS);
	assert_int_equal(ip_addr_parse("203.0.113.1", &own), 0);
	assert_int_equal(ip_endpoint_parse("198.51.100.7:4500", &remote), 0);
	keying_endpoint_set(&f.k, p, &remote, &own, 51820);
	assert_ptr_equal(p->endpoint, first); /* nothing new */
	assert_int_equal(f.events, events);
	remote.port = 4501;
	keying_endpoint_set(&f.k, p, &remote, &own, 51820);
	assert_int_equal(p->endpoint->remote.port, 4501);
	assert_event(KEYING_EVENT_ENDPOINT_MOVED, p);
	struct keying_peer kp = {.peer = p, .endpoint = remote};
	kp.endpoint.port = 9;
	keying_peer_apply(&f.k, &kp); /* a hint never beats what was authentic */
	assert_int_equal(p->endpoint->remote.port, 4501);
	/* the route is gone: the old way is kept until there is another */
	struct ip_prefix all, address;
	assert_int_equal(ip_prefix_parse("0.0.0.0/0", &all), 0);
	assert_int_equal(ip_prefix_parse("203.0.113.1/24", &address), 0);
	assert_int_equal(underlay_address_set(f.tables, 0, &address, 1), 0);
	underlay_sweep(f.tables, 1);
	const struct endpoint *kept = p->endpoint;
	keying_endpoint_renew(&f.k, p);
	assert_ptr_equal(p->endpoint, kept);
	struct underlay_route on_link = {.prefix = all};
	assert_int_equal(underlay_route_set(f.tables, &on_link), 0);
	keying_endpoint_renew(&f.k, p);
	assert_ptr_not_equal(p->endpoint, kept);
	const struct keying_event *e = &f.event[(f.events - 1) % FIXTURE_EVENTS];
	assert_int_equal(e->type, KEYING_EVENT_NEIGHBOUR_MISSING);
	assert_true(ip_addr_equal(&e->remote.addr, &remote.addr));
	events = f.events;
	keying_endpoint_renew(&f.k, p);
	assert_int_equal(f.events, events); /* asked once a second */
}

#define test(name) cmocka_unit_test_setup_teardown(name, fixture_start, fixture_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(three_slots),
		test(a_new_private_key_ends_all),
		test(preshared_keys),
		test(timestamps_survive_a_restart),
		test(packets_that_wait),
		test(packets_that_wait_for_a_move),
		test(all_that_waits_is_bounded),
		test(nobody_answers),
		test(keepalives),
		test(idle_keys_end),
		test(peers_expire),
		test(a_silent_peer_rests),
		test(a_dropped_peer_leaves_nothing),
		test(the_wheel_keeps_its_peers),
		test(endpoints),
	};
	return cmocka_run_group_tests(tests, fixture_start_eal, fixture_stop_eal);
}
