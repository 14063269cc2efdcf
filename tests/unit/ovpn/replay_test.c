// SPDX-License-Identifier: Apache-2.0
/* The window of packet ids against a twin that simply remembers everything. */
#include "dataplane/ovpn/replay.h"

#include "tests/unit/dice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
	IDS = 1 << 20,
	STEPS = 1000000,
	LIFE = 40000, /* steps until both begin anew: the twin's memory is bounded */
};

struct twin {
	uint8_t *seen;
	uint32_t greatest;
};

static bool twin_accept(struct twin *t, uint32_t id)
{
	if (id == 0 || id + PACKET_ID_WINDOW <= t->greatest || t->seen[id] != 0)
		return false;
	t->seen[id] = 1;
	if (id > t->greatest)
		t->greatest = id;
	return true;
}

/* Mostly forwards, sometimes far ahead, often back into and behind the window. */
static uint32_t choose(const struct twin *t)
{
	uint32_t r = dice_roll(), at;
	switch (dice_roll() % 10) {
	case 0:
		at = t->greatest + 1 + (r % 20 == 0 ? r % 5000 : r % 200);
		break;
	case 1:
	case 2:
	case 3:
		at = t->greatest + r % 4;
		break;
	case 4:
		at = t->greatest > PACKET_ID_WINDOW + 2 ? t->greatest - PACKET_ID_WINDOW - 2 + r % 5
							: 0;
		break;
	default:
		at = t->greatest > 5000 ? t->greatest - r % 5000 : r % 5000;
		break;
	}
	return at % IDS;
}

static void same_as_the_twin(void **state)
{
	struct packet_id_window w;
	struct twin t = {.seen = calloc(IDS, 1)};
	unsigned int accepted = 0;
	for (unsigned int n = 0; n < STEPS; n++) {
		if (n % LIFE == 0) {
			memset(t.seen, 0, IDS);
			t.greatest = 0;
			packet_id_window_init(&w, false);
		}
		uint32_t id = choose(&t);
		bool wanted = twin_accept(&t, id);
		accepted += wanted;
		if (packet_id_window_accept(&w, id) != wanted)
			fail_msg("step %u, id %u, greatest %u", n, id, t.greatest);
	}
	assert_in_range(accepted, STEPS / 10, STEPS); /* both answers were seen */
	free(t.seen);
}

static void edges(void **state)
{
	struct packet_id_window w;
	packet_id_window_init(&w, false);
	assert_false(packet_id_window_accept(&w, 0));
	assert_true(packet_id_window_accept(&w, 1));
	assert_false(packet_id_window_accept(&w, 1));
	assert_true(packet_id_window_accept(&w, PACKET_ID_WINDOW + 1));
	assert_false(packet_id_window_accept(&w, 1)); /* just out */
	assert_true(packet_id_window_accept(&w, 2)); /* the oldest one in */
	assert_false(packet_id_window_accept(&w, 2));
	assert_true(packet_id_window_accept(&w, UINT32_MAX));
	assert_false(packet_id_window_accept(&w, UINT32_MAX));
	assert_false(packet_id_window_accept(&w, 0)); /* no wrap */
	assert_false(packet_id_window_accept(&w, 3));
	assert_true(packet_id_window_accept(&w, UINT32_MAX - PACKET_ID_WINDOW + 1));
	assert_false(packet_id_window_accept(&w, UINT32_MAX - PACKET_ID_WINDOW));
}

/* A jump of exactly one ring and of exactly one window leaves nothing of the past behind. */
static void jumps(void **state)
{
	static const uint32_t jump[] = {63, 64, 65, PACKET_ID_WINDOW - 1, PACKET_ID_WINDOW,
		PACKET_ID_BITS - 1, PACKET_ID_BITS, PACKET_ID_BITS + 1, 1U << 31};
	for (size_t i = 0; i < sizeof(jump) / sizeof(jump[0]); i++) {
		struct packet_id_window w;
		packet_id_window_init(&w, false);
		for (uint32_t id = 1; id <= 1000; id++)
			assert_true(packet_id_window_accept(&w, id));
		uint32_t greatest = 1000 + jump[i];
		assert_true(packet_id_window_accept(&w, greatest));
		for (uint32_t back = 1; back < PACKET_ID_WINDOW && back < greatest; back++)
			assert_int_equal(packet_id_window_accept(&w, greatest - back),
				greatest - back > 1000);
	}
}

static void in_order(void **state)
{
	struct packet_id_window w;
	packet_id_window_init(&w, true);
	assert_false(packet_id_window_accept(&w, 0));
	assert_false(packet_id_window_accept(&w, 2));
	assert_true(packet_id_window_accept(&w, 1));
	assert_false(packet_id_window_accept(&w, 1));
	assert_false(packet_id_window_accept(&w, 3));
	assert_true(packet_id_window_accept(&w, 2));
	assert_false(packet_id_window_accept(&w, 1));
	w.greatest = UINT32_MAX - 1;
	assert_true(packet_id_window_accept(&w, UINT32_MAX));
	assert_false(packet_id_window_accept(&w, 0));
	assert_false(packet_id_window_accept(&w, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_as_the_twin),
		cmocka_unit_test(edges),
		cmocka_unit_test(jumps),
		cmocka_unit_test(in_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
