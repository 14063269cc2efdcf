// SPDX-License-Identifier: Apache-2.0
/*
 * A timing wheel of peers: 1024 slots of 8 ms. A deadline beyond the wheel is looked at again
 * when the wheel has gone round. A peer that has keys is looked at every 5 s at least, because
 * workers only leave stamps behind; no timer that a stamp arms is shorter than that.
 */
#include "dataplane/base/clock.h"
#include "dataplane/keying/keying_private.h"

#include <stdatomic.h>

enum {
	TICK_MS = 8,
};

#define TICK_NS (TICK_MS * NS_PER_MS)
#define LOOK_AGAIN_NS (5 * NS_PER_SEC) /* half of KEEPALIVE_TIMEOUT, the shortest that stamps arm */
#define EXPIRY_LOOK_NS (NS_PER_SEC / 2) /* the clock of people may jump */

static void put_into_wheel(struct keying *k, struct peer *p, uint64_t deadline_ns)
{
	uint64_t tick = deadline_ns / TICK_NS + 1;
	if (tick <= k->wheel_at)
		tick = k->wheel_at + 1;
	if (tick >= k->wheel_at + WHEEL_SLOTS)
		tick = k->wheel_at + WHEEL_SLOTS - 1;
	struct peer **slot = &k->wheel[tick % WHEEL_SLOTS];
	p->wheel_deadline_ns = deadline_ns;
	p->wheel_next = *slot;
	p->wheel_prev = slot;
	if (*slot != NULL)
		(*slot)->wheel_prev = &p->wheel_next;
	*slot = p;
}

void keying_timer_remove(struct peer *p)
{
	if (p->wheel_prev == NULL)
		return;
	*p->wheel_prev = p->wheel_next;
	if (p->wheel_next != NULL)
		p->wheel_next->wheel_prev = p->wheel_prev;
	p->wheel_next = NULL;
	p->wheel_prev = NULL;
}

static void read_stamps(const struct peer *p, struct timer_stamps *ret)
{
	*ret = (struct timer_stamps){
		.last_any_sent_ns = p->sent.last_any_ns,
		.last_any_received_ns = p->received.last_any_ns,
		.first_data_sent_since_receive_ns = p->sent.first_data_ns,
		.first_data_received_since_send_ns = p->received.first_data_ns,
	};
}

/* The hub ends a peer's time also when the control daemon is down. */
static void expire(struct keying *k, struct peer *p, uint64_t *next)
{
	uint64_t at_s = atomic_load_explicit(&p->expires_at_s, memory_order_relaxed);
	bool expired = at_s != 0 && clock_realtime_ns() / NS_PER_SEC >= at_s;
	if (at_s != 0 && !expired)
		*next = k->now_ns + EXPIRY_LOOK_NS;
	if (expired == (p->expired != 0))
		return;
	atomic_store_explicit(&p->expired, expired, memory_order_relaxed);
	if (!expired)
		return;
	if (p->credential != NULL)
		keying_clients_cut(k, p);
	keying_sessions_drop(k, p);
	keying_peer_purge_staged(k, p);
	struct keying_event e = {.type = KEYING_EVENT_PEER_EXPIRED, .peer = peer_handle(p)};
	keying_tell(k, &e);
}

/* false: it is not the peer's turn yet. Without a way to it none is needed: it is tried again later. */
static bool initiate(struct keying *k, struct peer *p)
{
	uint32_t random = 0;
	bool has_way = keying_handshake_has_way(k, p);
	if (has_way && !keying_pace_take(k, p))
		return false;
	(void)random_word(&k->random, &random); /* without it there is no jitter, no more */
	timers_initiation_sent(&p->keying->timers, k->now_ns, random);
	if (has_way)
		keying_handshake_initiate(k, p);
	return true;
}

static void give_up(struct keying *k, struct peer *p)
{
	keying_peer_purge_staged(k, p);
	atomic_store_explicit(&p->wants_key, 0, memory_order_release);
	keying_peer_fail(k, p, PEER_FAILURE_NO_RESPONSE, 0);
}

void keying_timer_answered(struct peer *p)
{
	atomic_store_explicit(&p->sent.first_data_ns, 0, memory_order_relaxed);
}

void keying_timer_spoken(struct peer *p)
{
	atomic_store_explicit(&p->received.first_data_ns, 0, memory_order_relaxed);
}

/* false: there was nothing to do, or it is not the peer's turn yet. */
static bool act(struct keying *k, struct peer *p, unsigned int actions)
{
	if ((actions & TIMERS_ZERO_KEYS) != 0)
		keying_sessions_drop(k, p);
	if ((actions & TIMERS_GIVE_UP) != 0)
		give_up(k, p);
	if ((actions & TIMERS_SILENCE) != 0)
		keying_timer_answered(p);
	if ((actions & TIMERS_SEND_KEEPALIVE) != 0) {
		keying_timer_spoken(p);
		keying_session_keepalive(k, p);
	}
	if ((actions & TIMERS_SEND_INITIATION) != 0 && !initiate(k, p))
		actions &= ~(unsigned int)TIMERS_SEND_INITIATION;
	return actions != 0;
}

/* Nothing to do but to wait for somebody: it may rest. */
static bool is_idle(const struct peer *p)
{
	const struct timers *t = &p->keying->timers;
	bool calls = t->wanted || t->on_its_way || (p->keepalive_s != 0 && p->endpoint != NULL);
	return !calls && p->current == NULL && p->next == NULL && p->staged_count == 0;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/*
 * Does what is due, and what that makes due: a keepalive without a key asks for one. Returns when to
 * look again. A peer stays awake for REKEY_TIMEOUT at least, so that forged initiations cannot make
 * it forget its static-static secret each time.
 */
static uint64_t step(struct keying *k, struct peer *p)
{
	struct timer_stamps stamps;
	unsigned int actions;
	uint64_t due;
	do {
		read_stamps(p, &stamps);
		actions = timers_step(&p->keying->timers, &stamps, k->now_ns, &due);
	} while (act(k, p, actions));
	if (!is_idle(p))
		return earlier(due, k->now_ns + LOOK_AGAIN_NS);
	uint64_t rest_ns = p->keying->woken_ns + REKEY_TIMEOUT;
	if (k->now_ns < rest_ns)
		return earlier(due, rest_ns);
	keying_peer_rest(k, p);
	return UINT64_MAX;
}

void keying_timer_visit(struct keying *k, struct peer *p)
{
	uint64_t next = UINT64_MAX;
	keying_timer_remove(p);
	expire(k, p, &next);
	if (p->expired != 0) {
		keying_peer_purge_staged(k, p); /* was on its way to us */
		keying_peer_rest(k, p);
	} else if (p->keying != NULL) {
		next = earlier(next, step(k, p));
	}
	if (next != UINT64_MAX)
		put_into_wheel(k, p, next);
}

/* All peers of a slot whose deadline has come; the others wait for another round. */
static void run_slot(struct keying *k, struct peer *due)
{
	while (due != NULL) {
		struct peer *p = due;
		due = p->wheel_next;
		if (due != NULL)
			due->wheel_prev = &due;
		p->wheel_next = NULL;
		p->wheel_prev = NULL;
		if (p->wheel_deadline_ns <= k->now_ns)
			keying_timer_visit(k, p);
		else
			put_into_wheel(k, p, p->wheel_deadline_ns);
	}
}

void keying_timer_run(struct keying *k)
{
	uint64_t now = k->now_ns / TICK_NS;
	if (k->wheel_at == 0 || now - k->wheel_at >= WHEEL_SLOTS)
		k->wheel_at =
			now - WHEEL_SLOTS; /* the first time, and after a long stop: every slot */
	while (k->wheel_at < now) {
		k->wheel_at++;
		struct peer *due = k->wheel[k->wheel_at % WHEEL_SLOTS];
		k->wheel[k->wheel_at % WHEEL_SLOTS] = NULL;
		run_slot(k, due);
	}
}
