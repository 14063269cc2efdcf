// SPDX-License-Identifier: Apache-2.0
/* The replay window against a twin that simply remembers everything. */
#include "dataplane/wg/replay.h"

#include "dataplane/wg/messages.h"
#include "tests/unit/dice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
	COUNTERS = 1 << 20,
	STEPS = 2000000,
	LIFE = 40000, /* steps until both begin anew: the twin's memory is bounded */
};

/* RFC 6479: what is more than the window behind the greatest is old, whatever was seen. */
struct twin {
	uint8_t *seen;
	uint64_t next;
};

static bool twin_accept(struct twin *t, uint64_t counter)
{
	if (counter + REPLAY_WINDOW < t->next || t->seen[counter] != 0)
		return false;
	t->seen[counter] = 1;
	if (counter >= t->next)
		t->next = counter + 1;
	return true;
}

/* Mostly forwards, sometimes far ahead, often back into and behind the window. */
static uint64_t choose(const struct twin *t)
{
	uint64_t r = dice_roll();
	uint64_t at;
	switch (dice_roll() % 10) {
	case 0:
		at = t->next + (r % 20 == 0 ? r % 9000 : r % 200);
		break;
	case 1:
	case 2:
	case 3:
		at = t->next + r % 4;
		break;
	case 4:
		at = t->next > REPLAY_WINDOW + 2 ? t->next - REPLAY_WINDOW - 2 + r % 5 : 0;
		break;
	default:
		at = t->next > 9000 ? t->next - r % 9000 : r % 9000;
		break;
	}
	return at % COUNTERS;
}

static void same_as_the_twin(void **state)
{
	struct replay r;
	struct twin t = {.seen = calloc(COUNTERS, 1)};
	unsigned int accepted = 0;
	replay_init(&r);
	for (unsigned int n = 0; n < STEPS; n++) {
		if (n % LIFE == 0) {
			memset(t.seen, 0, COUNTERS);
			t.next = 0;
			replay_init(&r);
		}
		uint64_t counter = choose(&t);
		bool wanted = twin_accept(&t, counter);
		accepted += wanted;
		if (replay_accept(&r, counter) != wanted)
			fail_msg("step %u, counter %llu, next %llu", n, (unsigned long long)counter,
				(unsigned long long)t.next);
	}
	assert_in_range(accepted, STEPS / 10, STEPS); /* both answers were seen */
	free(t.seen);
}

static void edges(void **state)
{
	struct replay r;
	replay_init(&r);
	assert_true(replay_accept(&r, 0));
	assert_false(replay_accept(&r, 0));
	assert_true(replay_accept(&r, REPLAY_WINDOW));
	assert_true(replay_accept(&r, 1));
	assert_false(replay_accept(&r, 1));
	assert_true(replay_accept(&r, REPLAY_WINDOW + 3));
	assert_false(replay_accept(&r, 2)); /* just out */
	assert_true(replay_accept(&r, REJECT_AFTER_MESSAGES - 1));
	assert_false(replay_accept(&r, REJECT_AFTER_MESSAGES - 1));
	assert_false(replay_accept(&r, REJECT_AFTER_MESSAGES));
	assert_false(replay_accept(&r, UINT64_MAX));
	assert_true(replay_accept(&r, REJECT_AFTER_MESSAGES - 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_as_the_twin),
		cmocka_unit_test(edges),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
