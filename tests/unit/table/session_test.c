// SPDX-License-Identifier: Apache-2.0
/* Receiver indices: who holds one, what a worker and what keying finds under it. */
#include "dataplane/table/session.h"

#include "dataplane/table/peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
	SLOT_MASK = (1 << SESSION_SLOTS_LOG2) - 1,
	INDICES = 20000,
};

static struct peer peers[2];
static struct session sessions[2];

static void from_reserved_to_released(void **state)
{
	struct session_table *t = NULL;
	uint32_t index = 0;
	assert_int_equal(session_table_new(&t), 0);
	assert_int_equal(session_index_reserve(t, &peers[0], &index), 0);
	assert_int_not_equal(index, 0);
	/* a handshake: keying knows the peer, workers know nothing */
	assert_ptr_equal(session_index_peer(t, index), &peers[0]);
	assert_null(session_lookup(t, index));
	sessions[0] = (struct session){.keypair.local_index = index, .peer = &peers[0]};
	session_index_bind(t, index, &sessions[0]);
	assert_ptr_equal(session_index_peer(t, index), &peers[0]);
	assert_ptr_equal(session_lookup(t, index), &sessions[0]);
	session_index_release(t, index);
	assert_null(session_index_peer(t, index));
	assert_null(session_lookup(t, index));
	session_table_free(t);
}

/* The slot alone is no right: the random half must fit too. */
static void stale_indices(void **state)
{
	struct session_table *t = NULL;
	uint32_t index = 0;
	assert_int_equal(session_table_new(&t), 0);
	assert_int_equal(session_index_reserve(t, &peers[0], &index), 0);
	uint32_t other = index ^ 1U << 31;
	assert_null(session_index_peer(t, other));
	session_index_release(t, other); /* not held: nothing happens */
	session_index_release(t, 0);
	assert_ptr_equal(session_index_peer(t, index), &peers[0]);
	assert_null(session_index_peer(t, 0));
	assert_null(session_lookup(t, 0));
	sessions[0] = (struct session){.keypair.local_index = index, .peer = &peers[0]};
	session_index_bind(t, index, &sessions[0]);
	/* a worker finds the slot's session and compares by itself */
	assert_ptr_equal(session_lookup(t, other), &sessions[0]);
	assert_int_not_equal(session_lookup(t, other)->keypair.local_index, other);
	session_table_free(t);
}

static int compare_numbers(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

/* Many at once share no slot, and their order tells nothing about their number. */
static void indices_are_scattered(void **state)
{
	static uint32_t index[INDICES], slot[INDICES];
	struct session_table *t = NULL;
	unsigned int rising = 0, high_bits = 0;
	assert_int_equal(session_table_new(&t), 0);
	for (unsigned int i = 0; i < INDICES; i++) {
		assert_int_equal(session_index_reserve(t, &peers[i % 2], &index[i]), 0);
		slot[i] = index[i] & SLOT_MASK;
		rising += i > 0 && slot[i] > slot[i - 1];
		high_bits |= index[i] >> SESSION_SLOTS_LOG2;
	}
	assert_in_range(rising, INDICES * 2 / 5, INDICES * 3 / 5);
	assert_int_equal(high_bits, (1 << (32 - SESSION_SLOTS_LOG2)) - 1);
	for (unsigned int i = 0; i < INDICES; i++)
		assert_ptr_equal(session_index_peer(t, index[i]), &peers[i % 2]);
	qsort(slot, INDICES, sizeof(slot[0]), compare_numbers);
	for (unsigned int i = 1; i < INDICES; i++)
		assert_true(slot[i] != slot[i - 1]);
	for (unsigned int i = 0; i < INDICES; i++)
		session_index_release(t, index[i]);
	for (unsigned int i = 0; i < INDICES; i++)
		assert_null(session_index_peer(t, index[i]));
	session_table_free(t);
}

/* B11, T-WG-19: each byte of an index is as good as drawn: chi-square over 255 degrees of freedom, far
 * out on both sides. A counter is too even, a poor generator too uneven. */
static void indices_look_random(void **state)
{
	static unsigned int drawn[4][256];
	struct session_table *t = NULL;
	memset(drawn, 0, sizeof(drawn));
	assert_int_equal(session_table_new(&t), 0);
	for (unsigned int i = 0; i < INDICES; i++) {
		uint32_t index = 0;
		assert_int_equal(session_index_reserve(t, &peers[0], &index), 0);
		for (unsigned int b = 0; b < 4; b++)
			drawn[b][index >> (8 * b) & 0xff]++;
		session_index_release(t, index);
	}
	for (unsigned int b = 0; b < 4; b++) {
		double wanted = INDICES / 256.0, chi = 0;
		for (unsigned int v = 0; v < 256; v++)
			chi += (drawn[b][v] - wanted) * (drawn[b][v] - wanted) / wanted;
		assert_true(chi > 130 && chi < 420); /* outside by chance once in 10^9 */
	}
	session_table_free(t);
}

/* A full table refuses within a bounded number of draws. */
static void full_table(void **state)
{
	struct session_table *t = NULL;
	uint32_t index = 0, last = 0;
	unsigned int held = 0;
	assert_int_equal(session_table_new(&t), 0);
	while (session_index_reserve(t, &peers[0], &index) == 0) {
		last = index;
		held++;
	}
	assert_in_range(held, 1 << (SESSION_SLOTS_LOG2 - 1), 1 << SESSION_SLOTS_LOG2);
	assert_int_equal(index, last); /* untouched on failure */
	session_table_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(from_reserved_to_released),
		cmocka_unit_test(stale_indices),
		cmocka_unit_test(indices_are_scattered),
		cmocka_unit_test(indices_look_random),
		cmocka_unit_test(full_table),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
