// SPDX-License-Identifier: Apache-2.0
/*
 * Which session of a peer serves for what (paper, section 6.4: three slots). As initiator a new
 * session is current at once; as responder it is next until the first packet under it arrives,
 * because only that shows that the peer has it. The one before stays previous, for packets that
 * are still on their way.
 */
#include "dataplane/base/clock.h"
#include "dataplane/keying/keying_private.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <rte_mbuf.h>

/* No packet finds it any more; freed after a grace period. */
static void drop_session(struct keying *k, struct session *s)
{
	if (s == NULL)
		return;
	session_index_release(k->tables->sessions, s->keypair.local_index);
	keying_defer_free(k, s);
}

bool keying_session_is_usable(const struct keying *k, const struct peer *p)
{
	return p->current != NULL && !keypair_expired(&p->current->keypair, k->now_ns);
}

/* Who asked for a key has one now, or must ask again. */
static void set_current(struct peer *p, struct session *s)
{
	atomic_store_explicit(&p->current, s, memory_order_release);
	atomic_store_explicit(&p->wants_key, 0, memory_order_release);
}

void keying_session_forget_initiation(struct keying *k, struct peer *p)
{
	if (p->keying == NULL)
		return;
	struct noise_handshake *h = &p->keying->remote.initiation;
	session_index_release(k->tables->sessions, h->local_index);
	noise_handshake_clear(h);
}

static void place_as_initiator(struct keying *k, struct peer *p, struct session *s)
{
	struct session *current = p->current, *next = p->next;
	drop_session(k, p->previous);
	p->previous = next != NULL ? next : current;
	p->next = NULL;
	set_current(p, s);
	if (next != NULL)
		drop_session(k, current);
}

static void place_as_responder(struct keying *k, struct peer *p, struct session *s)
{
	drop_session(k, p->next);
	drop_session(k, p->previous);
	p->next = s;
	p->previous = NULL;
}

int keying_session_install(struct keying *k, struct peer *p, struct noise_handshake *h)
{
	struct session *s = slab_alloc(&k->tables->session_memory);
	if (s == NULL)
		return -ENOMEM;
	s->peer = p;
	s->peer_slot = p->slot;
	int err = noise_session_begin(h, k->now_ns, &s->keypair);
	if (err != 0) {
		slab_free(s);
		return err;
	}
	s->confirmed = s->keypair.is_initiator;
	session_index_bind(k->tables->sessions, s->keypair.local_index, s);
	if (s->keypair.is_initiator)
		place_as_initiator(k, p, s);
	else
		place_as_responder(k, p, s);
	timers_session_derived(&p->keying->timers, k->now_ns);
	atomic_store_explicit(
		&p->last_handshake_realtime_ns, clock_realtime_ns(), memory_order_relaxed);
	keying_count(k, COUNTER_HANDSHAKES_COMPLETED);
	return 0;
}

/*
 * Both began at once, and the response to our initiation came after theirs was answered: two
 * sessions, each side sealing with its own, and both would rekey by time. The one that the smaller
 * public key began wins: if it is theirs, we seal with it too, now that they proved to have it.
 */
static void settle(struct keying *k, struct peer *p, struct session *theirs)
{
	const struct keying_instance *ki = p->instance->keying;
	struct session *ours = p->current;
	if (ours == NULL || !ours->keypair.is_initiator || theirs->keypair.is_initiator
		|| k->now_ns - theirs->keypair.birth_ns >= REKEY_TIMEOUT
		|| memcmp(p->public_key.bytes, ki->identity.public_key.bytes, KEY_LEN) > 0)
		return;
	p->previous = ours;
	set_current(p, theirs);
}

void keying_session_promote(struct keying *k, struct peer *p, uint32_t index)
{
	struct session *s = p->next;
	if (p->previous != NULL && p->previous->keypair.local_index == index)
		settle(k, p, p->previous);
	if (s == NULL || s->keypair.local_index != index)
		return;
	struct keying_event e = {.type = KEYING_EVENT_SESSION_UP, .peer = peer_handle(p)};
	bool first = p->current == NULL;
	drop_session(k, p->previous);
	p->previous = p->current;
	p->next = NULL;
	set_current(p, s);
	keying_session_forget_initiation(k, p);
	timers_handshake_complete(&p->keying->timers);
	keying_peer_flush_staged(k, p);
	keying_timer_visit(k, p);
	if (first)
		keying_tell(k, &e);
}

void keying_sessions_drop(struct keying *k, struct peer *p)
{
	struct session *current = p->current;
	set_current(p, NULL);
	drop_session(k, current);
	drop_session(k, p->next);
	drop_session(k, p->previous);
	p->next = NULL;
	p->previous = NULL;
	keying_session_forget_initiation(k, p);
}

void keying_session_keepalive(struct keying *k, struct peer *p)
{
	if (p->endpoint == NULL)
		return;
	if (!keying_session_is_usable(k, p)) {
		keying_peer_want_handshake(k, p);
		return;
	}
	struct rte_mbuf *m = rte_pktmbuf_alloc(k->rings->pool);
	if (m == NULL) {
		keying_count(k, COUNTER_DROP_NO_BUFFER);
		return;
	}
	memset(pkt_of(m), 0, sizeof(struct pkt));
	keying_inject(k, p, m, PKT_INJECT_PEER_INNER);
}
