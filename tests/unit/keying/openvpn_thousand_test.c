// SPDX-License-Identifier: Apache-2.0
/*
 * A thousand OpenVPN clients over TCP at once, each with a name, a TLS session and data of its own: what comes
 * belongs to whom it came from, and neither a reader that stops nor one that dies holds the others up. They show
 * passwords, because a thousand certificates of clients would take most of the test's time.
 */
#include "dataplane/base/clock.h"
#include "tests/unit/keying/openvpn_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <rte_mempool.h>

enum {
	MANY = 1000,
	WAVE = 50, /* connect at once: a network's burst */
	PACKET = 200,
	EVENTS_A_ROUND = 64, /* of keying */
	ROUNDS = 2 * MANY / EVENTS_A_ROUND + 4, /* in which everybody has had two turns */
};

struct member {
	char name[16]; /* and password */
	struct caller caller;
	struct peer *peer;
	uint64_t received; /* bytes, by the hub's count */
};

static struct member *member;

static struct stream *stream_of(const struct member *m)
{
	return ((struct client *)m->peer->tunnel->client)->stream;
}

static bool all_are_up(void)
{
	bool are = true;
	for (unsigned int n = 0; n < MANY; n++)
		are = caller_is_up(&member[n].caller) && are;
	return are;
}

/* Their handshakes overlap: while the first ones ask for their addresses, the last ones connect. */
static void connect_all(void)
{
	openvpn_listen_tcp(&(struct listen){.no_certificate = true, .password = true});
	for (unsigned int n = 0; n < MANY; n++) {
		struct member *m = &member[n];
		(void)snprintf(m->name, sizeof(m->name), "member%u", n);
		m->peer = openvpn_peer((uint16_t)(n + 1), NULL, m->name, m->name);
		caller_prepare(&m->caller, 7, NULL);
		m->caller.setup.username = m->caller.setup.password = m->name;
		caller_begin_tcp(&m->caller);
		write_be32(m->caller.ovpn.own.bytes, n + 1);
		if (n % WAVE < WAVE - 1)
			continue;
		f.k.now_ns += NS_PER_SEC / 4;
		openvpn_run(WAVE / 10);
	}
	for (unsigned int n = 0; n < 400 && !all_are_up(); n++)
		openvpn_run(1);
	assert_true(all_are_up());
}

static void assert_there(unsigned int count)
{
	const struct keying_openvpn *v = f.k.openvpn;
	assert_int_equal(v->stream_count, count);
	assert_int_equal(v->count, count);
	assert_int_equal(v->strangers, 0);
}

/* One packet each way for everybody from that one on, marked with who it is and a word. */
static void speak(unsigned int from, uint8_t word)
{
	unsigned int data = o.data;
	for (unsigned int n = from; n < MANY; n++) {
		struct member *m = &member[n];
		uint8_t packet[PACKET] = {0x45, [3] = PACKET, [20] = word};
		write_be16(packet + 21, (uint16_t)n);
		m->received = peer_received_bytes(m->peer);
		caller_send_data(&m->caller, packet, sizeof(packet));
		enqueue_data(m->peer, packet, sizeof(packet));
		if (n % WAVE == 0)
			openvpn_run(1);
	}
	openvpn_run(ROUNDS);
	assert_int_equal(o.data - data, MANY - from);
	for (unsigned int n = from; n < MANY; n++) {
		const struct member *m = &member[n];
		assert_true(peer_received_bytes(m->peer) - m->received >= PACKET);
		assert_int_equal(m->caller.last_len, PACKET);
		assert_int_equal(m->caller.last[20], word);
		assert_int_equal(read_be16(m->caller.last + 21), n);
		assert_false(m->caller.is_closed);
	}
}

/* For who takes nothing; what the kernel has no room for waits in its stream, and no more than that. */
static void fill(const struct member *m)
{
	static const uint8_t large[1400] = {0x45, [2] = 0x05, [3] = 0x78};
	int small = 4096;
	(void)setsockopt(stream_of(m)->fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	for (unsigned int n = 0; n < 4000 && counted(COUNTER_DROP_STREAM_FULL) < 100; n++) {
		enqueue_data(m->peer, large, sizeof(large));
		if (n % 50 == 49)
			(void)keying_round(&f.k);
	}
	(void)keying_round(&f.k);
	assert_true(counted(COUNTER_DROP_STREAM_FULL) >= 100);
	assert_in_range(stream_of(m)->count, 1, STREAM_QUEUE_DATA);
}

/* As when its machine loses power and somebody else answers for its address. */
static void die(struct member *m)
{
	struct linger at_once = {.l_onoff = 1};
	(void)setsockopt(m->caller.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	(void)close(m->caller.fd);
	m->caller.fd = -1;
	caller_end(&m->caller);
}

static void release_all(void)
{
	for (unsigned int n = 0; n < MANY; n++) {
		if (n != 1)
			caller_end(&member[n].caller);
	}
	free(member);
}

static void a_thousand_sessions(void **state)
{
	member = calloc(MANY, sizeof(*member));
	assert_non_null(member);
	unsigned int buffers = rte_mempool_avail_count(f.rings.pool);
	connect_all();
	assert_there(MANY);
	assert_int_equal(counted(COUNTER_OVPN_SESSIONS_UP), MANY);
	speak(0, 1);
	size_t heap = openvpn_heap();
	speak(0, 2);
	assert_true(openvpn_heap() <= heap + 65536); /* what goes through leaves nothing */
	o.caller[0] = NULL; /* reads no more */
	fill(&member[0]);
	die(&member[1]);
	speak(2, 3);
	assert_there(MANY - 1);
	assert_int_equal(f.k.openvpn->queued, stream_of(&member[0])->count);
	f.k.now_ns += 31 * NS_PER_SEC; /* who takes nothing for half a minute goes */
	speak(2, 4);
	assert_null(member[0].peer->tunnel);
	assert_there(MANY - 2);
	assert_int_equal(counted(COUNTER_OVPN_STREAMS_STALLED), 1);
	assert_int_equal(f.k.openvpn->queued, 0);
	release_all();
	openvpn_run(ROUNDS);
	assert_there(0);
	assert_int_equal(rte_mempool_avail_count(f.rings.pool), buffers);
}

#define T(t) cmocka_unit_test_setup_teardown(t, openvpn_start, openvpn_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_thousand_sessions),
	};
	return cmocka_run_group_tests(tests, openvpn_group_start, openvpn_group_end);
}
