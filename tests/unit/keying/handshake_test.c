// SPDX-License-Identifier: Apache-2.0
/* Handshakes in both roles, and each reason for which one is refused. */
#include "dataplane/base/clock.h"
#include "dataplane/crypto/x25519.h"
#include "tests/unit/keying/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void hub_responds(void **state)
{
	struct wg_client c;
	struct peer *p = client_new(&c, 1, NULL);
	char text[IP_ENDPOINT_TEXT];
	client_handshake(&c);
	/* the client's keys are the hub's, but the hub waits for the first packet under them */
	assert_null(p->current);
	if (p->next == NULL)
		abort();
	assert_memory_equal(&p->next->keypair.receive_key, &c.keys.send_key, KEY_LEN);
	assert_memory_equal(&p->next->keypair.send_key, &c.keys.receive_key, KEY_LEN);
	assert_int_equal(p->next->confirmed, 0);
	assert_int_equal(p->next->keypair.remote_index, 77);
	assert_ptr_equal(session_lookup(f.tables->sessions, c.keys.remote_index), p->next);
	assert_string_equal(ip_endpoint_format(&p->endpoint->remote, text), "198.51.100.7:4500");
	assert_int_equal(p->endpoint->local_port, 51820);
	assert_event(KEYING_EVENT_ENDPOINT_MOVED, p);
	struct session *s = p->next;
	keying_session_promote(&f.k, p, c.keys.remote_index + 1); /* of another session */
	assert_null(p->current);
	keying_session_promote(&f.k, p, c.keys.remote_index);
	assert_ptr_equal(p->current, s);
	assert_null(p->next);
	assert_event(KEYING_EVENT_SESSION_UP, p);
	assert_int_equal(counted(COUNTER_HANDSHAKES_COMPLETED), 1);
}

static struct rte_mbuf *some_packet(void)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(f.rings.pool);
	if (m == NULL)
		abort();
	(void)rte_pktmbuf_append(m, 100);
	return m;
}

/* The client answers the hub's initiation. */
static void answer(struct wg_client *c, const struct message_handshake_initiation *i)
{
	struct noise_initiation opened;
	struct noise_handshake h;
	struct message_handshake_response r = {0};
	assert_int_equal(noise_initiation_open(&c->identity, i, &opened), 0);
	assert_true(key_equal(&opened.remote_static, &f.hub_public));
	assert_int_equal(
		noise_initiation_accept(&c->identity, &c->hub, &opened, f.k.now_ns, &h), 0);
	assert_int_equal(noise_response_create(&c->hub, &h, 88, &r), 0);
	assert_int_equal(noise_session_begin(&h, f.k.now_ns, &c->keys), 0);
	cookie_macs_add(&c->cookie, &r, sizeof(r), f.k.now_ns);
	deliver(c, &r, sizeof(r));
}

static void hub_initiates(void **state)
{
	struct wg_client c;
	struct peer *p = client_new(&c, 1, "198.51.100.7:4500");
	struct message_handshake_initiation i;
	take_message(p, &i, sizeof(i)); /* its endpoint was known before a restart */
	keying_peer_stage(&f.k, p, some_packet());
	keying_peer_stage(&f.k, p, some_packet());
	assert_int_equal(p->staged_count, 2);
	assert_nothing_injected();
	answer(&c, &i);
	if (p->current == NULL)
		abort();
	assert_memory_equal(&p->current->keypair.receive_key, &c.keys.send_key, KEY_LEN);
	assert_true(p->current->keypair.is_initiator);
	assert_int_equal(p->current->confirmed, 1);
	assert_event(KEYING_EVENT_SESSION_UP, p);
	assert_int_equal(p->staged_count, 0); /* what waited goes out, as inner packets */
	for (int n = 0; n < 2; n++) {
		struct rte_mbuf *m = take_injected();
		if (m == NULL)
			abort();
		assert_int_equal(pkt_of(m)->inject, PKT_INJECT_PEER_INNER);
		assert_int_equal(m->data_len, 100);
		assert_null(m->next);
		rte_pktmbuf_free(m);
	}
	assert_nothing_injected();
}

/* W-28: both begin at the same moment. Each response finds what it answers, and both sides end with
 * the session that the smaller public key began. */
static void w28_both_begin(void **state)
{
	struct wg_client c;
	struct message_handshake_initiation of_hub, of_client;
	struct message_handshake_response r;
	struct peer *p = client_new(&c, 1, "198.51.100.7:4500");
	take_message(p, &of_hub, sizeof(of_hub));
	client_initiation(&c, &of_client);
	deliver(&c, &of_client, sizeof(of_client));
	take_message(p, &r, sizeof(r));
	struct session *theirs = p->next;
	answer(&c, &of_hub); /* the client had its own on its way too */
	struct session *ours = p->current;
	if (ours == NULL || theirs == NULL)
		abort();
	assert_true(ours->keypair.is_initiator);
	assert_ptr_equal(p->previous, theirs);
	assert_int_equal(noise_response_consume(&c.identity, &c.hub, &r), 0);
	rte_pktmbuf_free(take_injected());
	bool theirs_wins = memcmp(p->public_key.bytes, f.hub_public.bytes, KEY_LEN) < 0;
	keying_session_promote(&f.k, p, theirs->keypair.local_index); /* they seal with it */
	assert_ptr_equal(p->current, theirs_wins ? theirs : ours);
	assert_ptr_equal(p->previous, theirs_wins ? ours : theirs);
	assert_ptr_equal(session_lookup(f.tables->sessions, ours->keypair.local_index), ours);
	assert_ptr_equal(session_lookup(f.tables->sessions, theirs->keypair.local_index), theirs);
	assert_false(p->keying->timers.on_its_way);
}

/* Without anything to send the hub proves the key by a keepalive. */
static void hub_confirms_by_a_keepalive(void **state)
{
	struct wg_client c;
	struct peer *p = client_new(&c, 1, "198.51.100.7:4500");
	struct message_handshake_initiation i;
	take_message(p, &i, sizeof(i));
	answer(&c, &i);
	struct rte_mbuf *m = take_injected();
	if (m == NULL)
		abort();
	assert_int_equal(pkt_of(m)->inject, PKT_INJECT_PEER_INNER);
	assert_int_equal(m->data_len, 0);
	rte_pktmbuf_free(m);
	assert_nothing_injected();
}

static void refused_initiations(void **state)
{
	struct wg_client c, stranger, other_hub;
	struct message_handshake_initiation good, bad;
	struct message_handshake_response r;
	struct peer *p = client_new(&c, 1, NULL);
	client_initiation(&c, &good);
	bad = good;
	bad.macs.mac1[3] ^= 1;
	deliver(&c, &bad, sizeof(bad));
	assert_int_equal(counted(COUNTER_DROP_HANDSHAKE_MAC1), 1);
	bad = good;
	bad.encrypted_static[3] ^= 1; /* MAC1 is no secret: anybody can make it right */
	cookie_macs_add(&c.cookie, &bad, sizeof(bad), f.k.now_ns);
	deliver(&c, &bad, sizeof(bad));
	assert_int_equal(counted(COUNTER_DROP_HANDSHAKE_MALFORMED), 1);
	assert_int_equal(p->last_failure, PEER_FAILURE_NONE); /* nobody knows whose it was */
	bad = good;
	bad.encrypted_timestamp[3] ^= 1;
	cookie_macs_add(&c.cookie, &bad, sizeof(bad), f.k.now_ns);
	deliver(&c, &bad, sizeof(bad));
	assert_int_equal(counted(COUNTER_DROP_HANDSHAKE_MALFORMED), 2);
	assert_null(p->endpoint); /* nothing of that moved the peer */

	deliver(&c, &good, sizeof(good));
	take_message(p, &r, sizeof(r));
	f.k.now_ns += NS_PER_SEC;
	const struct endpoint *e = p->endpoint;
	c.endpoint = "198.51.100.66:666"; /* replayed from elsewhere */
	deliver(&c, &good, sizeof(good));
	assert_int_equal(counted(COUNTER_DROP_HANDSHAKE_OLD_TIMESTAMP), 1);
	assert_int_equal(p->last_failure, PEER_FAILURE_OLD_TIMESTAMP);
	assert_event(KEYING_EVENT_HANDSHAKE_FAILED, p);
	assert_ptr_equal(p->endpoint, e);
	client_initiation(&c, &good);
	deliver(&c, &good, sizeof(good));
	take_message(p, &r, sizeof(r));
	client_initiation(&c, &good); /* at once again */
	deliver(&c, &good, sizeof(good));
	assert_int_equal(counted(COUNTER_DROP_HANDSHAKE_FLOOD), 1);
	assert_int_equal(p->last_failure, PEER_FAILURE_FLOOD);

	struct peer *gone = client_new(&stranger, 2, NULL);
	keying_peer_drop(&f.k, gone);
	client_initiation(&stranger, &good);
	deliver(&stranger, &good, sizeof(good));
	assert_int_equal(counted(COUNTER_DROP_HANDSHAKE_UNKNOWN_PEER), 1);
	struct key wrong = {{9}};
	(void)client_new(&other_hub, 3, NULL);
	noise_remote_init(
		&other_hub.hub, &wrong, &(const struct key){{0}}); /* made for another hub */
	client_initiation(&other_hub, &good);
	deliver(&other_hub, &good, sizeof(good));
	assert_int_equal(counted(COUNTER_DROP_HANDSHAKE_MALFORMED), 3);
	assert_nothing_injected();
}

static void refused_responses(void **state)
{
	struct wg_client c, other;
	struct peer *p = client_new(&c, 1, "198.51.100.7:4500");
	struct message_handshake_initiation i;
	struct message_handshake_response r = {.type = {MESSAGE_HANDSHAKE_RESPONSE}};
	take_message(p, &i, sizeof(i));
	cookie_macs_add(&c.cookie, &r, sizeof(r), f.k.now_ns);
	deliver(&c, &r, sizeof(r)); /* to nobody */
	assert_int_equal(counted(COUNTER_DROP_HANDSHAKE_RESPONSE), 1);
	memcpy(r.receiver_index, i.sender_index, sizeof(r.receiver_index));
	r.unencrypted_ephemeral[0] = 9;
	cookie_macs_add(&c.cookie, &r, sizeof(r), f.k.now_ns);
	deliver(&c, &r, sizeof(r)); /* forged */
	assert_int_equal(counted(COUNTER_DROP_HANDSHAKE_RESPONSE), 2);
	assert_null(p->current);
	(void)client_new(&other, 2, NULL);
	struct key psk = {{1}};
	noise_remote_set_preshared_key(&c.hub, &psk); /* the two disagree */
	answer(&c, &i);
	assert_int_equal(counted(COUNTER_DROP_HANDSHAKE_RESPONSE), 3);
	assert_null(p->current);
	assert_nothing_injected();
}

/* The other way round: the hub's own initiation is answered with a cookie. */
static void hub_takes_a_cookie(void **state)
{
	struct wg_client c;
	struct cookie_checker checker;
	struct ip_endpoint hub;
	struct peer *p = client_new(&c, 1, "198.51.100.7:4500");
	struct message_handshake_initiation i;
	struct message_handshake_cookie reply = {0}, bad;
	assert_int_equal(ip_endpoint_parse("203.0.113.1:51820", &hub), 0);
	cookie_checker_init(&checker, &c.identity.public_key);
	take_message(p, &i, sizeof(i));
	assert_int_equal(
		cookie_check(&checker, &i, sizeof(i), &hub, f.k.now_ns), COOKIE_MAC1_VALID);
	assert_int_equal(cookie_reply_create(&checker, &i, sizeof(i), &hub, f.k.now_ns, &reply), 0);
	bad = reply;
	bad.encrypted_cookie[0] ^= 1;
	deliver(&c, &bad, sizeof(bad));
	bad = reply;
	bad.receiver_index[0] ^= 1;
	deliver(&c, &bad, sizeof(bad));
	assert_int_equal(counted(COUNTER_DROP_COOKIE_REPLY), 2);
	deliver(&c, &reply, sizeof(reply));
	assert_int_equal(counted(COUNTER_COOKIE_REPLIES_RECEIVED), 1);
	f.k.now_ns += REKEY_TIMEOUT + REKEY_TIMEOUT_JITTER_MAX;
	keying_timer_visit(&f.k, p);
	take_message(p, &i, sizeof(i)); /* sent again, with the proof */
	assert_int_equal(
		cookie_check(&checker, &i, sizeof(i), &hub, f.k.now_ns), COOKIE_MAC2_VALID);
}

static void stale_instance(void **state)
{
	struct wg_client c;
	struct message_handshake_initiation i;
	(void)client_new(&c, 1, NULL);
	client_initiation(&c, &i);
	f.tables->instance_slot[f.instance->slot] = NULL; /* unlinked meanwhile */
	deliver(&c, &i, sizeof(i));
	f.tables->instance_slot[f.instance->slot] = f.instance;
	assert_int_equal(counted(COUNTER_DROP_INJECT_STALE), 1);
	assert_nothing_injected();
}

/* Full rings and empty pools lose messages, which clients send again; nothing else is lost. */
static void nothing_left_to_send_with(void **state)
{
	struct wg_client c;
	struct message_handshake_initiation i;
	static struct rte_mbuf *held[4096];
	unsigned int count = 0, in_ring = 0;
	struct peer *p = client_new(&c, 1, NULL);
	while (count < 4096 && (held[count] = rte_pktmbuf_alloc(f.rings.pool)) != NULL)
		count++;
	rte_pktmbuf_free(held[--count]); /* one, for what the client sends */
	client_initiation(&c, &i);
	deliver(&c, &i, sizeof(i));
	assert_int_equal(counted(COUNTER_DROP_NO_BUFFER), 1);
	while (rings_inject_put(&f.rings, 0, held[count - 1])) {
		count--;
		in_ring++;
	}
	rte_pktmbuf_free_bulk(held, count);
	f.k.now_ns += NS_PER_SEC;
	client_initiation(&c, &i);
	deliver(&c, &i, sizeof(i));
	assert_int_equal(counted(COUNTER_DROP_INJECT_FULL), 1);
	for (unsigned int n = 0; n < in_ring; n++)
		rte_pktmbuf_free(take_injected());
	assert_nothing_injected();
	client_handshake(&c);
	assert_non_null(p->next);
}

/* It is told, and the initiation that was sent before may still be answered. */
static void no_index_left_to_begin_with(void **state)
{
	struct wg_client c;
	struct message_handshake_initiation i;
	uint32_t *index = f.tables->sessions->index;
	struct peer *p = client_new(&c, 1, "198.51.100.7:4500");
	take_message(p, &i, sizeof(i));
	for (uint32_t slot = 0; slot <= SESSION_SLOT_MASK; slot++)
		index[slot] = index[slot] == 0 ? UINT32_MAX : index[slot];
	f.k.now_ns += 6 * NS_PER_SEC;
	keying_timer_visit(&f.k, p);
	assert_nothing_injected();
	assert_int_equal(counted(COUNTER_DROP_NO_BUFFER), 1);
	assert_ptr_equal(
		session_index_peer(f.tables->sessions, message_read_le32(i.sender_index)), p);
	for (uint32_t slot = 0; slot <= SESSION_SLOT_MASK; slot++)
		index[slot] = index[slot] == UINT32_MAX ? 0 : index[slot];
}

/* Two instances may know the same client; a response for the one is nothing to the other. */
static void instances_are_isolated(void **state)
{
	struct wg_client c;
	struct instance *first = f.instance, *second = NULL;
	struct instance_settings s = {
		.id.bytes = {2}, .number = 2, .wireguard_port = 51821, .mtu = 1420};
	struct message_handshake_initiation i;
	struct peer *p = client_new(&c, 1, "198.51.100.7:4500");
	take_message(p, &i, sizeof(i));
	assert_int_equal(ip_prefix_parse("10.0.0.1/16", &s.address4), 0);
	assert_int_equal(ip_prefix_parse("fd00::1/64", &s.address6), 0);
	assert_int_equal(instance_set(f.tables, &s, &second), 0);
	assert_int_equal(keying_instance_apply(&f.k, second, &f.hub_private), 0);
	f.instance = second; /* whatever arrives now came to its port */
	p->capture = PEER_CAPTURE_OUTER;
	answer(&c, &i);
	assert_int_equal(counted(COUNTER_DROP_HANDSHAKE_RESPONSE), 1);
	assert_int_equal(rte_ring_count(f.rings.host), 0);
	assert_null(p->current);
	client_initiation(&c, &i);
	deliver(&c, &i, sizeof(i)); /* the second hub has no such peer */
	assert_int_equal(counted(COUNTER_DROP_HANDSHAKE_UNKNOWN_PEER), 1);
	assert_nothing_injected();
	f.instance = first;
}

#define test(name) cmocka_unit_test_setup_teardown(name, fixture_start, fixture_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(hub_responds),
		test(hub_initiates),
		test(w28_both_begin),
		test(hub_confirms_by_a_keepalive),
		test(refused_initiations),
		test(refused_responses),
		test(hub_takes_a_cookie),
		test(stale_instance),
		test(nothing_left_to_send_with),
		test(no_index_left_to_begin_with),
		test(instances_are_isolated),
	};
	return cmocka_run_group_tests(tests, fixture_start_eal, fixture_stop_eal);
}
