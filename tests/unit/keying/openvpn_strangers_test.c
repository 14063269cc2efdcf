// SPDX-License-Identifier: Apache-2.0
/*
 * As many strangers as there may be, who are really there: sessions over UDP and streams of TCP. The next one is
 * refused, nobody who is there notices, and each place is given back. And who brings no cookie takes none.
 */
#include "dataplane/base/clock.h"
#include "tests/unit/keying/openvpn_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum {
	ALL = 2048, /* strangers together */
	NETWORK = 1024, /* of one network */
	ALICES = 0, /* networks: 198.51.100.0/24 */
	ANOTHER = 1, /* 198.51.101.0/24 */
	A_THIRD = 2,
};

#define ANSWER_NS (11 * NS_PER_MS) /* a network has a hundred a second */

static struct caller a, b;

static struct ip_endpoint stranger_at(uint8_t network, unsigned int number)
{
	struct ip_endpoint e;
	assert_int_equal(ip_endpoint_parse("198.51.100.1:4500", &e), 0);
	e.addr.bytes[14] = (uint8_t)(100 + network);
	e.addr.bytes[15] = (uint8_t)number;
	e.port = (uint16_t)(10000 + number);
	return e;
}

/* The cookie that the hub sends to a reset from there. */
static void ask(
	const struct ip_endpoint *from, const struct session_id *own, struct session_id *ret)
{
	uint8_t reset[CONTROL_PACKET_MIN] = {P_CONTROL_HARD_RESET_CLIENT_V2 << 3};
	memcpy(reset + 1, own->bytes, sizeof(own->bytes));
	openvpn_hand_out();
	f.k.now_ns += ANSWER_NS;
	deliver_openvpn(from, HUB_PORT, reset, sizeof(reset));
	struct rte_mbuf *m = take_injected();
	assert_non_null(m);
	if (m == NULL)
		return;
	memcpy(ret->bytes, rte_pktmbuf_mtod_offset(m, uint8_t *, FIXTURE_OUTER + 1),
		sizeof(ret->bytes));
	rte_pktmbuf_free(m);
}

/* Shows that it gets what is sent to its address, and says no more. */
static void come(uint8_t network, unsigned int number)
{
	struct ip_endpoint from = stranger_at(network, number);
	struct session_id own = {{network + 1U, 1}}, hub = {{0}};
	uint8_t ack[CONTROL_PACKET_MIN + 8] = {P_ACK_V1 << 3};
	write_be32(own.bytes + 4, number);
	ask(&from, &own, &hub);
	memcpy(ack + 1, own.bytes, sizeof(own.bytes));
	ack[9] = 1; /* of packet 0 */
	memcpy(ack + 14, hub.bytes, sizeof(hub.bytes));
	f.k.now_ns += ANSWER_NS;
	deliver_openvpn(&from, HUB_PORT, ack, sizeof(ack));
	openvpn_hand_out();
}

static void assert_refused(uint8_t network, unsigned int number)
{
	unsigned int strangers = f.k.openvpn->strangers, count = f.k.openvpn->count;
	uint64_t refused = counted(COUNTER_DROP_OVPN_FLOOD);
	come(network, number);
	assert_int_equal(counted(COUNTER_DROP_OVPN_FLOOD), refused + 1);
	assert_int_equal(f.k.openvpn->strangers, strangers);
	assert_int_equal(f.k.openvpn->count, count);
}

static struct peer *connect_alice(void)
{
	openvpn_listen(&(struct listen){0});
	struct peer *p = openvpn_peer(7, &openvpn_alice, NULL, NULL);
	caller_prepare(&a, 7, &openvpn_alice);
	caller_begin(&a);
	assert_true(caller_connects(&a));
	return p;
}

static void renew(const struct peer *p, struct caller *c)
{
	const struct tunnel *t = p->tunnel;
	uint8_t before = t->send->key_id;
	f.k.now_ns += 2 * NS_PER_SEC;
	session_client_renegotiate(&c->ovpn);
	openvpn_run(20);
	assert_ptr_equal(p->tunnel, t);
	assert_int_equal(t->send->key_id, before + 1);
}

static void a_full_house_over_udp(void **state)
{
	struct peer *p = connect_alice();
	(void)openvpn_peer(8, &openvpn_bob, NULL, NULL);
	uint64_t first_ns = f.k.now_ns;
	for (unsigned int n = 0; n < NETWORK; n++)
		come(ALICES, n);
	assert_int_equal(f.k.openvpn->strangers, NETWORK);
	assert_refused(ALICES, NETWORK);
	for (unsigned int n = 0; n < ALL - NETWORK; n++)
		come(ANOTHER, n);
	assert_int_equal(f.k.openvpn->strangers, ALL);
	assert_int_equal(f.k.openvpn->count, ALL + 1);
	assert_refused(A_THIRD, 0); /* which had none at all */
	renew(p, &a);
	assert_refused(A_THIRD, 1);
	assert_int_equal(f.k.openvpn->count, ALL + 1); /* nobody gave way */
	f.k.now_ns = first_ns + 60 * NS_PER_SEC + 20 * ANSWER_NS; /* ten had their minute */
	openvpn_run(1);
	assert_in_range(f.k.openvpn->strangers, ALL - 20, ALL - 1);
	unsigned int left = f.k.openvpn->strangers;
	come(A_THIRD, 2);
	come(ALICES, NETWORK);
	assert_int_equal(f.k.openvpn->strangers, left + 2);
	atomic_store(&p->received.last_any_ns, f.k.now_ns); /* alice has something to say */
	f.k.now_ns += 61 * NS_PER_SEC;
	openvpn_run(1);
	assert_int_equal(f.k.openvpn->strangers, 0);
	assert_int_equal(f.k.openvpn->count, 1);
	assert_non_null(p->tunnel);
	caller_prepare(&b, 8, &openvpn_bob); /* of that network, too */
	caller_begin(&b);
	assert_true(caller_connects(&b));
	caller_end(&b);
	caller_end(&a);
}

/* A stream that has begun a session, and goes no further. */
static int come_by_tcp(uint8_t network)
{
	static const uint8_t reset[2 + CONTROL_PACKET_MIN] = {
		0, CONTROL_PACKET_MIN, P_CONTROL_HARD_RESET_CLIENT_V2 << 3, 1};
	int fd = connect_raw(network);
	assert_int_equal(send(fd, reset, sizeof(reset), MSG_NOSIGNAL), sizeof(reset));
	f.k.now_ns += ANSWER_NS;
	(void)keying_round(&f.k);
	(void)keying_round(&f.k);
	return fd;
}

static void assert_data_goes_both_ways(const struct peer *p, struct caller *c)
{
	static const uint8_t packet[100] = {0x45, [3] = 100};
	unsigned int to_hub = o.data, to_client = c->data;
	caller_send_data(c, packet, sizeof(packet));
	enqueue_data(p, packet, sizeof(packet));
	openvpn_run(2);
	assert_int_equal(o.data, to_hub + 1);
	assert_int_equal(c->data, to_client + 1);
}

static void assert_refused_by_tcp(uint8_t network)
{
	uint64_t refused = counted(COUNTER_OVPN_STREAMS_REFUSED);
	int fd = connect_raw(network);
	f.k.now_ns += ANSWER_NS;
	(void)keying_round(&f.k);
	assert_int_equal(counted(COUNTER_OVPN_STREAMS_REFUSED), refused + 1);
	assert_true(is_closed(fd));
	(void)close(fd);
}

static void a_full_house_over_tcp(void **state)
{
	static int fd[NETWORK];
	struct peer *p = openvpn_peer(7, &openvpn_alice, NULL, NULL);
	openvpn_listen_tcp(&(struct listen){0});
	caller_prepare(&a, 7, &openvpn_alice);
	caller_begin_tcp(&a);
	assert_true(caller_connects(&a));
	for (unsigned int n = 0; n < NETWORK; n++)
		fd[n] = come_by_tcp(0);
	assert_int_equal(f.k.openvpn->strangers, NETWORK);
	assert_int_equal(f.k.openvpn->count, NETWORK + 1);
	assert_refused_by_tcp(0);
	assert_data_goes_both_ways(p, &a);
	int other = come_by_tcp(1); /* another network */
	assert_int_equal(f.k.openvpn->strangers, NETWORK + 1);
	for (unsigned int n = 0; n < NETWORK; n++)
		assert_false(is_closed(fd[n]));
	f.k.now_ns += 61 * NS_PER_SEC;
	atomic_store(&p->received.last_any_ns, f.k.now_ns);
	openvpn_run(3);
	assert_int_equal(f.k.openvpn->strangers, 0);
	assert_int_equal(f.k.openvpn->stream_count, 1);
	for (unsigned int n = 0; n < NETWORK; n++) {
		assert_true(is_closed(fd[n]));
		(void)close(fd[n]);
	}
	assert_data_goes_both_ways(p, &a);
	fd[0] = come_by_tcp(0);
	assert_int_equal(f.k.openvpn->strangers, 1);
	(void)close(fd[0]);
	(void)close(other);
	caller_end(&a);
}

/* O-20: a wrapped client key is as easily had as a profile. It opens the packet, and begins nothing. */
static void bring_key(const struct control_packet *p, const struct ip_endpoint *from)
{
	uint8_t wire[CONTROL_PACKET_MAX];
	uint32_t now_s = (uint32_t)(clock_realtime_ns() / NS_PER_SEC);
	uint64_t dropped = counted(COUNTER_DROP_OVPN_START);
	size_t len = session_client_wrap(&a.ovpn, p, wire, now_s);
	f.k.now_ns += ANSWER_NS;
	deliver_openvpn(from, HUB_PORT, wire, len);
	assert_int_equal(counted(COUNTER_DROP_OVPN_START), dropped + 1);
	assert_int_equal(f.k.openvpn->count, 0);
	assert_int_equal(f.k.openvpn->strangers, 0);
	assert_nothing_injected();
}

static void a_wrapped_key_without_a_cookie_begins_nothing(void **state)
{
	openvpn_listen(&(struct listen){.wrap = WRAP_TLS_CRYPT_V2});
	(void)openvpn_peer(7, &openvpn_alice, NULL, NULL);
	caller_prepare(&a, 7, &openvpn_alice);
	a.setup.mode = WRAP_TLS_CRYPT_V2;
	caller_begin(&a);
	struct control_packet p = {
		.opcode = P_CONTROL_WKC_V1, .packet_id = 1, .session_id = a.ovpn.own};
	struct ip_endpoint other = stranger_at(ALICES, 9);
	bring_key(&p, &a.at); /* nobody asked for it */
	p.ack_count = 1;
	memset(p.remote_session_id.bytes, 0x5a, sizeof(p.remote_session_id.bytes));
	bring_key(&p, &a.at);
	size_t heap = openvpn_heap();
	for (unsigned int n = 0; n < 5000; n++) {
		write_be32(p.remote_session_id.bytes, n + 1);
		bring_key(&p, &a.at);
	}
	assert_true(openvpn_heap() <= heap + 4096);
	openvpn_run(1);
	assert_true(a.ovpn.knows_server);
	p.remote_session_id = a.ovpn.server;
	bring_key(&p, &other); /* the cookie of another address */
	assert_true(caller_connects(&a)); /* it is the cookie, and nothing else, that was missing */
	caller_end(&a);
}

#define T(t) cmocka_unit_test_setup_teardown(t, openvpn_start, openvpn_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_full_house_over_udp),
		T(a_full_house_over_tcp),
		T(a_wrapped_key_without_a_cookie_begins_nothing),
	};
	return cmocka_run_group_tests(tests, openvpn_group_start, openvpn_group_end);
}
