// SPDX-License-Identifier: Apache-2.0
/*
 * 72 hours between two hubs in seconds: traffic one way, both ways or none, with and without
 * keepalives, over a network that loses, delays, reorders and doubles, while clocks of people jump.
 * What must hold is checked at every step, from outside: by what is on the wire and by when. A seed
 * that failed comes back in every run when its line is added to tests/data/simulation.seeds.
 *
 *   simulation_test SEEDS_FILE [SEED...]     NAVE_LONG=1: many seeds
 */
#include "dataplane/base/clock.h"
#include "tests/unit/keying/world.h"

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
	HOURS = 72,
	SEEDS = 5,
	SEEDS_LONG = 100,
	IN_FLIGHT_MAX = 64,
	NUMBERS_MAX = 1 << 21, /* inner packets of a run */
	KEEPALIVE_FRAME = OUTER_LEN + sizeof(struct message_data) + 16,
	SLACK_MS = 20, /* two ticks of the wheel, and rounding */
};

#define SLACK_NS (SLACK_MS * NS_PER_MS)
#define RETRY_MAX_NS (REKEY_TIMEOUT + REKEY_TIMEOUT_JITTER_MAX + SLACK_NS)
#define QUIET_AFTER_NS (300 * NS_PER_SEC) /* attempts, keepalives and what waited are over */
#define RECOVERY_NS \
	(6 * NS_PER_SEC + NS_PER_SEC / 2) /* a try, its jitter, and three times the way */

/* A frame on its way. */
struct flight {
	uint64_t at_ns;
	unsigned int to;
	uint16_t len;
	uint8_t bytes[FRAME_MAX];
};

/* How the world is for some minutes. */
struct phase {
	uint64_t begin_ns, end_ns;
	bool sends[SIDES];
	uint64_t interval_ns; /* most between two packets of a side */
	unsigned int loss, doubled; /* percent */
	uint64_t delay_ns; /* most */
	bool keepalive;
};

/* What is known of a side from outside. */
struct seen {
	uint64_t next_send_ns;
	uint64_t last_initiation_ns, attempt_ns; /* 0: none is open */
	uint64_t last_offer_ns; /* an inner packet was given to it */
	uint64_t
		heard_data_ns; /* a packet with something in it came, which wants a keepalive at least */
	uint64_t unanswered_ns; /* data left and nothing authentic came since; 0: none */
	uint64_t derived_ns;
	uint64_t derived; /* sessions so far */
	uint64_t derived_at_begin; /* of the phase */
	unsigned int given_up;
	const struct session *current;
	uint32_t index[2]; /* the receiver indices it sealed for last, and their counters */
	uint64_t counter[2];
	uint64_t first_delivered_ns; /* since the phase began, of what was sent since */
	bool was_alone; /* since the phase began: with a key that the other had no more */
};

struct simulation {
	uint64_t seed;
	struct world w;
	struct phase phase;
	struct seen seen[SIDES];
	struct flight flight[IN_FLIGHT_MAX];
	unsigned int flights;
	uint32_t numbers, phase_number; /* given so far; when the phase began */
	bool delivered[NUMBERS_MAX];
	uint64_t delivered_count, handshakes, initiations;
};

static struct simulation s;

static void must(bool held, unsigned int side, const char *what)
{
	if (held)
		return;
	print_message("add to tests/data/simulation.seeds: %" PRIu64 "  # side %u, %.3f s: %s\n",
		s.seed, side, (double)s.w.now_ns / (double)NS_PER_SEC, what);
	fail();
}

static uint64_t roll_below(uint64_t n)
{
	return n == 0 ? 0 : world_roll() % n;
}

static void put_into_network(unsigned int from, const uint8_t *frame, uint16_t len)
{
	if (roll_below(100) < s.phase.loss || s.flights == IN_FLIGHT_MAX)
		return;
	struct flight *f = &s.flight[s.flights++];
	f->at_ns = s.w.now_ns + NS_PER_MS + roll_below(s.phase.delay_ns);
	f->to = 1 - from;
	f->len = len;
	memcpy(f->bytes, frame, len);
}

/* No number is used twice under one key, and no key past its time. */
static void check_data(unsigned int side, const uint8_t *message)
{
	struct seen *o = &s.seen[side];
	uint32_t index = message_read_le32(message + 4);
	uint64_t counter = message_read_le64(message + 8);
	const struct session *c = s.w.side[side].peer->current;
	must(c != NULL && c->keypair.remote_index == index, side, "sealed with another key");
	if (c == NULL)
		return; /* for the analyzer: must() does not come back */
	must(s.w.now_ns - c->keypair.birth_ns < REJECT_AFTER_TIME, side, "sealed with an old key");
	must(counter < REJECT_AFTER_MESSAGES, side, "a counter beyond the limit");
	unsigned int slot = o->index[0] == index ? 0 : 1;
	if (o->index[slot] != index) { /* a key that was not used lately: it begins at 0 */
		o->index[1] = o->index[0];
		o->counter[1] = o->counter[0];
		slot = 0;
		o->index[0] = index;
		o->counter[0] = UINT64_MAX;
	}
	must(counter == o->counter[slot] + 1, side, "a counter came twice, or one is missing");
	o->counter[slot] = counter;
}

/*
 * Why a side may begin: it has data, or a keepalive that it owes, and no key; its key as initiator is due; or
 * it hears nothing.
 */
static bool may_begin(unsigned int side)
{
	const struct seen *o = &s.seen[side];
	const struct session *c = s.w.side[side].peer->current;
	uint64_t age = c != NULL ? s.w.now_ns - c->keypair.birth_ns : UINT64_MAX;
	bool recent_offer = s.w.now_ns - o->last_offer_ns < REKEY_TIMEOUT + SLACK_NS;
	if (o->unanswered_ns != 0
		&& s.w.now_ns - o->unanswered_ns >= KEEPALIVE_TIMEOUT + REKEY_TIMEOUT)
		return true;
	bool owes = s.w.now_ns - o->heard_data_ns < KEEPALIVE_TIMEOUT + SLACK_NS;
	if (age >= REJECT_AFTER_TIME)
		return recent_offer || owes || s.phase.keepalive || s.initiations < SIDES;
	return c->keypair.is_initiator && age >= REKEY_AFTER_TIME;
}

static void check_initiation(unsigned int side)
{
	struct seen *o = &s.seen[side];
	uint64_t since = s.w.now_ns - o->last_initiation_ns;
	must(o->last_initiation_ns == 0 || since >= REKEY_TIMEOUT, side, "initiations too close");
	if (o->attempt_ns == 0) {
		must(may_begin(side), side, "an initiation without a reason");
		o->attempt_ns = s.w.now_ns;
	}
	must(s.w.now_ns - o->attempt_ns < REKEY_ATTEMPT_TIME, side, "an attempt without end");
	o->last_initiation_ns = s.w.now_ns;
	s.initiations++;
}

static void note_sent(unsigned int side, const uint8_t *message, uint16_t len)
{
	struct seen *o = &s.seen[side];
	bool is_data = message[0] == MESSAGE_DATA;
	if (is_data)
		check_data(side, message);
	if (is_data && len > sizeof(struct message_data) + 16 && o->unanswered_ns == 0)
		o->unanswered_ns = s.w.now_ns;
	if (message[0] == MESSAGE_HANDSHAKE_INITIATION)
		check_initiation(side);
	bool idle = !s.phase.sends[0] && !s.phase.sends[1] && !s.phase.keepalive;
	must(!idle || s.w.now_ns - s.phase.begin_ns < QUIET_AFTER_NS, side, "idle, and it speaks");
}

static void take_sent(unsigned int side)
{
	uint8_t frame[FRAME_MAX];
	for (uint16_t len = world_sent(&s.w, side, frame); len > 0;
		len = world_sent(&s.w, side, frame)) {
		note_sent(side, frame + OUTER_LEN, (uint16_t)(len - OUTER_LEN));
		put_into_network(side, frame, len);
		if (roll_below(100) < s.phase.doubled)
			put_into_network(side, frame, len);
	}
}

static void take_delivered(unsigned int side)
{
	uint32_t number;
	while (world_delivered(&s.w, &number)) {
		must(number < s.numbers && !s.delivered[number], side, "accepted twice");
		s.delivered[number] = true;
		s.delivered_count++;
		if (number >= s.phase_number && s.seen[1 - side].first_delivered_ns == 0)
			s.seen[1 - side].first_delivered_ns = s.w.now_ns;
	}
}

/*
 * Two responses came through and neither confirmation: the initiator went two keys further, and has thrown
 * away the one that the responder still uses.
 */
static bool other_has_key(unsigned int side)
{
	const struct session *own = s.w.side[side].peer->current;
	const struct peer *other = s.w.side[1 - side].peer;
	const struct session *const has[] = {other->current, other->previous, other->next};
	for (unsigned int n = 0; own != NULL && n < sizeof(has) / sizeof(has[0]); n++) {
		if (has[n] != NULL && has[n]->keypair.local_index == own->keypair.remote_index)
			return true;
	}
	return own == NULL;
}

/* What changed inside while a side worked, and what must be so at any time. */
static void check_side(unsigned int side)
{
	struct seen *o = &s.seen[side];
	const struct side *x = &s.w.side[side];
	const struct peer *p = x->peer;
	uint64_t derived = counter_registry_sum(&x->tables->counters, COUNTER_HANDSHAKES_COMPLETED);
	if (derived != o->derived) {
		o->derived = derived;
		o->derived_ns = s.w.now_ns;
		o->unanswered_ns = 0; /* a handshake message is an answer too */
	}
	if (p->current != o->current && p->current != NULL)
		o->attempt_ns = 0;
	o->current = p->current;
	if (x->given_up != o->given_up) {
		must(s.w.now_ns - o->attempt_ns >= REKEY_ATTEMPT_TIME
				&& s.w.now_ns - o->attempt_ns < REKEY_ATTEMPT_TIME + RETRY_MAX_NS,
			side, "given up too early or too late");
		o->given_up = x->given_up;
		o->attempt_ns = 0;
	}
	must(o->attempt_ns == 0 || s.w.now_ns - o->last_initiation_ns <= RETRY_MAX_NS, side,
		"a try is missing");
	must(p->staged_count <= STAGED_MAX, side, "too many wait");
	bool keys = p->current != NULL || p->next != NULL || p->previous != NULL;
	must(!keys || s.w.now_ns - o->derived_ns <= 3 * REJECT_AFTER_TIME + SLACK_NS, side,
		"keys that should be zero");
	/* after loss there is a session again in the time of one try, once the other's silence was noticed */
	o->was_alone = o->was_alone || !other_has_key(side);
	uint64_t passed = s.w.now_ns - s.phase.begin_ns;
	uint64_t most = RECOVERY_NS + (o->was_alone ? KEEPALIVE_TIMEOUT + REKEY_TIMEOUT : 0);
	must(s.phase.loss > 0 || !s.phase.sends[side] || s.phase.interval_ns > NS_PER_SEC / 2
			|| passed < most || o->first_delivered_ns != 0,
		side, "no way after the loss ended");
}

static void settle(unsigned int side)
{
	take_sent(side);
	take_delivered(side);
	check_side(side);
}

static void end_phase(void)
{
	uint64_t minutes = (s.phase.end_ns - s.phase.begin_ns) / (60 * NS_PER_SEC);
	for (unsigned int side = 0; side < SIDES; side++) {
		uint64_t made = s.seen[side].derived - s.seen[side].derived_at_begin;
		/* each two minutes one, from one of the two: not one from each for ever */
		must(s.phase.loss > 0 || made <= minutes / 2 + 4, side,
			"more handshakes than needed");
	}
}

static void begin_phase(void)
{
	struct phase *p = &s.phase;
	unsigned int who = (unsigned int)roll_below(4);
	unsigned int how = (unsigned int)roll_below(8);
	static const unsigned int losses[8] = {0, 0, 0, 0, 2, 10, 40, 100};
	*p = (struct phase){
		.begin_ns = s.w.now_ns,
		.end_ns = s.w.now_ns + 60 * NS_PER_SEC + roll_below(29ULL * 60 * NS_PER_SEC),
		.sends = {(who & 1) != 0, (who & 2) != 0},
		.interval_ns = 2 * NS_PER_SEC / 5 << roll_below(8),
		.loss = losses[how],
		.doubled = how == 0 ? 0 : (unsigned int)roll_below(20),
		.delay_ns = roll_below(200 * NS_PER_MS),
		.keepalive = roll_below(4) == 0,
	};
	s.phase_number = s.numbers;
	for (unsigned int side = 0; side < SIDES; side++) {
		struct seen *o = &s.seen[side];
		o->first_delivered_ns = 0;
		o->was_alone = false;
		o->derived_at_begin = o->derived;
		o->next_send_ns = s.w.now_ns + roll_below(p->interval_ns);
		if (roll_below(6) == 0) /* somebody sets the clock, by up to a day to and fro */
			s.w.side[side].clock_ns =
				(int64_t)roll_below(48ULL * 3600 * NS_PER_SEC) - 86400000000000;
		world_set_keepalive(&s.w, side, p->keepalive ? 25 : 0);
		settle(side);
	}
}

static void send_data(unsigned int side)
{
	struct seen *o = &s.seen[side];
	o->next_send_ns = s.w.now_ns + 1 + roll_below(s.phase.interval_ns);
	o->last_offer_ns = s.w.now_ns;
	must(s.numbers < NUMBERS_MAX, side, "the test is too small");
	world_send(&s.w, side, s.numbers++);
	settle(side);
}

static uint64_t lowest(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t next_event(void)
{
	uint64_t at = s.phase.end_ns;
	for (unsigned int n = 0; n < s.flights; n++)
		at = lowest(at, s.flight[n].at_ns);
	for (unsigned int side = 0; side < SIDES; side++) {
		at = lowest(at, world_due(&s.w, side));
		if (s.phase.sends[side])
			at = lowest(at, s.seen[side].next_send_ns);
	}
	return at;
}

static void deliver_due(void)
{
	for (unsigned int n = 0; n < s.flights;) {
		if (s.flight[n].at_ns > s.w.now_ns) {
			n++;
			continue;
		}
		struct flight f = s.flight[n];
		s.flight[n] = s.flight[--s.flights];
		const struct peer *p = s.w.side[f.to].peer;
		uint64_t packets = p->received.packets;
		world_receive(&s.w, f.to, f.bytes, f.len);
		if (p->received.packets != packets)
			s.seen[f.to].unanswered_ns = 0;
		if (p->received.packets != packets && f.len > KEEPALIVE_FRAME)
			s.seen[f.to].heard_data_ns = s.w.now_ns;
		settle(f.to);
	}
}

/* Leaves what was counted in s. */
static void simulate(uint64_t seed, unsigned int hours)
{
	memset(&s, 0, sizeof(s));
	s.seed = seed;
	world_start(&s.w, seed);
	uint64_t end = s.w.now_ns + hours * 3600ULL * NS_PER_SEC;
	begin_phase();
	while (s.w.now_ns < end) {
		s.w.now_ns = next_event();
		deliver_due();
		for (unsigned int side = 0; side < SIDES; side++) {
			world_work(&s.w, side);
			settle(side);
			if (s.phase.sends[side] && s.seen[side].next_send_ns <= s.w.now_ns)
				send_data(side);
		}
		if (s.w.now_ns >= s.phase.end_ns) {
			end_phase();
			begin_phase();
		}
	}
	for (unsigned int side = 0; side < SIDES; side++)
		s.handshakes += s.seen[side].derived;
	world_end(&s.w);
}

static void run(uint64_t seed)
{
	simulate(seed, HOURS);
	print_message("seed %" PRIu64 ": %" PRIu32 " packets, %" PRIu64 " delivered, %" PRIu64
		      " initiations, %" PRIu64 " sessions\n",
		seed, s.numbers, s.delivered_count, s.initiations, s.handshakes / 2);
	assert_true(s.handshakes > 100 && s.delivered_count > 1000); /* it was no idle world */
}

/* Else a seed that failed would not fail again. */
static void a_seed_tells_all(void **state)
{
	enum {
		A_WHILE = 3
	};
	simulate(1, A_WHILE);
	const uint64_t first[] = {
		s.numbers, s.delivered_count, s.initiations, s.handshakes, world_roll()};
	simulate(1, A_WHILE);
	const uint64_t again[] = {
		s.numbers, s.delivered_count, s.initiations, s.handshakes, world_roll()};
	assert_memory_equal(first, again, sizeof(first));
}

static const char *seeds_file;
static char **given;
static int givens;

static void seeds_that_failed_once(void **state)
{
	char line[256];
	FILE *f = fopen(seeds_file, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL) {
		if (line[0] != '#' && line[0] != '\n')
			run(strtoull(line, NULL, 10));
	}
	(void)fclose(f);
}

static void seventy_two_hours(void **state)
{
	const char *is_long = getenv("NAVE_LONG"); // NOLINT(concurrency-mt-unsafe)
	uint64_t seeds = is_long != NULL ? SEEDS_LONG : SEEDS;
	for (uint64_t seed = 1; givens == 0 && seed <= seeds; seed++)
		run(seed);
	for (int n = 0; n < givens; n++)
		run(strtoull(given[n], NULL, 10));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_seed_tells_all),
		cmocka_unit_test(seeds_that_failed_once),
		cmocka_unit_test(seventy_two_hours),
	};
	if (argc < 2)
		return 2;
	seeds_file = argv[1];
	given = argv + 2;
	givens = argc - 2;
	world_open();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
