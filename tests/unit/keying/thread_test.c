// SPDX-License-Identifier: Apache-2.0
/* The real thread: orders arrive in order, retiring waits until all is let go, stopping leaves
 * nothing. A reader comes and goes as a worker does. */
#include "dataplane/base/clock.h"
#include "dataplane/crypto/x25519.h"
#include "dataplane/keying/client_status.h"
#include "dataplane/keying/listener.h"
#include "dataplane/table/underlay.h"
#include "tests/unit/keying/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <rte_rcu_qsbr.h>
#include <rte_ring.h>

enum {
	READER = 5,
	PEERS = 30,
	ROUNDS = 20,
};

static atomic_bool stop;

/* of endpoints */
struct sights {
	uint64_t good, torn;
};

/* A worker: looks peers up, and says between the looks that it holds nothing. */
static void *read_peers(void *ctx)
{
	struct rte_rcu_qsbr *q = f.tables->qsbr;
	struct sights *seen = ctx;
	(void)rte_rcu_qsbr_thread_register(q, READER);
	rte_rcu_qsbr_thread_online(q, READER);
	bool last;
	do { /* the last look is at peers that stay */
		last = atomic_load(&stop);
		for (unsigned int slot = 0; slot < PEERS * (ROUNDS + 1); slot++) {
			const struct peer *p = atomic_load_explicit(
				&f.tables->peer_slot[slot], memory_order_acquire);
			const struct endpoint *e = p != NULL ? p->endpoint : NULL;
			if (e != NULL && e->remote.port == 4500 && e->header_len > 0)
				seen->good++;
			else if (e != NULL)
				seen->torn++;
		}
		rte_rcu_qsbr_quiescent(q, READER);
	} while (!last);
	rte_rcu_qsbr_thread_offline(q, READER);
	(void)rte_rcu_qsbr_thread_unregister(q, READER);
	return NULL;
}

/* What the server thread does for PEER_SET. */
static struct peer *set_peer(
	struct keying *k, struct instance *i, unsigned int number, unsigned int round)
{
	struct peer_settings s = {.id.bytes = {(uint8_t)number, (uint8_t)round},
		.instance = i,
		.type = PEER_TYPE_SITE,
		.public_key.bytes = {(uint8_t)number, (uint8_t)round, 9},
		.allowed_any = true};
	struct peer *p = NULL;
	bool created;
	assert_int_equal(peer_set(f.tables, &s, &p, &created), 0);
	struct keying_peer kp = {.peer = p, .keepalive_s = 1};
	assert_int_equal(ip_endpoint_parse("198.51.100.7:4500", &kp.endpoint), 0);
	assert_int_equal(keying_peer_set(k, &kp), 0);
	return p;
}

static void peers_come_and_go(void **state)
{
	struct keying *k = NULL;
	struct keying_config config = {
		.tables = f.tables, .rings = &f.rings, .counters = f.counters, .idle_sleep_us = 50};
	pthread_t reader;
	struct sights seen = {0};
	struct peer *p[PEERS];
	keying_instance_drop(&f.k, f.instance); /* the thread makes its own */
	assert_int_equal(keying_start(&config, &k), 0);
	assert_int_equal(pthread_create(&reader, NULL, read_peers, &seen), 0);
	assert_int_equal(keying_instance_set(k, f.instance, &f.hub_private), 0);
	for (unsigned int round = 0; round < ROUNDS; round++) {
		for (unsigned int n = 0; n < PEERS; n++)
			p[n] = set_peer(k, f.instance, n, round);
		for (unsigned int n = 0; n < PEERS; n++)
			peer_unlink(f.tables, p[n]);
		keying_retire(k);
		for (const struct peer *u = f.tables->unlinked_peers; u != NULL;
			u = u->unlinked_next) {
			assert_false(u->known_to_keying);
			assert_null(u->endpoint);
		}
		tables_reclaim(f.tables);
		void *m;
		while (rte_ring_dequeue(f.rings.inject[0], &m) == 0)
			rte_pktmbuf_free(m);
	}
	/* each order was obeyed before its peer went: the hub wrote to as many as its pace lets it */
	assert_in_range(counted(COUNTER_HANDSHAKE_INITIATIONS_SENT), 3 * PEERS, PEERS * ROUNDS);
	for (unsigned int n = 0; n < PEERS; n++)
		p[n] = set_peer(k, f.instance, n, ROUNDS);
	struct keying_peer_status status = {0};
	for (int tries = 0; status.endpoint.port == 0 && tries < 5000; tries++) {
		(void)usleep(1000);
		keying_peer_status(k, p[PEERS - 1], &status);
	}
	assert_int_equal(status.endpoint.port, 4500);
	atomic_store(&stop, true);
	assert_int_equal(pthread_join(reader, NULL), 0);
	assert_int_equal(seen.torn, 0); /* freed, or seen before it was whole */
	assert_true(seen.good > 0);
	keying_stop(k); /* with peers and timers alive */
	for (unsigned int n = 0; n < PEERS; n++)
		assert_false(p[n]->known_to_keying);
}

/* Questions about OpenVPN's sessions are answered by the thread, of whoever has none, too. */
static void questions_about_sessions(void **state)
{
	struct keying *k = NULL;
	struct keying_config config = {
		.tables = f.tables, .rings = &f.rings, .counters = f.counters, .idle_sleep_us = 50};
	struct keying_client_load load = {9, 9, 9};
	struct keying_client_choice all = {.instance = f.instance};
	struct keying_client_status status[3];
	keying_instance_drop(&f.k, f.instance);
	assert_int_equal(keying_start(&config, &k), 0);
	keying_client_load(k, f.instance, &load); /* of which keying knows nothing yet */
	assert_int_equal(load.sessions, 0);
	assert_int_equal(keying_instance_set(k, f.instance, &f.hub_private), 0);
	struct peer *p = set_peer(k, f.instance, 1, 1), *gone = set_peer(k, f.instance, 2, 1);
	uint64_t handles[] = {peer_handle(p), peer_handle(gone), 0};
	peer_unlink(f.tables, gone);
	keying_client_status(k, handles, 3, status);
	for (unsigned int n = 0; n < 3; n++)
		assert_int_equal(status[n].number, 0);
	assert_true(p->known_to_keying); /* what was told before has come into effect */
	keying_client_load(k, f.instance, &load);
	assert_int_equal(load.sessions + load.received_bytes + load.sent_bytes, 0);
	assert_int_equal(keying_clients_kill(k, &all, false), 0);
	assert_int_equal(keying_listener_sessions(f.instance, &p->id), 0);
	keying_retire(k);
	tables_reclaim(f.tables);
	keying_stop(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(peers_come_and_go, fixture_start, fixture_end),
		cmocka_unit_test_setup_teardown(
			questions_about_sessions, fixture_start, fixture_end),
	};
	return cmocka_run_group_tests(tests, fixture_start_eal, fixture_stop_eal);
}
