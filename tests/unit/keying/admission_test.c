// SPDX-License-Identifier: Apache-2.0
/*
 * Under load: when an instance is, for how long, and who still gets in. The ids are of
 * reliability-and-security.md 1.2 and 8.1.
 */
#include "dataplane/base/clock.h"
#include "dataplane/crypto/x25519.h"
#include "tests/unit/keying/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <rte_ip.h>
#include <rte_ring.h>

#define LATE (6 * NS_PER_MS)

static struct keying_instance *instance(void)
{
	return f.instance->keying;
}

/* Strangers' tokens and cookies' tokens are gone for a while. */
static void use_up(struct bucket *b)
{
	b->taken_to_ns = f.k.now_ns + 10 * NS_PER_SEC;
}

static void take_cookie(struct wg_client *c)
{
	struct message_handshake_cookie reply;
	struct rte_mbuf *m = take_injected();
	if (m == NULL)
		abort();
	assert_int_equal(pkt_of(m)->inject, PKT_INJECT_TX);
	assert_int_equal(m->data_len, FIXTURE_OUTER + sizeof(reply));
	memcpy(&reply, rte_pktmbuf_mtod_offset(m, uint8_t *, FIXTURE_OUTER), sizeof(reply));
	rte_pktmbuf_free(m);
	assert_true(cookie_reply_consume(&c->cookie, &reply, f.k.now_ns));
	assert_nothing_injected();
}

static void send_initiation(struct wg_client *c)
{
	struct message_handshake_initiation i;
	f.k.now_ns += 50 * NS_PER_MS; /* past the flood gate, within the second */
	client_initiation(c, &i);
	deliver(c, &i, sizeof(i));
}

static void take_response(const struct peer *p)
{
	struct message_handshake_response r;
	take_message(p, &r, sizeof(r));
}

/* 5 ms in the ring are load, not one more in it; it holds for a second; depth is load too. */
static void load_is_queue_delay(void **state)
{
	struct keying_message m = {.queued_us = keying_message_time(f.k.now_ns - 5 * NS_PER_MS)};
	assert_false(keying_is_under_load(&f.k, instance(), &m));
	m.queued_us = keying_message_time(f.k.now_ns + NS_PER_MS); /* younger than the round */
	assert_false(keying_is_under_load(&f.k, instance(), &m));
	m.queued_us = keying_message_time(f.k.now_ns - 5 * NS_PER_MS - 1000);
	assert_true(keying_is_under_load(&f.k, instance(), &m));
	m.queued_us = keying_message_time(f.k.now_ns);
	f.k.now_ns += NS_PER_SEC - 1;
	m.queued_us = keying_message_time(f.k.now_ns);
	assert_true(keying_is_under_load(&f.k, instance(), &m));
	f.k.now_ns += 1;
	assert_false(keying_is_under_load(&f.k, instance(), &m));
	struct keying_message filler = {.type = KEYING_PROMOTE};
	for (int n = 0; n < 511; n++)
		assert_true(rings_keying_put(&f.rings, &filler));
	assert_false(keying_is_under_load(&f.k, instance(), &m));
	assert_true(rings_keying_put(&f.rings, &filler));
	assert_true(keying_is_under_load(&f.k, instance(), &m));
}

/* W-20, T-AMP-1: without a cookie, and with the strangers' share used up: 64 bytes, no DH, no state. */
static void w20_a_stranger_gets_a_cookie(void **state)
{
	struct wg_client c;
	struct peer *p = client_new(&c, 1, NULL);
	struct message_handshake_initiation i;
	f.queue_delay_ns = LATE;
	use_up(&instance()->strangers);
	client_initiation(&c, &i);
	deliver(&c, &i, sizeof(i));
	assert_int_equal(counted(COUNTER_DROP_HANDSHAKE_UNDER_LOAD), 1);
	assert_int_equal(counted(COUNTER_COOKIE_REPLIES_SENT), 1);
	assert_int_equal(counted(COUNTER_HANDSHAKE_INITIATIONS_RECEIVED), 0);
	assert_null(p->endpoint);
	assert_null(p->next);
	struct message_handshake_cookie reply;
	struct rte_mbuf *m = take_injected();
	if (m == NULL)
		abort();
	static const uint8_t addresses[12] = {
		203, 0, 113, 1, 198, 51, 100, 7, 0xca, 0x6c, 0x11, 0x94};
	uint8_t *frame = rte_pktmbuf_mtod(m, uint8_t *);
	assert_int_equal(pkt_of(m)->inject, PKT_INJECT_TX);
	assert_int_equal(m->data_len, FIXTURE_OUTER + 64);
	assert_memory_equal(frame, "\x02\x09\x00\x00\x00\x00\x02\x01\x00\x00\x00\x00", 12);
	assert_memory_equal(frame + 26, addresses, sizeof(addresses));
	assert_int_equal(frame[16] << 8 | frame[17], 92);
	assert_int_equal(frame[38] << 8 | frame[39], 72);
	assert_int_equal(rte_raw_cksum(frame + 14, 20), 0xffff);
	memcpy(&reply, frame + FIXTURE_OUTER, sizeof(reply));
	rte_pktmbuf_free(m);
	assert_int_equal(message_read_le32(reply.receiver_index), 77);
	assert_true(cookie_reply_consume(&c.cookie, &reply, f.k.now_ns));
	/* W-21, B7: the cookie is good from there only */
	client_initiation(&c, &i);
	c.endpoint = "198.51.100.7:4501";
	deliver(&c, &i, sizeof(i));
	assert_int_equal(counted(COUNTER_DROP_HANDSHAKE_UNDER_LOAD), 2);
	rte_pktmbuf_free(take_injected());
	c.endpoint = "198.51.100.7:4500";
	deliver(&c, &i, sizeof(i));
	take_response(p);
}

/* W-23: not under load a MAC2 is not even looked at. */
static void w23_garbage_mac2_without_load(void **state)
{
	struct wg_client c;
	struct peer *p = client_new(&c, 1, NULL);
	struct message_handshake_initiation i;
	client_initiation(&c, &i);
	memset(i.macs.mac2, 0x5a, sizeof(i.macs.mac2));
	deliver(&c, &i, sizeof(i));
	take_response(p);
}

/* W-22: a cookie of a secret that is gone is none. */
static void w22_an_old_cookie_is_none(void **state)
{
	struct wg_client c;
	struct peer *p = client_new(&c, 1, NULL);
	f.queue_delay_ns = LATE;
	use_up(&instance()->strangers);
	send_initiation(&c);
	take_cookie(&c);
	send_initiation(&c);
	take_response(p);
	keying_endpoint_drop(&f.k, p); /* else it would be known */
	f.k.now_ns += COOKIE_SECRET_MAX_AGE;
	c.cookie.cookie_birth_ns = f.k.now_ns; /* the client goes on using it */
	use_up(&instance()->strangers);
	send_initiation(&c);
	take_cookie(&c);
	send_initiation(&c);
	take_response(p);
}

/* A response costs two Diffie-Hellman: it needs a cookie as an initiation does. */
static void responses_need_a_cookie_too(void **state)
{
	struct wg_client c;
	struct message_handshake_initiation i;
	struct message_handshake_response r;
	struct noise_initiation opened;
	struct noise_handshake h;
	struct peer *p = client_new(&c, 1, "198.51.100.7:4500");
	take_message(p, &i, sizeof(i));
	assert_int_equal(noise_initiation_open(&c.identity, &i, &opened), 0);
	assert_int_equal(noise_initiation_accept(&c.identity, &c.hub, &opened, f.k.now_ns, &h), 0);
	assert_int_equal(noise_response_create(&c.hub, &h, 88, &r), 0);
	cookie_macs_add(&c.cookie, &r, sizeof(r), f.k.now_ns);
	f.queue_delay_ns = LATE;
	use_up(&instance()->strangers);
	c.endpoint = "198.51.100.9:4500"; /* not where the hub sent it */
	deliver(&c, &r, sizeof(r));
	assert_int_equal(counted(COUNTER_HANDSHAKE_RESPONSES_RECEIVED), 0);
	take_cookie(&c);
	cookie_macs_add(&c.cookie, &r, sizeof(r), f.k.now_ns);
	deliver(&c, &r, sizeof(r));
	assert_non_null(p->current);
	rte_pktmbuf_free(take_injected());
}

/* B32, T-WG-15: whoever has a peer's endpoint needs no cookie, while all else is used up. */
static void known_endpoints_have_their_lane(void **state)
{
	struct wg_client c;
	struct peer *p = client_new(&c, 1, NULL);
	client_handshake(&c);
	f.queue_delay_ns = LATE;
	use_up(&instance()->strangers);
	use_up(&f.k.admission.cookie);
	use_up(&f.k.admission.replies);
	send_initiation(&c);
	take_response(p);
	c.endpoint = "198.51.100.8:4500";
	send_initiation(&c);
	assert_int_equal(counted(COUNTER_DROP_HANDSHAKE_UNDER_LOAD), 1);
	c.endpoint = "198.51.100.7:4500";
	use_up(&f.k.admission.known); /* somebody forges that endpoint: then a cookie helps */
	f.k.admission.replies = f.k.admission.cookie = (struct bucket){0};
	send_initiation(&c);
	take_cookie(&c);
	send_initiation(&c);
	take_response(p);
	/* it is known where the peer is now, not where it was */
	c.endpoint = "198.51.100.8:4500";
	f.k.admission.known = (struct bucket){0};
	keying_peer_drop(&f.k, p);
	struct ip_endpoint old;
	assert_int_equal(ip_endpoint_parse("198.51.100.7:4500", &old), 0);
	assert_false(keying_endpoint_is_known(instance(), &old));
}

/* After a valid MAC2: 20 a second, 5 at once, for one source (section 1.1). */
static void one_source_has_its_share(void **state)
{
	struct wg_client c;
	struct ip_endpoint from, neighbour;
	(void)client_new(&c, 1, NULL);
	assert_int_equal(ip_endpoint_parse("198.51.100.7:1", &from), 0);
	assert_int_equal(ip_endpoint_parse("198.51.100.8:1", &neighbour), 0);
	for (unsigned int n = 0; n < RATELIMITER_BURST; n++)
		assert_int_equal(keying_admit(&f.k, instance(), &from, true), KEYING_ADMIT);
	assert_int_equal(keying_admit(&f.k, instance(), &from, true), KEYING_REFUSE);
	assert_int_equal(keying_admit(&f.k, instance(), &neighbour, true), KEYING_ADMIT);
}

/* Half of the handshakes of a core, a quarter, and a quarter; cookies have a cap of their own. */
static void lanes_have_their_rates(void **state)
{
	struct ip_endpoint from;
	unsigned int with_cookie = 0, strangers = 0, cookies = 0;
	assert_int_equal(ip_endpoint_parse("10.0.0.0:1", &from), 0);
	for (unsigned int n = 0; n < 100000; n++) { /* a second of a flood */
		from.addr.bytes[14] = (uint8_t)(n >> 8);
		from.addr.bytes[15] = (uint8_t)n;
		f.k.now_ns += 10000;
		with_cookie += keying_admit(&f.k, instance(), &from, true) == KEYING_ADMIT;
		enum keying_verdict v = keying_admit(&f.k, instance(), &from, false);
		strangers += v == KEYING_ADMIT;
		cookies += v == KEYING_SEND_COOKIE;
	}
	assert_in_range(with_cookie, 1990, 2070);
	assert_in_range(strangers, 990, 1010);
	assert_in_range(cookies, 9900, 10260);
}

/* B5, B22, T-WG-16: a flood at one instance leaves clients of the other without need of cookies. */
static void instances_do_not_share_a_flood(void **state)
{
	struct instance *second = NULL;
	struct instance_settings s = {
		.id.bytes = {2}, .number = 2, .wireguard_port = 51821, .mtu = 1420};
	struct ip_endpoint from;
	assert_int_equal(ip_prefix_parse("10.0.0.1/16", &s.address4), 0);
	assert_int_equal(ip_prefix_parse("fd00::1/64", &s.address6), 0);
	assert_int_equal(instance_set(f.tables, &s, &second), 0);
	assert_int_equal(keying_instance_apply(&f.k, second, &f.hub_private), 0);
	struct keying_instance *other = second->keying;
	assert_int_equal(ip_endpoint_parse("198.51.100.7:1", &from), 0);
	struct keying_message late = {.queued_us = keying_message_time(f.k.now_ns - LATE)};
	assert_true(keying_is_under_load(&f.k, instance(), &late));
	struct keying_message prompt = {.queued_us = keying_message_time(f.k.now_ns)};
	assert_false(keying_is_under_load(&f.k, other, &prompt)); /* it is no global state */
	unsigned int admitted = 0;
	for (unsigned int n = 0; n < 20000; n++) {
		f.k.now_ns += 100000;
		late.queued_us = keying_message_time(f.k.now_ns - LATE);
		(void)keying_is_under_load(&f.k, instance(), &late);
		(void)keying_admit(&f.k, instance(), &from, false);
		if (n % 5000 != 0)
			continue;
		/* even when it waits in the same queue */
		assert_true(keying_is_under_load(&f.k, other, &late));
		assert_int_equal(keying_admit(&f.k, other, &from, false), KEYING_ADMIT);
		admitted++;
	}
	assert_int_equal(admitted, 4);
}

#define test(name) cmocka_unit_test_setup_teardown(name, fixture_start, fixture_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(load_is_queue_delay),
		test(w20_a_stranger_gets_a_cookie),
		test(w23_garbage_mac2_without_load),
		test(w22_an_old_cookie_is_none),
		test(responses_need_a_cookie_too),
		test(known_endpoints_have_their_lane),
		test(one_source_has_its_share),
		test(lanes_have_their_rates),
		test(instances_do_not_share_a_flood),
	};
	return cmocka_run_group_tests(tests, fixture_start_eal, fixture_stop_eal);
}
