// SPDX-License-Identifier: Apache-2.0
/* Rings are bounded and give back what was left inside; counters are summed and have names. */
#include "dataplane/table/rings.h"

#include "dataplane/table/counter.h"
#include "dataplane/table/pkt.h"
#include "dataplane/table/port.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <rte_eal.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

enum {
	MBUFS = 2047,
};

static int start_eal(void **state)
{
	static char *args[] = {"rings_test", "--no-huge", "-m", "64", "--no-pci", "--no-shconf",
		"--no-telemetry", "--iova-mode=va", "--log-level=error", "-l", "0", NULL};
	return rte_eal_init((int)(sizeof(args) / sizeof(args[0])) - 1, args) < 0 ? -1 : 0;
}

static int stop_eal(void **state)
{
	return rte_eal_cleanup();
}

static void messages_come_out_in_order(void **state)
{
	struct rings r;
	struct keying_message m = {.type = KEYING_ROAM}, got = {0};
	assert_int_equal(rings_init(&r, MBUFS, 2, ETHERNET_MTU), 0);
	assert_false(rings_keying_get(&r, &got));
	unsigned int put = 0;
	for (;; put++) {
		m.index = put;
		m.peer = (uint64_t)put << 32 | 7;
		m.remote.bytes[15] = (uint8_t)put;
		if (!rings_keying_put(&r, &m))
			break;
	}
	assert_in_range(put, 1000, 10000); /* bounded */
	for (unsigned int i = 0; i < put; i++) {
		m.index = i;
		m.peer = (uint64_t)i << 32 | 7;
		m.remote.bytes[15] = (uint8_t)i;
		assert_true(rings_keying_get(&r, &got));
		assert_memory_equal(&got, &m, sizeof(m));
	}
	assert_false(rings_keying_get(&r, &got));
	rings_fini(&r);
}

/* Each mbuf has its own private line and room for a whole packet with all that goes in front. */
static void packets(void **state)
{
	struct rings r;
	assert_int_equal(rings_init(&r, MBUFS, 2, ETHERNET_MTU), 0);
	struct rte_mbuf *a = rte_pktmbuf_alloc(r.pool), *b = rte_pktmbuf_alloc(r.pool);
	if (a == NULL || b == NULL) {
		fail();
		return;
	}
	assert_true(rte_pktmbuf_tailroom(a) >= 2048);
	assert_true(rte_pktmbuf_headroom(a) >= 62 + 16);
	memset(pkt_of(a), 0x5a, PKT_PRIVATE_SIZE);
	memset(rte_pktmbuf_append(a, 2048), 0xa5, 2048);
	assert_int_equal(((uint8_t *)pkt_of(a))[PKT_PRIVATE_SIZE - 1], 0x5a);
	assert_int_equal(rte_pktmbuf_mtod(a, uint8_t *)[0], 0xa5);
	assert_true((uintptr_t)pkt_of(b) % 64 == 0);
	rte_pktmbuf_free(a);
	rte_pktmbuf_free(b);
	rings_fini(&r);
}

static void full_rings_keep_nothing(void **state)
{
	struct rings r;
	assert_int_equal(rings_init(&r, MBUFS, 2, ETHERNET_MTU), 0);
	unsigned int available = rte_mempool_avail_count(r.pool), put = 0;
	for (;; put++) {
		struct rte_mbuf *m = rte_pktmbuf_alloc(r.pool);
		if (m == NULL || !rings_inject_put(&r, 1, m)) {
			rte_pktmbuf_free(m);
			break;
		}
	}
	assert_in_range(put, 512, MBUFS - 1);
	assert_int_equal(rte_mempool_avail_count(r.pool), available - put);
	rings_fini(&r); /* with all of them inside */
	assert_null(r.pool);
	/* the names are free again: nothing was left behind */
	assert_int_equal(rings_init(&r, MBUFS, 2, ETHERNET_MTU), 0);
	assert_int_equal(rte_mempool_avail_count(r.pool), available);
	rings_fini(&r);
}

static void no_memory(void **state)
{
	struct rings r;
	assert_true(rings_init(&r, 1 << 24, 2, ETHERNET_MTU) < 0);
	assert_null(r.pool);
	assert_null(r.keying);
}

static void counters_are_summed(void **state)
{
	struct counter_registry r = {0};
	struct counters *block[COUNTER_MAX_THREADS];
	for (unsigned int i = 0; i < COUNTER_MAX_THREADS; i++) {
		block[i] = counter_registry_add(&r);
		if (block[i] == NULL) {
			fail();
			return;
		}
		counter_add(block[i], COUNTER_DROP_TTL, i);
		counter_add(block[i], COUNTER_DROP_TTL, 1);
	}
	assert_null(counter_registry_add(&r));
	assert_int_equal(counter_registry_sum(&r, COUNTER_DROP_TTL), 64 * 63 / 2 + 64);
	assert_int_equal(counter_registry_sum(&r, COUNTER_DROP_MTU), 0);
	counter_registry_fini(&r);
}

/* One name each, none twice, and those of drops say so. */
static void counters_have_names(void **state)
{
	for (int c = 0; c < COUNTER__COUNT; c++) {
		const char *name = counter_name(c);
		assert_non_null(name);
		assert_true(strlen(name) < 48); /* the API's room */
		assert_int_equal(strncmp(name, "drop_", 5) == 0, c >= COUNTER_DROP__FIRST);
		for (int other = 0; other < c; other++)
			assert_string_not_equal(name, counter_name(other));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_come_out_in_order),
		cmocka_unit_test(packets),
		cmocka_unit_test(full_rings_keep_nothing),
		cmocka_unit_test(no_memory),
		cmocka_unit_test(counters_are_summed),
		cmocka_unit_test(counters_have_names),
	};
	return cmocka_run_group_tests(tests, start_eal, stop_eal);
}
