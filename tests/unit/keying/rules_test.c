// SPDX-License-Identifier: Apache-2.0
/* Rules of reliability-and-security.md 1.1 and cases of 8.1 that have no other place; the ids are theirs. */
#include "dataplane/base/clock.h"
#include "tests/unit/keying/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HOUR (3600 * NS_PER_SEC)

static struct peer *known_client(struct wg_client *c)
{
	struct peer *p = client_new(c, 1, NULL);
	c->realtime_ns = clock_realtime_ns();
	client_handshake(c);
	return p;
}

/* A handshake that is to be refused. */
static void try_initiation(struct wg_client *c)
{
	struct message_handshake_initiation i;
	f.k.now_ns += NS_PER_SEC;
	client_initiation(c, &i);
	deliver(c, &i, sizeof(i));
}

static void reset_clock_of(struct wg_client *c, uint64_t realtime_ns)
{
	c->realtime_ns = realtime_ns;
	memset(c->hub.sent_timestamp, 0, sizeof(c->hub.sent_timestamp)); /* it rebooted */
}

/* W-17, B29, T-WG-12: a router without a clock is told of, with how far behind it is, and let in again. */
static void w17_clock_behind(void **state)
{
	struct wg_client c;
	struct peer *p = known_client(&c);
	reset_clock_of(&c, clock_realtime_ns() - 10 * HOUR);
	try_initiation(&c);
	assert_nothing_injected();
	assert_int_equal(p->last_failure, PEER_FAILURE_OLD_TIMESTAMP);
	assert_in_range(p->last_failure_clock_s, 36000 - 5, 36000 + 5);
	assert_event(KEYING_EVENT_HANDSHAKE_FAILED, p);
	reset_clock_of(&c, 0); /* 1970 */
	try_initiation(&c);
	assert_true(p->last_failure_clock_s > 50LL * 365 * 24 * 3600);
	keying_peer_forget_timestamp(&f.k, p);
	client_handshake(&c);
	assert_non_null(p->next);
}

/* W-18: accepted as the protocol says, and told; the way back is the reset. */
static void w18_clock_ahead(void **state)
{
	struct wg_client c;
	struct peer *p = known_client(&c);
	c.realtime_ns = clock_realtime_ns() + 23 * HOUR;
	client_handshake(&c);
	assert_int_equal(p->last_failure, PEER_FAILURE_NONE);
	c.realtime_ns = clock_realtime_ns() + 10ULL * 365 * 24 * HOUR;
	client_handshake(&c);
	assert_int_equal(p->last_failure, PEER_FAILURE_CLOCK_AHEAD);
	assert_in_range(
		-p->last_failure_clock_s, 10LL * 365 * 24 * 3600 - 5, 10LL * 365 * 24 * 3600 + 5);
	reset_clock_of(&c, clock_realtime_ns()); /* somebody set it right */
	try_initiation(&c);
	assert_int_equal(p->last_failure, PEER_FAILURE_OLD_TIMESTAMP);
	keying_peer_forget_timestamp(&f.k, p);
	client_handshake(&c);
	struct keying_peer_status status;
	keying_peer_status(&f.k, p, &status);
	assert_memory_equal(status.timestamp, c.hub.sent_timestamp, sizeof(status.timestamp));
}

/* Also one that no clock has: nothing overflows. */
static void timestamps_of_any_bytes(void **state)
{
	static const uint8_t ones[NOISE_TIMESTAMP_LEN] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff},
			     top[NOISE_TIMESTAMP_LEN] = {0x80},
			     epoch[NOISE_TIMESTAMP_LEN] = {0x40, 0, 0, 0, 0, 0, 0, 0x0a};
	assert_true(noise_timestamp_seconds(epoch) == 0);
	assert_true(noise_timestamp_seconds(ones) == (int64_t)0xbffffffffffffff5);
	struct wg_client c;
	struct message_handshake_initiation i;
	struct message_handshake_response r;
	struct peer *p = known_client(&c);
	memcpy(c.hub.sent_timestamp, top, sizeof(top)); /* the next one is greater */
	f.k.now_ns += NS_PER_SEC;
	client_initiation(&c, &i);
	deliver(&c, &i, sizeof(i));
	take_message(p, &r, sizeof(r));
	f.k.now_ns += NS_PER_SEC; /* and it goes on from there */
	client_initiation(&c, &i);
	deliver(&c, &i, sizeof(i));
	take_message(p, &r, sizeof(r));
}

/* W-15: our own public key is nobody's, even if it was configured as a peer's. */
static void w15_own_key(void **state)
{
	struct wg_client c;
	(void)client_new(&c, 1, NULL);
	struct key own = f.hub_private;
	assert_int_equal(noise_identity_init(&c.identity, &own), 0);
	struct peer_settings s = {.id.bytes = {9},
		.instance = f.instance,
		.type = PEER_TYPE_SITE,
		.public_key = f.hub_public,
		.allowed_any = true};
	struct peer *p = NULL;
	bool created;
	assert_int_equal(peer_set(f.tables, &s, &p, &created), 0);
	struct keying_peer kp = {.peer = p};
	keying_peer_apply(&f.k, &kp);
	try_initiation(&c);
	assert_int_equal(counted(COUNTER_DROP_HANDSHAKE_UNKNOWN_PEER), 1);
	assert_null(p->keying);
	assert_nothing_injected();
}

/* W-19: one accepted initiation in 20 ms. */
static void w19_flood_gate(void **state)
{
	struct wg_client c;
	struct message_handshake_initiation i;
	struct message_handshake_response r;
	struct peer *p = known_client(&c);
	client_initiation(&c, &i);
	f.k.now_ns += 20 * NS_PER_MS - 1;
	deliver(&c, &i, sizeof(i));
	assert_int_equal(counted(COUNTER_DROP_HANDSHAKE_FLOOD), 1);
	f.k.now_ns += 1;
	deliver(&c, &i, sizeof(i));
	take_message(p, &r, sizeof(r));
}

/* W-24, B8: a cookie reply never moves a peer, and there is one for each MAC1. */
static void w24_cookie_replies(void **state)
{
	struct wg_client c;
	struct cookie_checker checker;
	struct ip_endpoint hub;
	struct message_handshake_initiation i;
	struct message_handshake_cookie reply = {0};
	struct peer *p = client_new(&c, 1, "198.51.100.7:4500");
	const struct endpoint *e = p->endpoint;
	assert_int_equal(ip_endpoint_parse("203.0.113.1:51820", &hub), 0);
	cookie_checker_init(&checker, &c.identity.public_key);
	take_message(p, &i, sizeof(i));
	assert_int_equal(cookie_reply_create(&checker, &i, sizeof(i), &hub, f.k.now_ns, &reply), 0);
	c.endpoint = "198.51.100.66:666";
	deliver(&c, &reply, sizeof(reply));
	assert_int_equal(counted(COUNTER_COOKIE_REPLIES_RECEIVED), 1);
	deliver(&c, &reply, sizeof(reply));
	assert_int_equal(counted(COUNTER_DROP_COOKIE_REPLY), 1);
	assert_ptr_equal(p->endpoint, e);
}

static void respond_to(struct wg_client *c, const struct message_handshake_initiation *i,
	struct message_handshake_response *ret)
{
	struct noise_initiation opened;
	struct noise_handshake h;
	assert_int_equal(noise_initiation_open(&c->identity, i, &opened), 0);
	assert_int_equal(
		noise_initiation_accept(&c->identity, &c->hub, &opened, f.k.now_ns, &h), 0);
	assert_int_equal(noise_response_create(&c->hub, &h, 88, ret), 0);
	cookie_macs_add(&c->cookie, ret, sizeof(*ret), f.k.now_ns);
}

/* W-26, W-27: a response is good once, and only for the last initiation. */
static void w26_w27_old_responses(void **state)
{
	struct wg_client c;
	struct message_handshake_initiation i;
	struct message_handshake_response first, second;
	struct peer *p = client_new(&c, 1, "198.51.100.7:4500");
	take_message(p, &i, sizeof(i));
	respond_to(&c, &i, &first);
	f.k.now_ns += REKEY_TIMEOUT + REKEY_TIMEOUT_JITTER_MAX;
	keying_timer_visit(&f.k, p);
	take_message(p, &i, sizeof(i)); /* the first response was too slow */
	deliver(&c, &first, sizeof(first));
	assert_int_equal(counted(COUNTER_DROP_HANDSHAKE_RESPONSE), 1);
	assert_null(p->current);
	respond_to(&c, &i, &second);
	deliver(&c, &second, sizeof(second));
	struct session *s = p->current;
	assert_non_null(s);
	deliver(&c, &second, sizeof(second));
	assert_int_equal(counted(COUNTER_DROP_HANDSHAKE_RESPONSE), 2);
	assert_ptr_equal(p->current, s);
	rte_pktmbuf_free(take_injected()); /* the keepalive that confirms */
}

static void ask(struct peer *p)
{
	struct keying_message m = {.type = KEYING_WANT_KEY, .peer = peer_handle(p)};
	p->wants_key = 1; /* as the worker does */
	assert_true(rings_keying_put(&f.rings, &m));
	(void)keying_round(&f.k);
}

/* A worker asks once: until there is a key, none, or none to be had. */
static void a_key_is_asked_for_once(void **state)
{
	struct wg_client c;
	struct message_handshake_initiation i;
	struct message_handshake_response r;
	struct peer *p = client_new(&c, 1, "198.51.100.7:4500");
	take_message(p, &i, sizeof(i));
	respond_to(&c, &i, &r);
	deliver(&c, &r, sizeof(r));
	rte_pktmbuf_free(take_injected());
	ask(p); /* it crossed with the new key */
	assert_int_equal(p->wants_key, 0);
	assert_nothing_injected();
	f.k.now_ns += REKEY_AFTER_TIME;
	ask(p);
	take_message(p, &i, sizeof(i));
	assert_int_equal(p->wants_key, 1); /* it is on its way */
	respond_to(&c, &i, &r);
	deliver(&c, &r, sizeof(r));
	rte_pktmbuf_free(take_injected());
	assert_int_equal(p->wants_key, 0);
	f.k.now_ns += REKEY_AFTER_TIME;
	ask(p);
	for (unsigned int n = 0; n < 100 * 50; n++) { /* nobody answers */
		assert_int_equal(p->wants_key, p->last_failure == PEER_FAILURE_NONE);
		rte_pktmbuf_free(take_injected());
		f.k.now_ns += 20 * NS_PER_MS;
		(void)keying_round(&f.k);
	}
	assert_int_equal(p->last_failure, PEER_FAILURE_NO_RESPONSE);
	assert_int_equal(p->wants_key, 0);
}

/* B25: nothing is kept of a handshake that came to nothing, not even its index. */
static void b25_given_up_leaves_nothing(void **state)
{
	struct wg_client c;
	struct message_handshake_initiation i = {0};
	struct peer *p = client_new(&c, 1, "198.51.100.7:4500");
	take_message(p, &i, sizeof(i));
	for (unsigned int n = 0; n < 120 * 50; n++) {
		struct rte_mbuf *m = take_injected();
		if (m != NULL)
			memcpy(&i, rte_pktmbuf_mtod(m, const uint8_t *), sizeof(i));
		rte_pktmbuf_free(m);
		f.k.now_ns += 20 * NS_PER_MS;
		(void)keying_round(&f.k);
	}
	assert_int_equal(p->last_failure, PEER_FAILURE_NO_RESPONSE);
	assert_null(p->keying);
	assert_null(session_index_peer(f.tables->sessions, message_read_le32(i.sender_index)));
}

/* Our own timestamps grow over a rest, and when our clock went back. */
static void sent_timestamps_grow(void **state)
{
	struct wg_client c;
	struct message_handshake_initiation i = {0};
	struct message_handshake_response r;
	struct peer *p = client_new(&c, 1, "198.51.100.7:4500");
	take_message(p, &i, sizeof(i));
	respond_to(&c, &i, &r);
	keying_peer_rest(&f.k, p);
	p->sent_timestamp[6] = 0xff; /* decades from now: our clock was wrong then */
	memcpy(c.hub.latest_timestamp, p->sent_timestamp, sizeof(p->sent_timestamp));
	f.k.now_ns += REKEY_TIMEOUT;
	keying_peer_want_handshake(&f.k, p);
	keying_timer_visit(&f.k, p);
	take_message(p, &i, sizeof(i));
	respond_to(&c, &i, &r); /* the client takes it */
}

/* Also when it went back while the dataplane was away: the node knows how late it has been. */
static void sent_timestamps_survive_a_restart(void **state)
{
	struct wg_client c;
	struct message_handshake_initiation i = {0};
	struct message_handshake_response r;
	struct peer *p = client_new(&c, 1, NULL);
	struct keying_peer kp = {.peer = p, .called_s = 4000000000};
	noise_timestamp_of_second(kp.called_s, c.hub.latest_timestamp);
	assert_int_equal(ip_endpoint_parse("198.51.100.7:4500", &kp.endpoint), 0);
	keying_peer_apply(&f.k, &kp);
	keying_peer_want_handshake(&f.k, p);
	keying_timer_visit(&f.k, p);
	take_message(p, &i, sizeof(i));
	respond_to(&c, &i, &r); /* the client takes it */
	kp.called_s = 3000000000; /* less than it knows */
	keying_peer_apply(&f.k, &kp);
	f.k.now_ns += REKEY_TIMEOUT + REKEY_TIMEOUT_JITTER_MAX;
	keying_timer_visit(&f.k, p);
	take_message(p, &i, sizeof(i));
	respond_to(&c, &i, &r);
}

/* B19, T-WG-17: an instance that is gone says nothing and keeps nothing. */
static void b19_a_deleted_instance_is_silent(void **state)
{
	struct wg_client c;
	struct peer *p = client_new(&c, 1, NULL);
	struct keying_peer kp = {.peer = p, .keepalive_s = 5};
	client_handshake(&c);
	keying_session_promote(&f.k, p, c.keys.remote_index);
	keying_peer_apply(&f.k, &kp);
	instance_unlink(f.tables, f.instance);
	keying_peer_drop(&f.k, p);
	keying_instance_drop(&f.k, f.instance);
	assert_null(session_lookup(f.tables->sessions, c.keys.remote_index));
	try_initiation(&c);
	assert_int_equal(counted(COUNTER_DROP_INJECT_STALE), 1);
	for (unsigned int n = 0; n < 600; n++) {
		f.k.now_ns += NS_PER_SEC;
		(void)keying_round(&f.k);
	}
	assert_nothing_injected();
	tables_reclaim(f.tables);
}

#define test(name) cmocka_unit_test_setup_teardown(name, fixture_start, fixture_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(w17_clock_behind),
		test(w18_clock_ahead),
		test(timestamps_of_any_bytes),
		test(w15_own_key),
		test(w19_flood_gate),
		test(w24_cookie_replies),
		test(w26_w27_old_responses),
		test(a_key_is_asked_for_once),
		test(b25_given_up_leaves_nothing),
		test(sent_timestamps_grow),
		test(sent_timestamps_survive_a_restart),
		test(b19_a_deleted_instance_is_silent),
	};
	return cmocka_run_group_tests(tests, fixture_start_eal, fixture_stop_eal);
}
