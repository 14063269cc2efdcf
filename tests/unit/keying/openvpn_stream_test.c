// SPDX-License-Identifier: Apache-2.0
/* OpenVPN over TCP: real connections over loopback, clients in pieces, slow, dead and many. */
#include "dataplane/base/clock.h"
#include "tests/unit/keying/openvpn_world.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum {
	MANY = 1000,
};

static struct caller a, b;

static struct stream *stream_of(const struct peer *p)
{
	return ((struct client *)p->tunnel->client)->stream;
}

static struct peer *connect_tcp(
	struct caller *c, uint8_t number, const struct certificate *who, size_t piece)
{
	struct peer *p = openvpn_peer(number, who, NULL, NULL);
	if (o.listening < 0)
		openvpn_listen_tcp(&(struct listen){0});
	caller_prepare(c, number, who);
	c->piece = piece;
	caller_begin_tcp(c);
	assert_true(caller_connects(c));
	assert_non_null(p->tunnel);
	assert_true(p->tunnel->is_tcp);
	return p;
}

static const uint8_t inner[1400] = {0x45, [2] = 0x05, [3] = 0x78, [9] = 17};

static void both_ways(size_t piece)
{
	struct peer *p = connect_tcp(&a, 7, &openvpn_alice, piece);
	assert_int_equal(f.k.openvpn->strangers, 0);
	for (uint8_t n = 1; n <= 40; n++) {
		uint8_t packet[200] = {0x45, [3] = 200, [19] = n};
		caller_send_data(&a, packet, sizeof(packet));
		enqueue_data(p, packet, sizeof(packet));
	}
	openvpn_run(2);
	assert_int_equal(o.data, 40);
	assert_int_equal(o.last_len, 200);
	assert_int_equal(o.last[19], 40);
	assert_int_equal(a.data, 40);
	assert_int_equal(a.last_len, 200);
	assert_int_equal(a.last[19], 40);
	enqueue_data(p, NULL, 0); /* a ping */
	openvpn_run(1);
	assert_int_equal(a.last_len, DATA_PING_LEN);
	assert_int_equal(peer_received_bytes(p) > 40UL * 200, 1);
	caller_end(&a);
	openvpn_run(2);
	assert_null(p->tunnel);
	assert_int_equal(f.k.openvpn->stream_count, 0);
}

static void packets_go_both_ways(void **state)
{
	both_ways(0);
}

static void in_pieces_too(void **state)
{
	both_ways(7);
}

static void byte_by_byte_too(void **state)
{
	both_ways(1);
}

static void assert_closes(const void *data, size_t len)
{
	int fd = connect_raw(0);
	openvpn_run(1);
	assert_int_equal(f.k.openvpn->stream_count, 1);
	assert_int_equal(send(fd, data, len, MSG_NOSIGNAL), len);
	openvpn_run(2);
	assert_true(is_closed(fd));
	assert_int_equal(f.k.openvpn->stream_count, 0);
	assert_int_equal(f.k.openvpn->strangers, 0);
	assert_int_equal(f.k.openvpn->count, 0);
	(void)close(fd);
}

static void garbage_closes(void **state)
{
	openvpn_listen_tcp(&(struct listen){.wrap = WRAP_TLS_CRYPT});
	assert_closes("GET / HTTP/1.1\r\n\r\n", 18);
	assert_closes("\0\0", 2); /* a packet of nothing */
	assert_closes("\377\377", 2);
	assert_closes("\0\16\70aaaaaaaa\0\0\0\0\0", 16); /* a reset that is not wrapped */
	assert_closes("\0\1\70", 3);
	uint8_t long_one[2] = {CONTROL_PACKET_MAX >> 8, 1};
	assert_closes(long_one, 2); /* longer than any before it has shown who it is */
}

static void who_says_nothing_is_closed(void **state)
{
	openvpn_listen_tcp(&(struct listen){0});
	int fd = connect_raw(0);
	openvpn_run(1);
	assert_int_equal(f.k.openvpn->strangers, 1);
	assert_int_equal(send(fd, "\0", 1, MSG_NOSIGNAL), 1);
	f.k.now_ns += 9 * NS_PER_SEC;
	openvpn_run(1);
	assert_int_equal(f.k.openvpn->stream_count, 1);
	f.k.now_ns += 2 * NS_PER_SEC;
	openvpn_run(1);
	assert_int_equal(f.k.openvpn->stream_count, 0);
	assert_int_equal(f.k.openvpn->strangers, 0);
	assert_int_equal(counted(COUNTER_OVPN_STREAMS_STALLED), 1);
	assert_true(is_closed(fd));
	(void)close(fd);
}

/* Data and the end in one: both are seen. */
static void the_end_behind_the_last_packet_is_seen(void **state)
{
	openvpn_listen_tcp(&(struct listen){0});
	int fd = connect_raw(0);
	openvpn_run(1);
	assert_int_equal(send(fd, "\0\16\70aaaaaaaa\0\0\0\0\0", 16, MSG_NOSIGNAL), 16);
	(void)shutdown(fd, SHUT_WR);
	openvpn_run(2);
	assert_int_equal(counted(COUNTER_OVPN_CONTROL_RECEIVED), 1);
	assert_int_equal(f.k.openvpn->stream_count, 0);
	(void)close(fd);
}

/* Bounded, dropped before it is numbered, and nobody else waits. */
static void a_slow_reader_is_bounded_and_alone(void **state)
{
	struct peer *slow = connect_tcp(&a, 7, &openvpn_alice, 0);
	struct peer *other = connect_tcp(&b, 8, &openvpn_bob, 0);
	int small = 4096;
	(void)setsockopt(stream_of(slow)->fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	o.caller[0] = NULL; /* it reads nothing */
	for (unsigned int n = 0; n < 6000; n++) {
		enqueue_data(slow, inner, sizeof(inner));
		if (n % 100 == 0) {
			enqueue_data(other, inner, 100);
			openvpn_run(1);
			f.k.now_ns -= 59 * NS_PER_MS; /* not for half a minute */
		}
	}
	openvpn_run(1);
	struct stream *s = stream_of(slow);
	assert_true(s->count <= STREAM_QUEUE_DATA);
	assert_true(counted(COUNTER_DROP_STREAM_FULL) > 1000);
	assert_int_equal(b.data, 60);
	assert_int_equal(f.k.openvpn->queued, s->count);
	o.caller[0] = &a; /* it catches up: no number is missing, or it could not open them */
	for (unsigned int n = 0; n < 5000 && s->count > 0; n++) {
		openvpn_run(1);
		f.k.now_ns -= 59 * NS_PER_MS;
		(void)usleep(500); /* the kernel's windows open in real time */
	}
	assert_int_equal(s->count, 0);
	assert_int_equal(a.last_len, sizeof(inner));
	assert_int_equal(f.k.openvpn->queued, 0);
	caller_end(&b);
	caller_end(&a);
}

static void a_dead_reader_is_closed(void **state)
{
	struct peer *p = connect_tcp(&a, 7, &openvpn_alice, 0);
	int small = 4096;
	(void)setsockopt(stream_of(p)->fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	o.caller[0] = NULL;
	for (unsigned int n = 0; n < 8000 && stream_of(p)->count < 400; n++) {
		enqueue_data(p, inner, sizeof(inner));
		if (n % 100 == 0)
			(void)keying_round(&f.k);
	}
	assert_true(stream_of(p)->count > 0);
	f.k.now_ns += 29 * NS_PER_SEC;
	atomic_store(&p->received.last_any_ns, f.k.now_ns);
	(void)keying_round(&f.k);
	assert_non_null(p->tunnel);
	f.k.now_ns += 2 * NS_PER_SEC;
	(void)keying_round(&f.k);
	assert_null(p->tunnel);
	assert_int_equal(f.k.openvpn->queued, 0);
	assert_int_equal(counted(COUNTER_OVPN_STREAMS_STALLED), 1);
	caller_end(&a);
}

/* Together they hold less than the pool, however many they are. */
static void many_slow_readers_share(void **state)
{
	struct peer *p = connect_tcp(&a, 7, &openvpn_alice, 0);
	struct stream *s = stream_of(p);
	assert_true(keying_stream_has_room(&f.k, s));
	s->pending = STREAM_QUEUE_FAIR;
	assert_true(keying_stream_has_room(&f.k, s));
	f.k.openvpn->queued += STREAMS_QUEUED_MAX + 1;
	assert_false(keying_stream_has_room(&f.k, s));
	s->pending--;
	assert_true(keying_stream_has_room(&f.k, s));
	f.k.openvpn->queued -= STREAMS_QUEUED_MAX + 1;
	s->pending = STREAM_QUEUE_DATA;
	assert_false(keying_stream_has_room(&f.k, s));
	s->pending = 0;
	caller_end(&a);
}

/* Ids go up by exactly one: a packet that finds no buffer counts all the same. */
static void want_of_buffers_stops_no_stream(void **state)
{
	struct rte_mbuf *taken[2100];
	unsigned int n = 0;
	connect_tcp(&a, 7, &openvpn_alice, 0);
	while (n < 2100 && (taken[n] = rte_pktmbuf_alloc(f.rings.pool)) != NULL)
		n++;
	caller_send_data(&a, inner, 100);
	caller_send_data(&a, inner, 100);
	(void)keying_round(&f.k);
	assert_true(counted(COUNTER_DROP_NO_BUFFER) >= 2);
	rte_pktmbuf_free_bulk(taken, n);
	caller_send_data(&a, inner, 100);
	openvpn_run(1);
	assert_int_equal(o.data, 1);
	assert_int_equal(counted(COUNTER_DROP_OVPN_REPLAY), 0);
	caller_end(&a);
}

static void what_is_not_in_order_or_forged_is_dropped(void **state)
{
	connect_tcp(&a, 7, &openvpn_alice, 0);
	a.send.packet_id++; /* one is missing */
	caller_send_data(&a, inner, 100);
	openvpn_run(1);
	assert_int_equal(o.data, 0);
	assert_int_equal(counted(COUNTER_DROP_OVPN_REPLAY), 1);
	uint8_t forged[2 + 40] = {0, 40, P_DATA_V1 << 3};
	caller_write(&a, forged, sizeof(forged));
	forged[2] = P_DATA_V1 << 3 | 5; /* a key id that there is not */
	caller_write(&a, forged, sizeof(forged));
	uint8_t short_one[2 + 3] = {0, 3, P_DATA_V2 << 3};
	caller_write(&a, short_one, sizeof(short_one));
	openvpn_run(1);
	assert_int_equal(counted(COUNTER_DROP_OVPN_AUTH), 1);
	assert_int_equal(counted(COUNTER_DROP_OVPN_UNKNOWN_KEY), 1);
	assert_int_equal(counted(COUNTER_DROP_OVPN_LENGTH), 1);
	assert_int_equal(f.k.openvpn->stream_count, 1); /* it is up: nothing of that ends it */
	caller_end(&a);
}

static void pings_and_the_word_of_exit(void **state)
{
	uint8_t ping[DATA_PING_LEN], leaves[DATA_OCC_EXIT_LEN];
	struct peer *p = connect_tcp(&a, 7, &openvpn_alice, 0);
	data_payload_write_ping(ping);
	data_payload_write_occ_exit(leaves);
	caller_send_data(&a, ping, sizeof(ping));
	openvpn_run(1);
	assert_int_equal(counted(COUNTER_OVPN_PINGS_RECEIVED), 1);
	assert_non_null(p->tunnel);
	caller_send_data(&a, leaves, sizeof(leaves));
	openvpn_run(2);
	assert_null(p->tunnel);
	caller_read(&a);
	assert_true(a.is_closed);
	caller_end(&a);
}

/* Who is expired gets nothing more into the network, not even in the same turn. */
static void data_of_who_is_expired_is_dropped(void **state)
{
	struct peer *p = connect_tcp(&a, 7, &openvpn_alice, 0);
	atomic_store(&p->expired, 1);
	caller_send_data(&a, inner, 100);
	enqueue_data(p, inner, 100);
	openvpn_run(1);
	assert_int_equal(o.data, 0);
	assert_int_equal(a.data, 0);
	assert_int_equal(counted(COUNTER_DROP_PEER_EXPIRED), 1);
	atomic_store(&p->expired, 0);
	caller_end(&a);
}

/* A client that is cut hears why before its connection ends. */
static void the_last_word_comes_before_the_end(void **state)
{
	struct uuid id = {.bytes = {LISTENER}};
	struct peer *p = connect_tcp(&a, 7, &openvpn_alice, 0);
	struct peer *q = connect_tcp(&b, 8, &openvpn_bob, 0);
	keying_peer_drop(&f.k, p);
	openvpn_run(2);
	assert_true(caller_heard(&a, "RESTART"));
	assert_true(a.is_closed);
	assert_false(b.is_closed);
	keying_listener_remove(&f.k, f.instance, &id);
	caller_read(&b);
	openvpn_run(1);
	assert_true(caller_heard(&b, "RESTART"));
	assert_true(b.is_closed);
	assert_null(q->tunnel);
	assert_int_equal(f.k.openvpn->stream_count, 0);
	caller_end(&b);
	caller_end(&a);
}

static void a_wrong_password_is_told_here_too(void **state)
{
	openvpn_listen_tcp(&(struct listen){.password = true, .no_certificate = true});
	(void)openvpn_peer(7, NULL, "alice", "right");
	caller_prepare(&a, 7, NULL);
	a.setup.username = "alice";
	a.setup.password = "wrong";
	caller_begin_tcp(&a);
	assert_false(caller_connects(&a));
	assert_true(caller_heard(&a, "AUTH_FAILED"));
	f.k.now_ns += 60 * NS_PER_SEC;
	openvpn_run(2);
	assert_int_equal(f.k.openvpn->count, 0);
	assert_int_equal(f.k.openvpn->stream_count, 0);
	caller_end(&a);
}

/* nave-node has the socket still: ours is out of the set when its listener is gone. */
static void a_listener_that_goes_accepts_nobody(void **state)
{
	struct uuid id = {.bytes = {LISTENER}};
	openvpn_listen_tcp(&(struct listen){0});
	keying_listener_remove(&f.k, f.instance, &id);
	int fd = connect_raw(0);
	openvpn_run(2);
	assert_int_equal(f.k.openvpn->stream_count, 0);
	assert_int_equal(counted(COUNTER_OVPN_STREAMS_ACCEPTED), 0);
	(void)close(fd);
}

static void a_socket_takes_the_place_of_another(void **state)
{
	struct uuid id = {.bytes = {LISTENER}};
	openvpn_listen_tcp(&(struct listen){0});
	int copy = fcntl(o.listening, F_DUPFD_CLOEXEC, 0);
	assert_true(copy >= 0);
	keying_listener_socket_apply(&f.k, f.instance, &id, copy);
	int fd = connect_raw(0);
	openvpn_run(1);
	assert_int_equal(f.k.openvpn->stream_count, 1);
	(void)close(fd);
	struct uuid nobody = {.bytes = {77}}; /* a socket without a listener refuses */
	copy = fcntl(o.listening, F_DUPFD_CLOEXEC, 0);
	keying_listener_socket_apply(&f.k, f.instance, &nobody, copy);
	openvpn_run(1);
	keying_listener_remove(&f.k, f.instance, &id);
	fd = connect_raw(0);
	openvpn_run(1);
	assert_int_equal(counted(COUNTER_OVPN_STREAMS_REFUSED), 1);
	assert_true(is_closed(fd));
	(void)close(fd);
}

static void replaced_by_another_stream_it_never_comes_back(void **state)
{
	struct peer *p = connect_tcp(&a, 7, &openvpn_alice, 0);
	struct client *first = p->tunnel->client;
	caller_prepare(&b, 8, &openvpn_alice);
	caller_begin_tcp(&b);
	assert_true(caller_connects(&b));
	assert_ptr_not_equal(p->tunnel->client, first);
	assert_false(b.is_closed);
	session_client_renegotiate(&a.ovpn);
	openvpn_run(10);
	assert_true(a.is_closed);
	assert_false(b.is_closed);
	assert_int_equal(f.k.openvpn->count, 1);
	caller_end(&b);
	caller_end(&a);
}

/* Runs without a look at all clients, so that one that was replaced is there still. */
static void run_unlooked(unsigned int rounds)
{
	for (unsigned int n = 0; n < rounds; n++) {
		f.k.openvpn->looked_ns = f.k.now_ns + 60 * NS_PER_MS;
		openvpn_run(1);
	}
}

static void replaced_it_does_not_take_over_once_more(void **state)
{
	struct peer *p = connect_tcp(&a, 7, &openvpn_alice, 0);
	const struct client *first = p->tunnel->client;
	caller_prepare(&b, 8, &openvpn_alice);
	caller_begin_tcp(&b);
	run_unlooked(40); /* as long as the client waits before it renews */
	assert_true(first->is_gone);
	const struct client *second = p->tunnel->client;
	assert_ptr_not_equal(second, first);
	session_client_renegotiate(&a.ovpn);
	run_unlooked(40);
	assert_ptr_equal(p->tunnel->client, second);
	assert_true(second->is_up);
	caller_end(&b);
	caller_end(&a);
}

static void a_thousand_streams(void **state)
{
	static int fd[MANY];
	openvpn_listen_tcp(&(struct listen){0});
	for (unsigned int n = 0; n < MANY; n++) {
		fd[n] = connect_raw(0);
		f.k.now_ns += 10 * NS_PER_MS; /* a hundred a second from one network */
		(void)keying_round(&f.k);
	}
	assert_int_equal(f.k.openvpn->stream_count, MANY);
	for (unsigned int n = 0; n < MANY; n++) {
		uint8_t reset[16] = {0, 14, P_CONTROL_HARD_RESET_CLIENT_V2 << 3, (uint8_t)n,
			(uint8_t)(n >> 8), 1};
		assert_int_equal(send(fd[n], reset, sizeof(reset), MSG_NOSIGNAL), sizeof(reset));
	}
	openvpn_run(2 * MANY / 64 + 2);
	for (unsigned int n = 0; n < MANY; n++) {
		uint8_t answer[64];
		ssize_t got = read(fd[n], answer, sizeof(answer));
		assert_true(got > 20);
		assert_int_equal(answer[2] >> 3, P_CONTROL_HARD_RESET_SERVER_V2);
	}
	assert_int_equal(f.k.openvpn->strangers, MANY);
	assert_int_equal(f.k.openvpn->count, MANY);
	for (unsigned int n = 0; n < MANY; n++)
		(void)close(fd[n]);
	openvpn_run(2 * MANY / 64 + 2);
	assert_int_equal(f.k.openvpn->stream_count, 0);
	assert_int_equal(f.k.openvpn->count, 0);
	assert_int_equal(f.k.openvpn->strangers, 0);
}

static void a_flood_of_connections_is_refused(void **state)
{
	openvpn_listen_tcp(&(struct listen){0});
	for (unsigned int n = 0; n < 200; n++) {
		int fd = connect_raw(0);
		(void)keying_round(&f.k);
		(void)close(fd);
	}
	(void)keying_round(&f.k);
	assert_int_equal(
		counted(COUNTER_OVPN_STREAMS_ACCEPTED) + counted(COUNTER_OVPN_STREAMS_REFUSED),
		200);
	assert_in_range(counted(COUNTER_OVPN_STREAMS_ACCEPTED), 50, 51);
}

#define T(t) cmocka_unit_test_setup_teardown(t, openvpn_start, openvpn_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(packets_go_both_ways),
		T(in_pieces_too),
		T(byte_by_byte_too),
		T(garbage_closes),
		T(who_says_nothing_is_closed),
		T(the_end_behind_the_last_packet_is_seen),
		T(a_slow_reader_is_bounded_and_alone),
		T(a_dead_reader_is_closed),
		T(many_slow_readers_share),
		T(want_of_buffers_stops_no_stream),
		T(what_is_not_in_order_or_forged_is_dropped),
		T(pings_and_the_word_of_exit),
		T(data_of_who_is_expired_is_dropped),
		T(the_last_word_comes_before_the_end),
		T(a_wrong_password_is_told_here_too),
		T(a_listener_that_goes_accepts_nobody),
		T(a_socket_takes_the_place_of_another),
		T(replaced_by_another_stream_it_never_comes_back),
		T(replaced_it_does_not_take_over_once_more),
		T(a_thousand_streams),
		T(a_flood_of_connections_is_refused),
	};
	return cmocka_run_group_tests(tests, openvpn_group_start, openvpn_group_end);
}
