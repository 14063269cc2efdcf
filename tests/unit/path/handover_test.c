// SPDX-License-Identifier: Apache-2.0
/* Where the path meets other threads: keying, host I/O, the port; and what it does when one of
 * them is full or something is missing. */
#include "dataplane/table/instance.h"
#include "dataplane/table/peer.h"
#include "dataplane/table/session.h"
#include "dataplane/table/underlay.h"
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

/* A frame as of peer 0, with these bytes for a message. */
static struct rte_mbuf *frame_of_message(const uint8_t *message, uint16_t len)
{
	uint8_t frame[OUTER + 256];
	struct rte_mbuf *m = good_frame();
	memcpy(frame, byte_of(m, 0), OUTER);
	rte_pktmbuf_free(m);
	memcpy(frame + OUTER, message, len);
	frame[16] = 0;
	frame[17] = (uint8_t)(28 + len);
	frame[38] = 0;
	frame[39] = (uint8_t)(8 + len);
	fix_inner_checksum(frame + 14);
	return packet_of(frame, (uint16_t)(OUTER + len));
}

static void handshakes_go_to_keying(void **state)
{
	static const struct {
		uint8_t type;
		uint16_t len;
	} kinds[] = {{1, 148}, {2, 92}, {3, 64}};
	struct rte_mbuf *sent;
	struct keying_message m;
	struct ip_endpoint from;
	assert_int_equal(ip_endpoint_parse("198.51.100.1:10000", &from), 0);
	for (unsigned int i = 0; i < 3; i++) {
		uint8_t message[160] = {kinds[i].type};
		assert_int_equal(path_take(frame_of_message(message, kinds[i].len), &sent), 0);
		take_from_keying(&m);
		assert_int_equal(m.type, KEYING_HANDSHAKE);
		assert_non_null(m.mbuf);
		assert_true(ip_addr_equal(&m.remote, &from.addr));
		assert_int_equal(m.remote_port, from.port);
		assert_int_equal(m.local_port, 51820);
		for (int change = -1; change <= 1; change += 2)
			assert_dropped(frame_of_message(message, (uint16_t)(kinds[i].len + change)),
				COUNTER_DROP_WG_LENGTH);
	}
	uint8_t data[40] = {MESSAGE_DATA};
	assert_dropped(frame_of_message(data, 31), COUNTER_DROP_WG_LENGTH);
	assert_dropped(frame_of_message(data, 3), COUNTER_DROP_WG_LENGTH);
	assert_dropped(frame_of_message(data, 0), COUNTER_DROP_WG_LENGTH);
	assert_dropped(frame_of_message(data, 32), COUNTER_DROP_WG_UNKNOWN_INDEX);
	data[0] = 0;
	assert_dropped(frame_of_message(data, 32), COUNTER_DROP_WG_TYPE);
}

static void fill_keying(void)
{
	struct keying_message m = {.type = KEYING_PROMOTE};
	while (rings_keying_put(&hub.rings, &m))
		continue;
}

/* When keying does not keep up, handshakes are lost, and data still flows. */
static void keying_is_full(void **state)
{
	uint8_t message[148] = {1};
	struct rte_mbuf *sent;
	struct session *s = hub.peer[1]->current;
	fill_keying();
	assert_dropped(frame_of_message(message, 148), COUNTER_DROP_KEYING_FULL);
	s->confirmed = 0;
	assert_int_equal(path_take(good_frame(), &sent), 1);
	rte_pktmbuf_free(sent);
	hub.peer[1]->current = NULL; /* and no key for the packet */
	assert_dropped(good_frame(), COUNTER_DROP_KEYING_FULL);
	hub.peer[1]->current = s;
	s->confirmed = 1;
	drop_all_from_keying();
}

static void without_a_key(void **state)
{
	struct session *s = hub.peer[1]->current;
	struct rte_mbuf *sent;
	struct keying_message m;
	uint64_t birth = s->keypair.birth_ns;
	hub.peer[1]->current = NULL;
	assert_int_equal(path_take(good_frame(), &sent), 0);
	take_from_keying(&m);
	assert_int_equal(m.type, KEYING_WANT_KEY);
	assert_true(m.peer == peer_handle(hub.peer[1]));
	assert_non_null(m.mbuf); /* keying keeps the packet */
	hub.peer[1]->current = s;
	s->keypair.birth_ns = birth - REJECT_AFTER_TIME;
	assert_int_equal(path_take(good_frame(), &sent), 0);
	take_from_keying(&m);
	assert_non_null(m.mbuf);
	s->keypair.birth_ns = birth;
	s->keypair.send_counter = REJECT_AFTER_MESSAGES; /* a nonce is never used again */
	assert_int_equal(path_take(good_frame(), &sent), 0);
	take_from_keying(&m);
	assert_int_equal(m.type, KEYING_WANT_KEY);
	assert_non_null(m.mbuf);
	s->keypair.send_counter = 0;
}

static void assert_asked_once(struct peer *p)
{
	struct rte_mbuf *sent;
	struct keying_message m;
	assert_int_equal(path_take(good_frame(), &sent), 1);
	rte_pktmbuf_free(sent);
	take_from_keying(&m);
	assert_int_equal(m.type, KEYING_WANT_KEY);
	assert_true(m.peer == peer_handle(p));
	assert_null(m.mbuf);
	assert_int_equal(path_take(good_frame(), &sent), 1);
	rte_pktmbuf_free(sent);
	assert_nothing_for_keying();
	p->wants_key = 0;
}

/* In time for the next key, while this one still serves. */
static void keys_are_renewed(void **state)
{
	struct session *to = hub.peer[1]->current, *from = hub.peer[0]->current;
	uint64_t birth = to->keypair.birth_ns;
	to->keypair.send_counter = REKEY_AFTER_MESSAGES;
	assert_asked_once(hub.peer[1]);
	to->keypair.send_counter = 0;
	to->keypair.is_initiator = true;
	to->keypair.birth_ns = birth - REKEY_AFTER_TIME;
	assert_asked_once(hub.peer[1]);
	to->keypair.birth_ns = birth;
	to->keypair.is_initiator = false;
	from->keypair.is_initiator = true;
	from->keypair.birth_ns = birth - REJECT_AFTER_TIME + KEEPALIVE_TIMEOUT;
	assert_asked_once(hub.peer[0]); /* what comes shows it too */
	from->keypair.birth_ns = birth;
	from->keypair.is_initiator = false;
}

static void first_packet_confirms(void **state)
{
	struct session *s = hub.peer[0]->current;
	struct rte_mbuf *sent;
	struct keying_message m;
	s->confirmed = 0;
	struct rte_mbuf *bad = good_frame();
	*byte_of(bad, (uint16_t)(bad->data_len - 1)) ^= 1;
	assert_dropped(bad, COUNTER_DROP_WG_AUTH);
	assert_nothing_for_keying();
	assert_int_equal(path_take(good_frame(), &sent), 1);
	rte_pktmbuf_free(sent);
	take_from_keying(&m);
	assert_int_equal(m.type, KEYING_PROMOTE);
	assert_int_equal(m.index, s->keypair.local_index);
	assert_int_equal(s->confirmed, 1);
}

/* Only an authentic packet moves the endpoint; its source is the new one. */
static void roaming(void **state)
{
	struct rte_mbuf *sent, *m = good_frame();
	struct keying_message message;
	*byte_of(m, 35) ^= 1; /* another port */
	*byte_of(m, OUTER + DATA) ^= 1;
	assert_dropped(m, COUNTER_DROP_WG_AUTH);
	assert_nothing_for_keying();
	m = good_frame();
	*byte_of(m, 35) ^= 1;
	struct rte_mbuf *again = rte_pktmbuf_copy(m, hub.rings.pool, 0, UINT32_MAX);
	assert_int_equal(path_take(m, &sent), 1);
	rte_pktmbuf_free(sent);
	take_from_keying(&message);
	assert_int_equal(message.type, KEYING_ROAM);
	assert_int_equal(message.remote_port, 10000 ^ 1);
	hub.peer[0]->roaming = 0;
	assert_dropped(again, COUNTER_DROP_WG_REPLAY); /* nor does a replayed one */
	assert_nothing_for_keying();
}

/* What is to be sealed for a peer that moves goes behind the news of it; without room there, as before. */
static void replies_follow_the_peer(void **state)
{
	struct rte_mbuf *sent;
	struct keying_message m;
	uint8_t inner[SIZE];
	make_inner4(inner, SIZE, 1, 0);
	struct rte_mbuf *both[2] = {frame_from(1, inner, SIZE), good_frame()};
	*byte_of(both[0], 35) ^= 1; /* peer 1 has another port now, and peer 0 sends to it */
	memory_hub_run(&hub, both, 2);
	assert_int_equal(memory_hub_sent(&hub, &sent, 1), 1);
	rte_pktmbuf_free(sent);
	assert_true(rings_keying_get(&hub.rings, &m));
	assert_int_equal(m.type, KEYING_ROAM);
	take_from_keying(&m);
	assert_int_equal(m.type, KEYING_WANT_KEY);
	assert_true(m.peer == peer_handle(hub.peer[1]));
	assert_non_null(m.mbuf);
	fill_keying();
	assert_int_equal(path_take(good_frame(), &sent), 1);
	rte_pktmbuf_free(sent);
	drop_all_from_keying();
	hub.peer[1]->roaming = 0;
}

static void counters_that_no_packet_may_have(void **state)
{
	struct rte_mbuf *m = good_frame();
	memset(byte_of(m, OUTER + 8), 0xff, 8);
	assert_dropped(m, COUNTER_DROP_WG_REPLAY); /* without any cryptography */
	m = good_frame();
	*byte_of(m, OUTER + 8) ^= 1; /* another nonce than it was sealed with */
	assert_dropped(m, COUNTER_DROP_WG_AUTH);
}

/* A session belongs to its instance: at another's port nobody knows it. */
static void instances_are_isolated(void **state)
{
	struct instance_settings s = {
		.id.bytes = {2}, .number = 2, .wireguard_port = 51821, .mtu = 1420};
	struct instance *other = NULL;
	assert_int_equal(ip_prefix_parse("10.0.0.1/8", &s.address4), 0);
	assert_int_equal(ip_prefix_parse("fd00::1/64", &s.address6), 0);
	assert_int_equal(instance_set(hub.tables, &s, &other), 0);
	struct rte_mbuf *m = good_frame();
	*byte_of(m, 37) = (uint8_t)51821;
	assert_dropped(m, COUNTER_DROP_WG_UNKNOWN_INDEX);
	instance_unlink(hub.tables, other);
	m = good_frame();
	*byte_of(m, 37) = (uint8_t)51821;
	struct rte_mbuf *sent;
	assert_int_equal(path_take(m, &sent), 0); /* nobody listens any more: Linux says so */
	assert_int_equal(grown(COUNTER_PUNTED_PACKETS), 1);
	drop_from_host(1);
}

static void stamps_and_figures(void **state)
{
	struct peer *from = hub.peer[0], *to = hub.peer[1];
	uint64_t rx = from->received.bytes, tx = to->sent.bytes, packets = from->received.packets;
	struct rte_mbuf *sent;
	from->received.first_data_ns = 0;
	to->sent.first_data_ns = 0;
	from->sent.first_data_ns = 1;
	to->received.first_data_ns = 1;
	assert_int_equal(path_take(good_frame(), &sent), 1);
	rte_pktmbuf_free(sent);
	assert_int_equal(from->received.bytes - rx, 112 + 32); /* as wg(8): the whole message */
	assert_int_equal(to->sent.bytes - tx, 112 + 32);
	assert_int_equal(from->received.packets - packets, 1);
	assert_true(from->received.last_any_ns == hub.path.now_ns);
	assert_true(from->received.first_data_ns == hub.path.now_ns);
	assert_true(from->sent.first_data_ns == 0);
	assert_true(to->sent.first_data_ns == hub.path.now_ns);
	assert_true(to->received.first_data_ns == 0);
	from->received.first_data_ns = 0;
	assert_dropped(frame_from(0, NULL, 0), COUNTER_KEEPALIVES_RECEIVED);
	assert_true(from->received.last_any_ns == hub.path.now_ns);
	assert_true(from->received.first_data_ns == 0); /* a keepalive is no data */
}

static void no_neighbour(void **state)
{
	struct neighbour n = {.mac = {2, 0, 0, 0, 0, 0x99}, .state = NEIGHBOUR_FAILED};
	struct keying_message m;
	struct rte_mbuf *sent;
	assert_int_equal(ip_addr_parse("203.0.113.254", &n.addr), 0);
	assert_int_equal(neighbour_set(hub.tables, &n), 0);
	assert_dropped(good_frame(), COUNTER_DROP_NEIGHBOUR_MISSING);
	take_from_keying(&m);
	assert_int_equal(m.type, KEYING_STALE_ENDPOINT);
	assert_true(m.peer == peer_handle(hub.peer[1]));
	assert_dropped(good_frame(), COUNTER_DROP_NEIGHBOUR_MISSING);
	assert_nothing_for_keying(); /* told once */
	hub.peer[1]->renewing = 0;
	n.state = NEIGHBOUR_REACHABLE;
	assert_int_equal(neighbour_set(hub.tables, &n), 0);
	/* routes have changed since the endpoint was made: it is used on, and made anew */
	hub.peer[1]->endpoint->underlay_generation--;
	assert_int_equal(path_take(good_frame(), &sent), 1);
	rte_pktmbuf_free(sent);
	take_from_keying(&m);
	assert_int_equal(m.type, KEYING_STALE_ENDPOINT);
	hub.peer[1]->endpoint->underlay_generation++;
	hub.peer[1]->renewing = 0;
}

static void the_port_is_full(void **state)
{
	struct rte_mbuf *left[64], *frame = good_frame(), *sent;
	while (rte_ring_free_count(hub.sent[0]) > 0)
		assert_int_equal(rte_ring_enqueue(hub.sent[0], packet_of(NULL, 0)), 0);
	path_receive(&hub.path, 0, &frame, 1);
	uint64_t full = memory_hub_count(&hub, COUNTER_DROP_TX_FULL);
	path_run(&hub.path, hub.now_ns);
	assert_int_equal(memory_hub_count(&hub, COUNTER_DROP_TX_FULL), full + 1);
	unsigned int n;
	while ((n = memory_hub_sent(&hub, left, 64)) > 0)
		rte_pktmbuf_free_bulk(left, n);
	assert_int_equal(path_take(good_frame(), &sent), 1);
	rte_pktmbuf_free(sent);
}

/* What is the hub's own but no ping goes to the instance's TUN; when that is stuck, it is lost. */
static void to_the_host(void **state)
{
	struct rte_mbuf *sent;
	void *handed = NULL;
	assert_int_equal(path_take(frame_to("10.0.0.1"), &sent), 0);
	assert_int_equal(rte_ring_dequeue(hub.rings.host, &handed), 0);
	struct rte_mbuf *m = handed;
	if (m == NULL)
		abort();
	assert_int_equal(pkt_of(m)->host, PKT_HOST_TUN);
	assert_true(pkt_of(m)->handle == instance_handle(hub.instance));
	assert_int_equal(m->data_len, SIZE); /* without padding */
	while (rte_ring_enqueue(hub.rings.host, m) == 0)
		m = packet_of(NULL, 0);
	rte_pktmbuf_free(m);
	assert_dropped(frame_to("10.0.0.1"), COUNTER_DROP_HOST_FULL);
	struct rte_mbuf *punted = good_frame();
	*byte_of(punted, 37) ^= 1;
	assert_dropped(punted, COUNTER_DROP_HOST_FULL);
	drop_all_from_host();
}

static void from_the_host(void **state)
{
	uint8_t inner[SIZE];
	struct rte_mbuf *sent;
	uint16_t len;
	uint64_t handle = instance_handle(hub.instance);
	struct ip_addr outside, to = memory_hub_address4(1), own;
	assert_int_equal(ip_addr_parse("8.8.8.8", &outside), 0);
	assert_int_equal(ip_addr_parse("10.0.0.1", &own), 0);
	memory_hub_inner4(inner, SIZE, &outside, &to);
	hub.instance->flags = 0; /* rules are for peers: this is an answer from outside */
	assert_int_equal(
		path_take_injected(packet_of(inner, SIZE), PKT_INJECT_ROUTE, handle, &sent), 1);
	const uint8_t *ip = open_sent(sent, 1, &len);
	assert_memory_equal(ip, inner, SIZE); /* Linux counted the hop */
	rte_pktmbuf_free(sent);
	hub.instance->flags = INSTANCE_SITE_TO_SITE;
	/* back to where it came from */
	memory_hub_inner4(inner, SIZE, &outside, &own);
	assert_int_equal(
		path_take_injected(packet_of(inner, SIZE), PKT_INJECT_ROUTE, handle, &sent), 0);
	assert_int_equal(grown(COUNTER_DROP_ROUTE_BACK), 1);
	/* nobody is told by ICMP: there is no peer that sent it */
	memory_hub_inner4(inner, SIZE, &outside, &outside);
	assert_int_equal(
		path_take_injected(packet_of(inner, SIZE), PKT_INJECT_ROUTE, handle, &sent), 0);
	assert_int_equal(grown(COUNTER_DROP_NO_ROUTE), 1);
	assert_int_equal(
		path_take_injected(packet_of(inner, 10), PKT_INJECT_ROUTE, handle, &sent), 0);
	assert_int_equal(grown(COUNTER_DROP_INNER_MALFORMED), 1);
	assert_int_equal(path_take_injected(packet_of(inner, SIZE), PKT_INJECT_ROUTE,
				 handle + (1ULL << 32), &sent),
		0);
	assert_int_equal(grown(COUNTER_DROP_INJECT_STALE), 1);
}

static void from_keying(void **state)
{
	static const uint8_t message[148] = {1};
	struct rte_mbuf *sent;
	struct peer *p = hub.peer[1];
	uint16_t len;
	/* a keepalive: nothing, sealed */
	assert_int_equal(path_take_injected(
				 packet_of(NULL, 0), PKT_INJECT_PEER_INNER, peer_handle(p), &sent),
		1);
	(void)open_sent(sent, 1, &len);
	assert_int_equal(len, 0);
	rte_pktmbuf_free(sent);
	/* a handshake message, as it is */
	assert_int_equal(path_take_injected(packet_of(message, sizeof(message)),
				 PKT_INJECT_PEER_OUTER, peer_handle(p), &sent),
		1);
	if (sent == NULL)
		abort();
	assert_int_equal(sent->data_len, OUTER + 148);
	assert_memory_equal(byte_of(sent, OUTER), message, sizeof(message));
	assert_int_equal(checksum(byte_of(sent, 14), 20), 0xffff);
	rte_pktmbuf_free(sent);
	struct endpoint *e = p->endpoint;
	p->endpoint = NULL;
	assert_int_equal(path_take_injected(packet_of(message, sizeof(message)),
				 PKT_INJECT_PEER_OUTER, peer_handle(p), &sent),
		0);
	assert_int_equal(grown(COUNTER_DROP_NO_ENDPOINT), 1);
	p->endpoint = e;
	assert_int_equal(path_take_injected(packet_of(NULL, 0), PKT_INJECT_PEER_INNER,
				 peer_handle(p) ^ 1ULL << 40, &sent),
		0);
	assert_int_equal(grown(COUNTER_DROP_INJECT_STALE), 1);
	/* a frame of the host leaves untouched */
	assert_int_equal(
		path_take_injected(packet_of(message, sizeof(message)), PKT_INJECT_TX, 0, &sent),
		1);
	if (sent == NULL)
		abort();
	assert_int_equal(sent->data_len, sizeof(message));
	assert_memory_equal(byte_of(sent, 0), message, sizeof(message));
	rte_pktmbuf_free(sent);
}

/* Buffers have room in front and behind; one that has not is dropped, not written past. */
static void no_room(void **state)
{
	uint8_t inner[SIZE];
	struct rte_mbuf *sent, *m;
	make_inner4(inner, SIZE, 0, 1);
	m = packet_of(inner, SIZE);
	(void)rte_pktmbuf_prepend(m, (uint16_t)(rte_pktmbuf_headroom(m) - 8));
	(void)rte_pktmbuf_trim(m, (uint16_t)(m->data_len - SIZE));
	assert_int_equal(
		path_take_injected(m, PKT_INJECT_PEER_INNER, peer_handle(hub.peer[1]), &sent), 0);
	assert_int_equal(grown(COUNTER_DROP_NO_HEADROOM), 1);
	m = packet_of(inner, SIZE);
	(void)rte_pktmbuf_prepend(m, (uint16_t)(rte_pktmbuf_headroom(m) - 30)); /* no IP header */
	(void)rte_pktmbuf_trim(m, (uint16_t)(m->data_len - SIZE));
	assert_int_equal(
		path_take_injected(m, PKT_INJECT_PEER_INNER, peer_handle(hub.peer[1]), &sent), 0);
	assert_int_equal(grown(COUNTER_DROP_NO_HEADROOM), 1);
	m = packet_of(inner, SIZE);
	(void)rte_pktmbuf_append(m, rte_pktmbuf_tailroom(m));
	assert_int_equal(
		path_take_injected(m, PKT_INJECT_PEER_INNER, peer_handle(hub.peer[1]), &sent), 0);
	assert_int_equal(grown(COUNTER_DROP_NO_HEADROOM), 1);
}

/* A whole vector at once, in order; several bursts of the seal and open queue. */
static void a_full_vector(void **state)
{
	enum {
		COUNT = PATH_VECTOR
	};
	struct rte_mbuf *frames[COUNT], *sent[COUNT];
	for (unsigned int i = 0; i < COUNT; i++) {
		uint8_t inner[SIZE];
		make_inner4(inner, SIZE, i % 3, (i + 1) % 3);
		inner[30] = (uint8_t)i;
		frames[i] = frame_from(i % 3, inner, (uint16_t)SIZE);
		if (i % 7 == 0)
			*byte_of(frames[i], OUTER + DATA + 20) ^= 1; /* not authentic */
	}
	uint64_t bad = memory_hub_count(&hub, COUNTER_DROP_WG_AUTH);
	memory_hub_run(&hub, frames, COUNT);
	unsigned int n = memory_hub_sent(&hub, sent, COUNT);
	assert_int_equal(n, COUNT - (COUNT + 6) / 7);
	assert_int_equal(memory_hub_count(&hub, COUNTER_DROP_WG_AUTH) - bad, (COUNT + 6) / 7);
	for (unsigned int i = 0, at = 0; i < COUNT; i++) {
		uint16_t len;
		if (i % 7 == 0)
			continue;
		const uint8_t *ip = open_sent(sent[at++], (i + 1) % 3, &len);
		assert_int_equal(ip[30], (uint8_t)i);
	}
	rte_pktmbuf_free_bulk(sent, n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(handshakes_go_to_keying),
		cmocka_unit_test(keying_is_full),
		cmocka_unit_test(without_a_key),
		cmocka_unit_test(keys_are_renewed),
		cmocka_unit_test(first_packet_confirms),
		cmocka_unit_test(roaming),
		cmocka_unit_test(replies_follow_the_peer),
		cmocka_unit_test(counters_that_no_packet_may_have),
		cmocka_unit_test(instances_are_isolated),
		cmocka_unit_test(stamps_and_figures),
		cmocka_unit_test(no_neighbour),
		cmocka_unit_test(the_port_is_full),
		cmocka_unit_test(to_the_host),
		cmocka_unit_test(from_the_host),
		cmocka_unit_test(from_keying),
		cmocka_unit_test(no_room),
		cmocka_unit_test(a_full_vector),
	};
	return cmocka_run_group_tests(tests, fixture_start, fixture_end);
}
