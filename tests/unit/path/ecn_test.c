// SPDX-License-Identifier: Apache-2.0
/* What crosses the tunnel of an IP header's type of service: ECN both ways, all of the table of
 * RFC 6040, in all pairs of families; DSCP by policy. */
#include "dataplane/path/ecn.h"

#include "dataplane/table/peer.h"
#include "dataplane/table/session.h"
#include "dataplane/table/underlay.h"
#include "tests/unit/path/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
	DSCP = 46 << 2, /* expedited forwarding */
	LOST = 9,
};

static void set_tos(uint8_t *ip, uint8_t tos)
{
	if (ip[0] >> 4 == 4) {
		ip[1] = tos;
		fix_inner_checksum(ip);
	} else {
		ip[0] = (uint8_t)(0x60 | tos >> 4);
		ip[1] = (uint8_t)(tos << 4 | 0x0a); /* and something of a flow label */
	}
}

static struct rte_mbuf *frame_with(bool inner_v6, uint8_t inner_tos, bool outer_v6, uint8_t tos)
{
	static uint8_t inner[SIZE];
	if (inner_v6)
		make_inner6(inner, SIZE, 0, 1);
	else
		make_inner4(inner, SIZE, 0, 1);
	set_tos(inner, inner_tos);
	struct rte_mbuf *m = frame_from(0, inner, SIZE);
	m = outer_v6 ? in_ipv6(m) : m;
	set_tos(byte_of(m, 14), tos);
	return m;
}

/* RFC 6040 figure 4, written out once more: rows inner, columns outer, in order of codepoints. */
static const uint8_t wanted[4][4] = {
	{0, 0, 0, LOST},
	{1, 1, 1, 3},
	{2, 1, 2, 3},
	{3, 3, 3, 3},
};

static void forget_roaming(void)
{
	drop_all_from_keying();
	hub.peer[0]->roaming = 0;
}

static void decapsulated(void **state)
{
	for (unsigned int n = 0; n < 64; n++) {
		bool inner_v6 = (n & 16) != 0, outer_v6 = (n & 32) != 0;
		uint8_t inner = n / 4 % 4, outer = n % 4;
		struct rte_mbuf *sent,
			*m = frame_with(inner_v6, inner | DSCP, outer_v6, outer | 0x20);
		uint16_t len;
		if (wanted[inner][outer] == LOST) {
			assert_dropped(m, COUNTER_DROP_ECN);
		} else {
			assert_int_equal(path_take(m, &sent), 1);
			uint8_t ip[SIZE];
			memcpy(ip, open_sent(sent, 1, &len), SIZE);
			assert_int_equal(ecn_tos(ip), wanted[inner][outer] | DSCP);
			if (inner_v6)
				assert_int_equal(ip[1] & 0x0f, 0x0a);
			else
				assert_int_equal(checksum(ip, 20), 0xffff);
			/* RFC 6040 section 4.1, normal mode: and out again as the inner one is */
			assert_int_equal(*byte_of(sent, 15), wanted[inner][outer]);
			assert_int_equal(checksum(byte_of(sent, 14), 20), 0xffff);
			rte_pktmbuf_free(sent);
		}
		forget_roaming();
	}
}

static void sent_over_ipv6(void **state)
{
	struct endpoint *old = hub.peer[1]->endpoint,
			*new = slab_alloc(&hub.tables->endpoint_memory);
	struct neighbour missing;
	bool is_missing;
	struct rte_mbuf *sent;
	if (new == NULL)
		abort();
	assert_int_equal(ip_addr_parse("2001:db8:1::7", &new->remote.addr), 0);
	new->remote.port = 7;
	assert_int_equal(underlay_resolve(hub.tables, new, &is_missing, &missing), 0);
	hub.peer[1]->endpoint = new;
	for (uint8_t ecn = 0; ecn < 4; ecn++) {
		assert_int_equal(path_take(frame_with(false, ecn | DSCP, false, 0), &sent), 1);
		assert_int_equal(ecn_tos(byte_of(sent, 14)), ecn);
		assert_int_equal(
			checksum6(byte_of(sent, 14), (uint16_t)(sent->data_len - 14)), 0xffff);
		rte_pktmbuf_free(sent);
	}
	hub.path.tos_mask = UINT8_MAX;
	assert_int_equal(path_take(frame_with(true, 2 | DSCP, false, 0), &sent), 1);
	assert_int_equal(ecn_tos(byte_of(sent, 14)), 2 | DSCP);
	rte_pktmbuf_free(sent);
	hub.path.tos_mask = ECN_MASK;
	hub.peer[1]->endpoint = old;
	slab_free(new);
}

/* The policy decides at the start. */
static void dscp_by_policy(void **state)
{
	struct rte_mbuf *sent;
	for (unsigned int copy = 0; copy < 2; copy++) {
		uint8_t wanted_tos = copy ? 1 | DSCP : 1;
		path_fini(&hub.path);
		hub.tables->copy_dscp = copy;
		assert_int_equal(path_init(&hub.path, hub.tables, &hub.rings, hub.counters, 0), 0);
		for (unsigned int v6 = 0; v6 < 2; v6++) {
			assert_int_equal(path_take(frame_with(v6, 1 | DSCP, false, 1), &sent), 1);
			assert_int_equal(*byte_of(sent, 15), wanted_tos);
			rte_pktmbuf_free(sent);
		}
	}
}

/* As WireGuard does elsewhere: handshakes are AF41, keepalives nothing. */
static void own_messages(void **state)
{
	static const uint8_t response[92] = {2};
	struct rte_mbuf *sent;
	uint64_t to = peer_handle(hub.peer[1]);
	assert_int_equal(path_take_injected(packet_of(response, sizeof(response)),
				 PKT_INJECT_PEER_OUTER, to, &sent),
		1);
	assert_int_equal(*byte_of(sent, 15), 0x88);
	rte_pktmbuf_free(sent);
	assert_int_equal(
		path_take_injected(packet_of(NULL, 0), PKT_INJECT_PEER_INNER, to, &sent), 1);
	assert_int_equal(*byte_of(sent, 15), 0);
	rte_pktmbuf_free(sent);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decapsulated),
		cmocka_unit_test(sent_over_ipv6),
		cmocka_unit_test(own_messages),
		cmocka_unit_test(dscp_by_policy),
	};
	return cmocka_run_group_tests(tests, fixture_start6, fixture_end);
}
