// SPDX-License-Identifier: Apache-2.0
/*
 * How fast the hub begins handshakes. After a restart every peer whose endpoint is known is to be
 * called, and many may not answer: all at once they would keep the thread from those who call us.
 * Initiations take tokens; who finds none waits in a queue, in order. Peers that something waits for
 * go before peers that only return. Queues hold handles: who was deleted meanwhile is skipped.
 */
#include "dataplane/keying/keying_private.h"

#include <stdlib.h>

enum {
	PER_SECOND = 1000, /* a quarter of what a core can do */
	BURST = 100,
	QUEUE_MIN = 64,
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

bool keying_pace_take(struct keying *k, struct peer *p)
{
	struct pace *pace = &k->pace;
	if (p->waits_for_turn)
		return false;
	if ((pace->called || pace->waiting.count == 0)
		&& bucket_take(&pace->bucket, INTERVAL_NS, BURST, k->now_ns))
		return true;
	p->waits_for_turn = put(&pace->waiting, peer_handle(p));
	return !p->waits_for_turn; /* no memory to wait in: go */
}

static void call(struct keying *k, struct peer *p)
{
	keying_peer_want_handshake(k, p);
	keying_timer_visit(k, p);
}

void keying_pace_return(struct keying *k, struct peer *p)
{
	bool wait = k->pace.waiting.count > 0 || k->pace.returning.count > 0 || !may_begin(k);
	if (!wait || !put(&k->pace.returning, peer_handle(p)))
		call(k, p);
}

static struct peer *known_peer(const struct keying *k, uint64_t handle)
{
	struct peer *p = peer_from_handle(k->tables, handle);
	return p != NULL && p->known_to_keying ? p : NULL;
}

void keying_pace_run(struct keying *k)
{
	uint64_t handle;
	struct peer *p;
	k->pace.called = true;
	while (may_begin(k)) {
		if (get(&k->pace.waiting, &handle)) {
			p = known_peer(k, handle);
			if (p == NULL)
				continue;
			p->waits_for_turn = false;
			keying_timer_visit(k, p);
		} else if (get(&k->pace.returning, &handle)) {
			p = known_peer(k, handle);
			if (p != NULL && p->current == NULL)
				call(k, p);
		} else {
			break;
		}
	}
	k->pace.called = false;
}

void keying_pace_fini(struct keying *k)
{
	free(k->pace.waiting.handle);
	free(k->pace.returning.handle);
}
