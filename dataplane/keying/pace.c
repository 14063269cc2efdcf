// SPDX-License-Identifier: Apache-2.0
/*
 * How fast the hub begins handshakes. After a restart every peer whose endpoint is known is to be
 * called, and many may not answer: all at once they would keep the thread from those who call us.
 * Initiations take tokens; who finds none waits in one of two queues, in order. First are peers for
 * which packets wait, and live sessions that are due for the next key. Behind are the others: those
 * that return, that are only kept alive, or that did not answer and have nothing to get. When both
 * wait, the queue behind has one turn in BEHIND_TURN. Queues hold handles: who was deleted meanwhile
 * is skipped, and who needs no initiation any more takes no token.
 */
#include "dataplane/keying/keying_private.h"

#include <stdlib.h>

enum {
	PER_SECOND = 1000, /* a quarter of what a core can do */
	BURST = 100,
	BEHIND_TURN = 8, /* leaves 875/s: 100 000 sessions that the hub begins take 833/s */
	QUEUE_MIN = 64,
};

/* struct peer.waits: 1 << enum pace_queue, and */
enum {
	RETURNS = 1 << PACE_QUEUES, /* asks for nothing: it is told to, when it is its turn */
};

#define INTERVAL_NS (NS_PER_SEC / PER_SECOND)

/* A ring that doubles. false: no memory. */
static bool put(struct handle_queue *q, uint64_t handle)
{
	if (q->count == q->size) {
		uint32_t size = q->size == 0 ? QUEUE_MIN : 2 * q->size;
		uint64_t *bigger = malloc(size * sizeof(*bigger));
		if (bigger == NULL)
			return false;
		for (uint32_t n = 0; n < q->count; n++)
			bigger[n] = q->handle[(q->first + n) % q->size];
		free(q->handle);
		*q = (struct handle_queue){bigger, size, 0, q->count};
	}
	q->handle[(q->first + q->count++) % q->size] = handle;
	return true;
}

static bool get(struct handle_queue *q, uint64_t *ret)
{
	if (q->count == 0)
		return false;
	*ret = q->handle[q->first];
	q->first = (q->first + 1) % q->size;
	q->count--;
	return true;
}

static bool may_begin(const struct keying *k)
{
	return bucket_has(&k->pace.bucket, INTERVAL_NS, BURST, k->now_ns);
}

static bool nobody_waits(const struct pace *pace)
{
	return pace->queue[PACE_FIRST].count + pace->queue[PACE_BEHIND].count == 0;
}

static enum pace_queue queue_of(const struct keying *k, const struct peer *p)
{
	bool rekeys = keying_session_is_usable(k, p) && !p->keying->timers.on_its_way;
	return rekeys || p->staged_count > 0 ? PACE_FIRST : PACE_BEHIND;
}

/* It may wait in both: packets came for one that was behind. false: no memory to wait in. */
static bool wait_in(struct keying *k, struct peer *p, enum pace_queue q)
{
	if ((p->waits & 1U << q) != 0)
		return true;
	if (!put(&k->pace.queue[q], peer_handle(p)))
		return false;
	p->waits |= (uint8_t)(1U << q);
	return true;
}

/* Who waits is served in the same round, so nobody needs to overtake. */
bool keying_pace_take(struct keying *k, struct peer *p)
{
	struct pace *pace = &k->pace;
	if ((pace->called || nobody_waits(pace))
		&& bucket_take(&pace->bucket, INTERVAL_NS, BURST, k->now_ns))
		return true;
	return !wait_in(k, p, queue_of(k, p));
}

static void call(struct keying *k, struct peer *p)
{
	keying_peer_want_handshake(k, p);
	keying_timer_visit(k, p);
}

void keying_pace_return(struct keying *k, struct peer *p)
{
	bool now = nobody_waits(&k->pace) && may_begin(k);
	if (!now && wait_in(k, p, PACE_BEHIND))
		p->waits |= RETURNS;
	else
		call(k, p);
}

static enum pace_queue whose_turn(struct pace *pace)
{
	enum pace_queue q = ++pace->turn % BEHIND_TURN == 0 ? PACE_BEHIND : PACE_FIRST;
	if (pace->queue[q].count > 0)
		return q;
	return q == PACE_FIRST ? PACE_BEHIND : PACE_FIRST;
}

static void serve(struct keying *k, struct peer *p, enum pace_queue q)
{
	bool returns = q == PACE_BEHIND && (p->waits & RETURNS) != 0 && p->current == NULL;
	p->waits &= (uint8_t) ~(1U << q);
	if (q == PACE_BEHIND)
		p->waits &= (uint8_t)~RETURNS;
	if (returns)
		call(k, p);
	else
		keying_timer_visit(k, p);
}

void keying_pace_run(struct keying *k)
{
	uint64_t handle;
	enum pace_queue q;
	k->pace.called = true;
	while (may_begin(k) && get(&k->pace.queue[q = whose_turn(&k->pace)], &handle)) {
		struct peer *p = peer_from_handle(k->tables, handle);
		if (p != NULL && p->known_to_keying)
			serve(k, p, q);
	}
	k->pace.called = false;
}

void keying_pace_fini(struct keying *k)
{
	for (unsigned int q = 0; q < PACE_QUEUES; q++)
		free(k->pace.queue[q].handle);
}
