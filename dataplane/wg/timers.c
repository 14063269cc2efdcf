// SPDX-License-Identifier: Apache-2.0
/*
 * Five timers, each a small function that says what is due and lowers the next deadline:
 *   retry      an unanswered initiation again after REKEY_TIMEOUT and a jitter, until
 *              REKEY_ATTEMPT_TIME is over
 *   silence    data was sent and nothing came back for KEEPALIVE_TIMEOUT + REKEY_TIMEOUT:
 *              the other side may have lost its keys
 *   keepalive  data came and nothing went back for KEEPALIVE_TIMEOUT: say that we live
 *   persistent nothing went either way for the configured interval: hold the NAT mapping
 *   zero keys  no new session for three times REJECT_AFTER_TIME
 */
#include "dataplane/wg/timers.h"

#include "dataplane/wg/messages.h"

#include <string.h>

static void lower(uint64_t *next, uint64_t deadline)
{
	if (deadline < *next)
		*next = deadline;
}

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

void timers_init(struct timers *t, uint64_t now_ns)
{
	*t = (struct timers){.silence_seen_ns = now_ns, .keepalive_sent_ns = now_ns};
}

/* The interval begins now, so that a restart does not make all peers speak at once. */
void timers_set_keepalive(struct timers *t, uint16_t seconds, uint64_t now_ns)
{
	uint64_t interval = seconds * NS_PER_SEC;
	if (interval != t->keepalive_interval_ns)
		t->keepalive_sent_ns = now_ns;
	t->keepalive_interval_ns = interval;
}

void timers_want_handshake(struct timers *t)
{
	t->wanted = !t->on_its_way;
}

void timers_initiation_sent(struct timers *t, uint64_t now_ns, uint32_t random)
{
	uint64_t jitter = random % (REKEY_TIMEOUT_JITTER_MAX + 1);
	if (!t->on_its_way)
		t->attempt_ns = now_ns;
	t->wanted = false;
	t->on_its_way = true;
	t->last_initiation_ns = now_ns;
	t->silence_jitter_ns = jitter;
	t->retry_at_ns = now_ns + REKEY_TIMEOUT + jitter;
}

void timers_handshake_sent(struct timers *t, uint64_t now_ns)
{
	t->handshake_sent_ns = now_ns;
}

void timers_handshake_received(struct timers *t, uint64_t now_ns)
{
	t->handshake_received_ns = now_ns;
}

void timers_session_derived(struct timers *t, uint64_t now_ns)
{
	t->zero_keys_at_ns = now_ns + 3 * REJECT_AFTER_TIME;
}

void timers_handshake_complete(struct timers *t)
{
	t->on_its_way = false;
	t->wanted = false;
}

static unsigned int step_zero_keys(struct timers *t, uint64_t now_ns, uint64_t *next)
{
	if (t->zero_keys_at_ns == 0)
		return 0;
	if (now_ns < t->zero_keys_at_ns) {
		lower(next, t->zero_keys_at_ns);
		return 0;
	}
	t->zero_keys_at_ns = 0;
	return TIMERS_ZERO_KEYS;
}

static unsigned int step_silence(
	struct timers *t, const struct timer_stamps *s, uint64_t now_ns, uint64_t *next)
{
	uint64_t since = s->first_data_sent_since_receive_ns;
	if (since == 0 || since <= later(t->handshake_received_ns, t->silence_seen_ns))
		return 0;
	uint64_t deadline = since + KEEPALIVE_TIMEOUT + REKEY_TIMEOUT + t->silence_jitter_ns;
	if (now_ns < deadline) {
		lower(next, deadline);
		return 0;
	}
	t->silence_seen_ns = now_ns;
	timers_want_handshake(t);
	return TIMERS_SILENCE;
}

static unsigned int step_keepalive(
	struct timers *t, const struct timer_stamps *s, uint64_t now_ns, uint64_t *next)
{
	uint64_t since = s->first_data_received_since_send_ns;
	uint64_t sent = later(t->keepalive_sent_ns, t->handshake_sent_ns);
	if (since == 0 || since <= sent)
		return 0;
	if (now_ns < since + KEEPALIVE_TIMEOUT) {
		lower(next, since + KEEPALIVE_TIMEOUT);
		return 0;
	}
	t->keepalive_sent_ns = now_ns;
	return TIMERS_SEND_KEEPALIVE;
}

static unsigned int step_persistent(
	struct timers *t, const struct timer_stamps *s, uint64_t now_ns, uint64_t *next)
{
	if (t->keepalive_interval_ns == 0)
		return 0;
	uint64_t last =
		later(later(s->last_any_sent_ns, s->last_any_received_ns), t->keepalive_sent_ns);
	last = later(last, later(t->handshake_sent_ns, t->handshake_received_ns));
	uint64_t deadline = last + t->keepalive_interval_ns;
	if (now_ns < deadline) {
		lower(next, deadline);
		return 0;
	}
	t->keepalive_sent_ns = now_ns;
	lower(next, now_ns + t->keepalive_interval_ns);
	return TIMERS_SEND_KEEPALIVE;
}

static unsigned int step_handshake(struct timers *t, uint64_t now_ns, uint64_t *next)
{
	if (t->on_its_way && now_ns < t->retry_at_ns) {
		lower(next, t->retry_at_ns);
		return 0;
	}
	if (t->on_its_way && now_ns - t->attempt_ns >= REKEY_ATTEMPT_TIME) {
		t->on_its_way = false;
		if (t->zero_keys_at_ns == 0)
			t->zero_keys_at_ns = now_ns + 3 * REJECT_AFTER_TIME;
		lower(next, t->zero_keys_at_ns);
		return TIMERS_GIVE_UP;
	}
	if (!t->on_its_way && !t->wanted)
		return 0;
	uint64_t earliest = t->last_initiation_ns + REKEY_TIMEOUT;
	if (t->last_initiation_ns != 0 && now_ns < earliest) {
		lower(next, earliest);
		return 0;
	}
	return TIMERS_SEND_INITIATION;
}

unsigned int timers_step(
	struct timers *t, const struct timer_stamps *s, uint64_t now_ns, uint64_t *ret_next_ns)
{
	uint64_t next = UINT64_MAX;
	unsigned int actions = step_zero_keys(t, now_ns, &next);
	actions |= step_silence(t, s, now_ns, &next);
	actions |= step_keepalive(t, s, now_ns, &next);
	actions |= step_persistent(t, s, now_ns, &next);
	actions |= step_handshake(t, now_ns, &next);
	*ret_next_ns = next;
	return actions;
}
