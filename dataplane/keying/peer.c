// SPDX-License-Identifier: Apache-2.0
/* A peer as keying sees it: its keys, what waits for a key, and why it failed last. */
#include "dataplane/base/clock.h"
#include "dataplane/keying/keying_private.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <rte_mbuf.h>

bool keying_peer_wake(struct keying *k, struct peer *p)
{
	if (p->keying != NULL)
		return true;
	struct peer_keying *pk = malloc(sizeof(*pk));
	if (pk == NULL) {
		keying_count(k, COUNTER_DROP_NO_BUFFER);
		return false;
	}
	noise_remote_init(&pk->remote, &p->public_key, &p->preshared_key);
	memcpy(pk->remote.latest_timestamp, p->latest_timestamp, NOISE_TIMESTAMP_LEN);
	memcpy(pk->remote.sent_timestamp, p->sent_timestamp, NOISE_TIMESTAMP_LEN);
	cookie_maker_init(&pk->cookie, &p->public_key);
	timers_init(&pk->timers, k->now_ns);
	timers_set_keepalive(&pk->timers, p->keepalive_s, k->now_ns);
	pk->woken_ns = k->now_ns;
	p->keying = pk;
	return true;
}

void keying_peer_rest(struct keying *k, struct peer *p)
{
	if (p->keying == NULL)
		return;
	keying_session_forget_initiation(k, p);
	noise_remote_fini(&p->keying->remote);
	cookie_maker_fini(&p->keying->cookie);
	free(p->keying);
	p->keying = NULL;
}

bool keying_peer_can_be_called(const struct peer *p)
{
	return peer_has_wireguard(p) && p->tunnel == NULL
		&& keying_instance_has_identity(p->instance->keying)
		&& (p->endpoint != NULL || p->hint.port != 0);
}

void keying_peer_want_handshake(struct keying *k, struct peer *p)
{
	if (keying_peer_can_be_called(p) && keying_peer_wake(k, p))
		timers_want_handshake(&p->keying->timers);
}

static void introduce(const struct keying_peer *s)
{
	struct peer *p = s->peer;
	struct keying_instance *ki = p->instance->keying;
	if (peer_has_wireguard(p))
		hash_add(&ki->peer_by_key, &p->keying_by_key,
			hash_of(&ki->peer_by_key, &p->public_key, sizeof(p->public_key)));
	p->known_to_keying = true;
}

/* A restart gives back the greatest timestamp of earlier runs: old initiations stay replays. */
static void raise_timestamp(
	struct keying *k, struct peer *p, const uint8_t timestamp[NOISE_TIMESTAMP_LEN])
{
	(void)pthread_mutex_lock(&k->status_mutex);
	if (memcmp(timestamp, p->latest_timestamp, NOISE_TIMESTAMP_LEN) > 0)
		memcpy(p->latest_timestamp, timestamp, NOISE_TIMESTAMP_LEN);
	(void)pthread_mutex_unlock(&k->status_mutex);
	if (p->keying != NULL)
		memcpy(p->keying->remote.latest_timestamp, p->latest_timestamp,
			NOISE_TIMESTAMP_LEN);
}

/* And nobody refuses the hub, whose clock may have gone back meanwhile. */
static void raise_sent_timestamp(struct peer *p, uint64_t called_s)
{
	uint8_t called[NOISE_TIMESTAMP_LEN];
	noise_timestamp_of_second(called_s, called);
	if (called_s == 0 || memcmp(called, p->sent_timestamp, sizeof(called)) <= 0)
		return;
	memcpy(p->sent_timestamp, called, sizeof(called));
	if (p->keying != NULL)
		memcpy(p->keying->remote.sent_timestamp, called, sizeof(called));
}

void keying_peer_apply(struct keying *k, const struct keying_peer *s)
{
	struct peer *p = s->peer;
	if (p->instance->keying == NULL) { /* its instance could not be made: no memory */
		free(s->credential);
		return;
	}
	bool is_new = !p->known_to_keying;
	if (is_new)
		introduce(s);
	if (!s->keeps_credential)
		keying_credential_set(k, p, s->credential);
	raise_timestamp(k, p, s->timestamp);
	raise_sent_timestamp(p, s->called_s);
	if (!s->keeps_preshared_key)
		p->preshared_key = s->has_preshared_key ? s->preshared_key : (struct key){{0}};
	if (!s->keeps_keepalive)
		p->keepalive_s = s->keepalive_s;
	if (p->keying != NULL) {
		noise_remote_set_preshared_key(&p->keying->remote, &p->preshared_key);
		timers_set_keepalive(&p->keying->timers, p->keepalive_s, k->now_ns);
	}
	bool is_hint = p->endpoint == NULL && s->endpoint.port != 0 && peer_has_wireguard(p);
	if (s->moves || is_hint) {
		struct ip_addr any = {0};
		p->hint = s->endpoint; /* of WireGuard: an OpenVPN client is where it is */
		if (p->tunnel == NULL)
			keying_endpoint_set(k, p, &s->endpoint, &any, p->instance->wireguard_port);
		/* it was known before a restart: its own session is void, and it notices late */
		if (is_new && !s->moves)
			keying_pace_return(k, p);
	}
	if (p->keepalive_s != 0 && p->endpoint != NULL && keying_peer_can_be_called(p))
		(void)keying_peer_wake(k, p);
	keying_timer_visit(k, p);
}

void keying_peer_drop(struct keying *k, struct peer *p)
{
	if (!p->known_to_keying)
		return;
	struct keying_instance *ki = p->instance->keying;
	keying_timer_remove(p);
	keying_clients_cut(k, p);
	keying_credential_set(k, p, NULL);
	keying_sessions_drop(k, p);
	keying_peer_purge_staged(k, p);
	if (peer_has_wireguard(p))
		hash_del(&ki->peer_by_key, &p->keying_by_key);
	keying_endpoint_drop(k, p);
	keying_peer_rest(k, p);
	key_wipe(&p->preshared_key);
	memset(p->latest_timestamp, 0, sizeof(p->latest_timestamp));
	p->known_to_keying = false;
}

void keying_peer_stage(struct keying *k, struct peer *p, struct rte_mbuf *m)
{
	if (keying_session_is_usable(k, p)) {
		/* a key came meanwhile, or it waited for an endpoint */
		keying_inject(k, p, m, PKT_INJECT_PEER_INNER);
		return;
	}
	bool hopeless = p->endpoint == NULL || !keying_peer_can_be_called(p);
	if (hopeless || p->staged_count == STAGED_MAX || k->staged == STAGED_TOTAL_MAX) {
		keying_count(k, hopeless ? COUNTER_DROP_NO_KEY : COUNTER_DROP_STAGED_FULL);
		rte_pktmbuf_free(m);
		return;
	}
	m->next = NULL;
	if (p->staged_head == NULL)
		p->staged_head = m;
	else
		p->staged_tail->next = m;
	p->staged_tail = m;
	p->staged_count++;
	k->staged++;
}

/* Packets are linked by m->next while they wait; each is one segment again afterwards. */
static struct rte_mbuf *take_staged(struct keying *k, struct peer *p)
{
	struct rte_mbuf *m = p->staged_head;
	if (m == NULL)
		return NULL;
	p->staged_head = m->next;
	m->next = NULL;
	p->staged_count--;
	k->staged--;
	return m;
}

void keying_peer_flush_staged(struct keying *k, struct peer *p)
{
	for (struct rte_mbuf *m = take_staged(k, p); m != NULL; m = take_staged(k, p))
		keying_inject(k, p, m, PKT_INJECT_PEER_INNER);
}

void keying_peer_purge_staged(struct keying *k, struct peer *p)
{
	for (struct rte_mbuf *m = take_staged(k, p); m != NULL; m = take_staged(k, p)) {
		keying_count(k, COUNTER_DROP_NO_KEY);
		rte_pktmbuf_free(m);
	}
}

void keying_peer_forget_timestamp(struct keying *k, struct peer *p)
{
	(void)pthread_mutex_lock(&k->status_mutex);
	memset(p->latest_timestamp, 0, sizeof(p->latest_timestamp));
	(void)pthread_mutex_unlock(&k->status_mutex);
	if (p->keying != NULL)
		memset(p->keying->remote.latest_timestamp, 0, NOISE_TIMESTAMP_LEN);
}

void keying_peer_fail(struct keying *k, struct peer *p, enum peer_failure why, int64_t clock_s)
{
	atomic_store_explicit(&p->last_failure, (uint8_t)why, memory_order_relaxed);
	atomic_store_explicit(&p->last_failure_clock_s, clock_s, memory_order_relaxed);
	atomic_store_explicit(
		&p->last_failure_realtime_ns, clock_realtime_ns(), memory_order_relaxed);
	struct keying_event e = {.type = KEYING_EVENT_HANDSHAKE_FAILED,
		.peer = peer_handle(p),
		.failure = (uint8_t)why};
	keying_tell(k, &e);
}
