// SPDX-License-Identifier: Apache-2.0
/* Peers on the hub's own cable, of whom nobody knows the MAC address yet. */
#include "dataplane/base/clock.h"
#include "dataplane/table/underlay.h"
#include "tests/unit/keying/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <rte_mbuf.h>

static const char first_peer[] = "198.51.100.7:4500"; /* where client_new() puts a client */

static void set_on_link(void)
{
	struct underlay_route on_link = {0};
	assert_int_equal(ip_prefix_parse("198.51.0.0/16", &on_link.prefix), 0);
	assert_int_equal(underlay_route_set(f.tables, &on_link), 0);
}

static void neighbour_arrives(const char *address)
{
	struct neighbour n = {.mac = {2, 7}, .state = NEIGHBOUR_REACHABLE};
	assert_int_equal(ip_addr_parse(address, &n.addr), 0);
	assert_int_equal(neighbour_set(f.tables, &n), 0);
	(void)keying_round(&f.k);
}

static void an_initiation_waits(void **state)
{
	struct wg_client c;
	struct message_handshake_initiation i;
	set_on_link();
	struct peer *p = client_new(&c, 1, first_peer);
	unsigned int asked = 0;
	for (unsigned int n = 0; n < f.events; n++)
		asked += f.event[n].type == KEYING_EVENT_NEIGHBOUR_MISSING;
	assert_int_equal(asked, 1);
	assert_nothing_injected();
	neighbour_arrives("198.51.100.8"); /* another */
	assert_nothing_injected();
	neighbour_arrives("198.51.100.7");
	take_message(p, &i, sizeof(i));
	neighbour_arrives("198.51.100.7");
	assert_nothing_injected();
	assert_int_equal(counted(COUNTER_DROP_NEIGHBOUR_MISSING), 0);
}

static void a_response_waits(void **state)
{
	struct wg_client c;
	struct message_handshake_initiation i;
	struct message_handshake_response r;
	set_on_link();
	struct peer *p = client_new(&c, 1, NULL);
	client_initiation(&c, &i);
	deliver(&c, &i, sizeof(i));
	assert_nothing_injected();
	neighbour_arrives("198.51.100.7");
	take_message(p, &r, sizeof(r));
}

/* The last one of a peer goes, and no old one. */
static void while_it_is_good(void **state)
{
	struct wg_client c;
	struct message_handshake_initiation i;
	set_on_link();
	struct peer *p = client_new(&c, 1, first_peer);
	for (unsigned int n = 0; n < 3; n++) {
		f.k.now_ns += REKEY_TIMEOUT + REKEY_TIMEOUT_JITTER_MAX;
		(void)keying_round(&f.k);
		assert_int_equal(counted(COUNTER_DROP_NEIGHBOUR_MISSING), n + 1);
	}
	assert_nothing_injected();
	neighbour_arrives("198.51.100.7");
	take_message(p, &i, sizeof(i));
	assert_memory_equal(i.sender_index, &p->keying->remote.initiation.local_index, 4);
	struct wg_client other;
	(void)client_new(&other, 2, "198.51.100.9:4500");
	f.k.now_ns += REKEY_TIMEOUT - 1;
	neighbour_arrives("198.51.100.8");
	f.k.now_ns += 1;
	neighbour_arrives("198.51.100.9");
	assert_int_equal(counted(COUNTER_DROP_NEIGHBOUR_MISSING), 4);
}

static void who_is_gone_gets_nothing(void **state)
{
	struct wg_client c[2];
	struct peer *p[2];
	set_on_link();
	for (uint8_t n = 0; n < 2; n++)
		p[n] = client_new(&c[n], (uint8_t)(n + 1), first_peer);
	peer_unlink(f.tables, p[0]);
	keying_peer_drop(&f.k, p[0]);
	p[1]->expired = 1;
	neighbour_arrives("198.51.100.7");
	assert_nothing_injected();
	assert_int_equal(counted(COUNTER_DROP_NEIGHBOUR_MISSING), 2);
	tables_reclaim(f.tables);
}

/* What finds no room is the worker's to drop, as ever. */
static void many_wait(void **state)
{
	struct wg_client c;
	struct message_handshake_initiation i;
	set_on_link();
	for (unsigned int n = 0; n < HELD_MAX; n++) /* as if others waited */
		f.k.held.message[n] =
			(struct held_message){n, f.k.now_ns, rte_pktmbuf_alloc(f.rings.pool)};
	take_message(client_new(&c, 1, first_peer), &i, sizeof(i));
	f.k.now_ns += REKEY_TIMEOUT;
	(void)client_new(&c, 2, first_peer);
	assert_nothing_injected();
	assert_int_equal(counted(COUNTER_DROP_NEIGHBOUR_MISSING), 1);
}

#define test(name) cmocka_unit_test_setup_teardown(name, fixture_start, fixture_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(an_initiation_waits),
		test(a_response_waits),
		test(while_it_is_good),
		test(who_is_gone_gets_nothing),
		test(many_wait),
	};
	return cmocka_run_group_tests(tests, fixture_start_eal, fixture_stop_eal);
}
