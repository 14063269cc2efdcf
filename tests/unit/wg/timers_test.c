// SPDX-License-Identifier: Apache-2.0
/* Paper, section 6, with a clock in the hand: what is due when. */
#include "dataplane/wg/timers.h"

#include "dataplane/base/clock.h"
#include "dataplane/wg/keypair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define START (1000 * NS_PER_SEC)

/* Steps every 10 ms until the time; the first moment at which the action came, 0 if it did not. */
static uint64_t until(struct timers *t, const struct timer_stamps *s, uint64_t from, uint64_t to,
	unsigned int action)
{
	uint64_t next;
	for (uint64_t now = from; now <= to; now += 10 * NS_PER_MS) {
		if ((timers_step(t, s, now, &next) & action) != 0)
			return now;
	}
	return 0;
}

static void assert_about(uint64_t at, uint64_t wanted)
{
	assert_in_range(at, wanted, wanted + REKEY_TIMEOUT_JITTER_MAX + 20 * NS_PER_MS);
}

static void an_initiation_is_sent_again_and_given_up(void **state)
{
	struct timers t;
	struct timer_stamps s = {0};
	uint64_t next;
	timers_init(&t, 0);
	timers_want_handshake(&t);
	unsigned int sent = 0;
	uint64_t last = 0, gave_up = 0;
	for (uint64_t now = START; gave_up == 0 && now < START + 200 * NS_PER_SEC;
		now += 10 * NS_PER_MS) {
		unsigned int due = timers_step(&t, &s, now, &next);
		if ((due & TIMERS_SEND_INITIATION) != 0) {
			if (last != 0)
				assert_about(now - last, REKEY_TIMEOUT);
			last = now;
			sent++;
			timers_initiation_sent(&t, now, 7777777);
		}
		if ((due & TIMERS_GIVE_UP) != 0)
			gave_up = now;
	}
	assert_in_range(sent, 18, 20); /* 90 s of one each 5 s, as in the kernel */
	assert_in_range(gave_up - START, REKEY_ATTEMPT_TIME - REKEY_TIMEOUT,
		REKEY_ATTEMPT_TIME + 3 * REKEY_TIMEOUT);
	assert_int_equal(until(&t, &s, gave_up + NS_PER_MS, gave_up + 60 * NS_PER_SEC,
				 TIMERS_SEND_INITIATION),
		0);
}

static void initiations_keep_their_distance(void **state)
{
	struct timers t;
	struct timer_stamps s = {0};
	uint64_t next;
	timers_init(&t, 0);
	timers_want_handshake(&t);
	assert_true((timers_step(&t, &s, START, &next) & TIMERS_SEND_INITIATION) != 0);
	timers_initiation_sent(&t, START, 0);
	timers_handshake_received(&t, START + NS_PER_MS);
	timers_session_derived(&t, START + NS_PER_MS);
	timers_handshake_complete(&t);
	timers_want_handshake(&t);
	uint64_t at = until(
		&t, &s, START + 2 * NS_PER_MS, START + 20 * NS_PER_SEC, TIMERS_SEND_INITIATION);
	assert_about(at, START + REKEY_TIMEOUT);
}

/* Data came and nothing went back: after KEEPALIVE_TIMEOUT we say that we live, once. */
static void passive_keepalive(void **state)
{
	struct timers t;
	struct timer_stamps s = {
		.last_any_received_ns = START, .first_data_received_since_send_ns = START};
	timers_init(&t, 0);
	timers_session_derived(&t, START);
	timers_handshake_complete(&t);
	uint64_t at = until(&t, &s, START, START + 60 * NS_PER_SEC, TIMERS_SEND_KEEPALIVE);
	assert_about(at, START + KEEPALIVE_TIMEOUT);
	s.first_data_received_since_send_ns = 0;
	s.last_any_sent_ns = at;
	assert_int_equal(
		until(&t, &s, at + NS_PER_MS, at + 60 * NS_PER_SEC, TIMERS_SEND_KEEPALIVE), 0);
}

static void persistent_keepalive(void **state)
{
	struct timers t;
	struct timer_stamps s = {0};
	uint64_t at = START;
	timers_init(&t, 0);
	timers_session_derived(&t, START);
	timers_handshake_complete(&t);
	timers_set_keepalive(&t, 25, START);
	for (unsigned int n = 0; n < 4; n++) {
		uint64_t sent =
			until(&t, &s, at + NS_PER_MS, at + 60 * NS_PER_SEC, TIMERS_SEND_KEEPALIVE);
		assert_in_range(sent - at, 25 * NS_PER_SEC - 20 * NS_PER_MS,
			25 * NS_PER_SEC + 50 * NS_PER_MS);
		at = sent;
		s.last_any_sent_ns = at;
	}
}

/* We sent data and heard nothing for KEEPALIVE_TIMEOUT + REKEY_TIMEOUT: a new handshake. */
static void silence_asks_for_a_handshake(void **state)
{
	struct timers t;
	struct timer_stamps s = {
		.last_any_sent_ns = START, .first_data_sent_since_receive_ns = START};
	timers_init(&t, 0);
	timers_session_derived(&t, START - 10 * NS_PER_SEC);
	timers_handshake_complete(&t);
	uint64_t at = until(&t, &s, START, START + 60 * NS_PER_SEC, TIMERS_SEND_INITIATION);
	assert_about(at, START + KEEPALIVE_TIMEOUT + REKEY_TIMEOUT);
}

static void keys_are_wiped_after_three_times_reject(void **state)
{
	struct timers t;
	struct timer_stamps s = {0};
	timers_init(&t, 0);
	timers_session_derived(&t, START);
	timers_handshake_complete(&t);
	uint64_t at = until(&t, &s, START, START + 700 * NS_PER_SEC, TIMERS_ZERO_KEYS);
	assert_about(at, START + 3 * REJECT_AFTER_TIME);
}

static void a_quiet_peer_needs_nothing(void **state)
{
	struct timers t;
	struct timer_stamps s = {0};
	uint64_t next = 0;
	timers_init(&t, 0);
	assert_int_equal(timers_step(&t, &s, START, &next), 0);
	assert_true(next == UINT64_MAX);
}

static void keypair_rules(void **state)
{
	static struct keypair k;
	k.birth_ns = START;
	assert_false(keypair_expired(&k, START + REJECT_AFTER_TIME - 1));
	assert_true(keypair_expired(&k, START + REJECT_AFTER_TIME));
	assert_true(keypair_may_send(&k, REJECT_AFTER_MESSAGES - 1, START));
	assert_false(keypair_may_send(&k, REJECT_AFTER_MESSAGES, START));
	assert_false(keypair_may_send(&k, 0, START + REJECT_AFTER_TIME));
	assert_true(keypair_wants_rekey_on_send(&k, REKEY_AFTER_MESSAGES, START));
	/* only the initiator goes by time, or both would start at the same moment */
	assert_false(keypair_wants_rekey_on_send(&k, 0, START + REKEY_AFTER_TIME));
	assert_false(keypair_wants_rekey_on_receive(&k, START + REJECT_AFTER_TIME - 1));
	k.is_initiator = true;
	assert_false(keypair_wants_rekey_on_send(&k, 0, START + REKEY_AFTER_TIME - 1));
	assert_true(keypair_wants_rekey_on_send(&k, 0, START + REKEY_AFTER_TIME));
	assert_false(keypair_wants_rekey_on_receive(&k, START + 165 * NS_PER_SEC - 1));
	assert_true(keypair_wants_rekey_on_receive(&k, START + 165 * NS_PER_SEC));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_initiation_is_sent_again_and_given_up),
		cmocka_unit_test(initiations_keep_their_distance),
		cmocka_unit_test(passive_keepalive),
		cmocka_unit_test(persistent_keepalive),
		cmocka_unit_test(silence_asks_for_a_handshake),
		cmocka_unit_test(keys_are_wiped_after_three_times_reject),
		cmocka_unit_test(a_quiet_peer_needs_nothing),
		cmocka_unit_test(keypair_rules),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
