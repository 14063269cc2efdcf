// SPDX-License-Identifier: Apache-2.0
/* Two workers and OpenVPN: the owner of a client opens and seals, whichever worker the packet came to. */
#include "dataplane/base/clock.h"
#include "dataplane/table/instance.h"
#include "dataplane/table/peer.h"
#include "tests/unit/path/ovpn_side.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>
#include <rte_ring.h>

static struct ovpn_side c;
static const struct ovpn_kind v2 = {.is_v2 = true};
static struct path other;
static unsigned int available;

static int start_two(void **state)
{
	struct memory_hub_settings s = {.peers = 4,
		.flags = INSTANCE_SITE_TO_SITE,
		.mbufs = 8191,
		.sites = true,
		.workers = 2};
	int err = memory_hub_new(&hub, &s);
	if (err == 0)
		err = path_init(&other, hub.tables, &hub.rings,
			counter_registry_add(&hub.tables->counters), 1);
	if (err == 0)
		available = rte_mempool_avail_count(hub.rings.pool);
	ovpn_open_port();
	return err;
}

static int end_two(void **state)
{
	unsigned int left = rte_mempool_avail_count(hub.rings.pool);
	path_fini(&other);
	memory_hub_free(&hub);
	return left == available ? 0 : -1;
}

static unsigned int take_over_by(unsigned int worker)
{
	struct rte_mbuf *m[PATH_VECTOR];
	struct path *p = worker == 0 ? &hub.path : &other;
	unsigned int n =
		rte_ring_dequeue_burst(hub.rings.handoff[worker], (void **)m, PATH_VECTOR, NULL);
	path_inject(p, m, (uint16_t)n);
	path_run(p, clock_monotonic_ns());
	return n;
}

static void the_owner_opens_and_seals(void **state)
{
	uint8_t inner[SIZE];
	struct rte_mbuf *sent[2];
	unsigned int owner = tables_owner(hub.tables, hub.peer[0]->slot);
	ovpn_side_begin(&c, 0, &v2);
	make_inner4(inner, SIZE, 0, 2);
	struct rte_mbuf *m = ovpn_frame(&c, inner, SIZE);
	struct path *stranger = owner == 0 ? &other : &hub.path;
	path_receive(stranger, 0, &m, 1);
	path_run(stranger, clock_monotonic_ns());
	assert_int_equal(memory_hub_sent(&hub, sent, 2), 0);
	assert_int_equal(take_over_by(owner), 1);
	assert_int_equal(memory_hub_sent(&hub, sent, 2), 1);
	rte_pktmbuf_free(sent[0]);
	make_inner4(inner, SIZE, 1, 0);
	m = packet_of(inner, SIZE);
	pkt_of(m)->inject = PKT_INJECT_PEER_INNER;
	pkt_of(m)->handle = peer_handle(hub.peer[0]);
	path_inject(stranger, &m, 1);
	path_run(stranger, clock_monotonic_ns());
	assert_int_equal(c.key->send.packet_id, 0);
	assert_int_equal(take_over_by(owner), 1);
	assert_int_equal(memory_hub_sent(&hub, sent, 2), 1);
	uint32_t len;
	assert_memory_equal(ovpn_open(&c, sent[0], OUTER, &len) + 12, inner + 12, SIZE - 12);
	assert_int_equal(len, SIZE);
	rte_pktmbuf_free(sent[0]);
	ovpn_side_end(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(the_owner_opens_and_seals)};
	return cmocka_run_group_tests(tests, start_two, end_two);
}
