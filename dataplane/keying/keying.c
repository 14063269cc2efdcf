// SPDX-License-Identifier: Apache-2.0
/*
 * The keying thread. One round: orders of the server thread, messages of the workers, timers that
 * are due, initiations whose turn it is, memory whose grace period is over; then a nap when nothing
 * happened. It is the one writer of sessions, endpoints and timers, so nothing here takes a lock
 * against workers.
 */
#include "dataplane/base/clock.h"
#include "dataplane/crypto/crypto.h"
#include "dataplane/keying/stream.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <rte_mbuf.h>
#include <rte_rcu_qsbr.h>
#include <rte_ring.h>

enum {
	MESSAGE_BURST = 64,
};

enum order_type {
	ORDER_INSTANCE_SET,
	ORDER_PEER_SET,
	ORDER_PEER_RESET_TIMESTAMP,
	ORDER_LISTENER_SET,
	ORDER_LISTENER_DEL,
	ORDER_LISTENER_SOCKET,
	ORDER_PUSH_SET,
	ORDER_CALL,
};

struct order {
	struct order *next;
	enum order_type type;
	void (*call)(struct keying *k, void *ctx); /* ORDER_CALL; so are ctx and done */
	void *ctx;
	bool *done; /* under the mutex, with the condition */
	struct instance *instance;
	struct key private_key;
	struct keying_peer peer; /* ORDER_PEER_RESET_TIMESTAMP: only .peer */
	struct keying_listener *listener; /* owned until it is obeyed; so is push */
	struct uuid listener_id;
	struct keying_push *push;
	int fd; /* ORDER_LISTENER_SOCKET: owned */
};

void keying_count(struct keying *k, enum counter which)
{
	counter_add(k->counters, which, 1);
}

void keying_tell(struct keying *k, const struct keying_event *e)
{
	if (k->config.event != NULL)
		k->config.event(k->config.ctx, e);
}

void keying_inject(struct keying *k, struct peer *p, struct rte_mbuf *m, enum pkt_inject how)
{
	struct pkt *meta = pkt_of(m);
	meta->handle = peer_handle(p);
	meta->inject = (uint8_t)how;
	if (!rings_inject_put(k->rings, tables_owner(k->tables, p->slot), m)) {
		keying_count(k, COUNTER_DROP_INJECT_FULL);
		rte_pktmbuf_free(m);
	}
}

void keying_defer_free(struct keying *k, void *object)
{
	keying_defer(k, object, slab_free);
}

void keying_defer(struct keying *k, void *object, void (*free_object)(void *object))
{
	struct deferred *d = malloc(sizeof(*d));
	if (d == NULL) {
		(void)rte_rcu_qsbr_check(
			k->tables->qsbr, rte_rcu_qsbr_start(k->tables->qsbr), true);
		free_object(object);
		return;
	}
	*d = (struct deferred){NULL, rte_rcu_qsbr_start(k->tables->qsbr), object, free_object};
	*k->deferred_end = d;
	k->deferred_end = &d->next;
}

/* In order: when one is not over yet, later ones aren't either. */
static void free_deferred(struct keying *k, bool wait)
{
	while (k->deferred != NULL) {
		struct deferred *d = k->deferred;
		if (rte_rcu_qsbr_check(k->tables->qsbr, d->token, wait) != 1)
			return;
		k->deferred = d->next;
		if (k->deferred == NULL)
			k->deferred_end = &k->deferred;
		d->free(d->object);
		free(d);
	}
}

static void put_order(struct keying *k, struct order *o)
{
	(void)pthread_mutex_lock(&k->mutex);
	*k->orders_end = o;
	k->orders_end = &o->next;
	(void)pthread_mutex_unlock(&k->mutex);
	k->unsettled = true;
}

static struct order *order_new(enum order_type type, struct instance *i)
{
	struct order *o = calloc(1, sizeof(*o));
	if (o != NULL) {
		o->type = type;
		o->instance = i;
	}
	return o;
}

int keying_instance_set(struct keying *k, struct instance *i, const struct key *private_key)
{
	struct order *o = order_new(ORDER_INSTANCE_SET, i);
	if (o == NULL)
		return -ENOMEM;
	o->private_key = *private_key;
	put_order(k, o);
	return 0;
}

int keying_peer_set(struct keying *k, const struct keying_peer *settings)
{
	struct order *o = order_new(ORDER_PEER_SET, NULL);
	if (o == NULL) {
		free(settings->credential);
		return -ENOMEM;
	}
	o->peer = *settings;
	put_order(k, o);
	return 0;
}

int keying_peer_reset_timestamp(struct keying *k, struct peer *p)
{
	struct order *o = order_new(ORDER_PEER_RESET_TIMESTAMP, NULL);
	if (o == NULL)
		return -ENOMEM;
	o->peer.peer = p;
	put_order(k, o);
	return 0;
}

int keying_listener_set(struct keying *k, struct instance *i, struct keying_listener *l)
{
	struct order *o = order_new(ORDER_LISTENER_SET, i);
	if (o == NULL) {
		keying_listener_unref(l);
		return -ENOMEM;
	}
	o->listener = l;
	put_order(k, o);
	return 0;
}

int keying_listener_del(struct keying *k, struct instance *i, const struct uuid *id)
{
	struct order *o = order_new(ORDER_LISTENER_DEL, i);
	if (o == NULL)
		return -ENOMEM;
	o->listener_id = *id;
	put_order(k, o);
	return 0;
}

int keying_listener_socket_set(struct keying *k, struct instance *i, const struct uuid *id, int fd)
{
	struct order *o = order_new(ORDER_LISTENER_SOCKET, i);
	if (o == NULL) {
		(void)close(fd);
		return -ENOMEM;
	}
	o->listener_id = *id;
	o->fd = fd;
	put_order(k, o);
	return 0;
}

int keying_push_set(struct keying *k, struct instance *i, struct keying_push *push)
{
	struct order *o = order_new(ORDER_PUSH_SET, i);
	if (o == NULL) {
		free(push);
		return -ENOMEM;
	}
	o->push = push;
	put_order(k, o);
	return 0;
}

void keying_call(struct keying *k, void (*call)(struct keying *k, void *ctx), void *ctx)
{
	bool done = false;
	struct order o = {.type = ORDER_CALL, .call = call, .ctx = ctx, .done = &done};
	put_order(k, &o);
	(void)pthread_mutex_lock(&k->mutex);
	while (!done)
		(void)pthread_cond_wait(&k->done, &k->mutex);
	(void)pthread_mutex_unlock(&k->mutex);
	k->unsettled = false;
}

/* The server thread waits in keying_retire(), so its lists hold still. */
static void retire_unlinked(struct keying *k, void *ctx)
{
	for (struct peer *p = k->tables->unlinked_peers; p != NULL; p = p->unlinked_next)
		keying_peer_drop(k, p);
	for (struct instance *i = k->tables->unlinked_instances; i != NULL; i = i->next)
		keying_instance_drop(k, i);
}

void keying_settle(struct keying *k)
{
	if (k->unsettled)
		keying_call(k, retire_unlinked, NULL);
}

void keying_retire(struct keying *k)
{
	if (k->tables->unlinked_peers == NULL && k->tables->unlinked_instances == NULL)
		return;
	k->unsettled = true;
	keying_settle(k);
}

/* The order itself is the caller's after that, but for ORDER_CALL, which stands on a stack. */
static void obey_order(struct keying *k, struct order *o)
{
	switch (o->type) {
	case ORDER_INSTANCE_SET:
		if (keying_instance_apply(k, o->instance, &o->private_key) != 0)
			keying_count(k, COUNTER_DROP_NO_BUFFER);
		break;
	case ORDER_PEER_SET:
		keying_peer_apply(k, &o->peer);
		break;
	case ORDER_PEER_RESET_TIMESTAMP:
		keying_peer_forget_timestamp(k, o->peer.peer);
		break;
	case ORDER_LISTENER_SET:
		keying_listener_apply(k, o->instance, o->listener);
		break;
	case ORDER_LISTENER_DEL:
		keying_listener_remove(k, o->instance, &o->listener_id);
		break;
	case ORDER_LISTENER_SOCKET:
		keying_listener_socket_apply(k, o->instance, &o->listener_id, o->fd);
		break;
	case ORDER_PUSH_SET:
		keying_push_apply(k, o->instance, o->push);
		break;
	case ORDER_CALL:
		o->call(k, o->ctx);
		(void)pthread_mutex_lock(&k->mutex);
		*o->done = true;
		(void)pthread_cond_signal(&k->done);
		(void)pthread_mutex_unlock(&k->mutex);
		return;
	}
	explicit_bzero(o, sizeof(*o));
	free(o);
}

static unsigned int obey_orders(struct keying *k)
{
	(void)pthread_mutex_lock(&k->mutex);
	struct order *o = k->orders;
	k->orders = NULL;
	k->orders_end = &k->orders;
	(void)pthread_mutex_unlock(&k->mutex);
	unsigned int n = 0;
	while (o != NULL) {
		struct order *next = o->next;
		obey_order(k, o);
		o = next;
		n++;
	}
	return n;
}

static void roam(struct keying *k, struct peer *p, const struct keying_message *m)
{
	struct ip_endpoint remote = {m->remote, m->remote_port};
	if (keying_client_may_move(p, m)) {
		keying_endpoint_set(k, p, &remote, &m->local, m->local_port);
		keying_client_moved(k, p);
	}
	atomic_store_explicit(&p->roaming, 0, memory_order_release);
}

/* A worker may have asked while the next key was on its way to it. */
static bool needs_key(const struct keying *k, const struct peer *p)
{
	const struct session *s = p->current;
	if (s == NULL)
		return true;
	const struct keypair *pair = &s->keypair;
	uint64_t counter = atomic_load_explicit(&pair->send_counter, memory_order_relaxed);
	return !keypair_may_send(pair, counter, k->now_ns)
		|| keypair_wants_rekey_on_send(pair, counter, k->now_ns)
		|| keypair_wants_rekey_on_receive(pair, k->now_ns);
}

/* A worker has a packet to seal and no key, or a key that is due for a change, or the peer has moved. */
static void want_key(struct keying *k, struct peer *p, struct rte_mbuf *m)
{
	if (m != NULL)
		keying_peer_stage(k, p, m);
	if (!needs_key(k, p) || !keying_peer_can_be_called(p)) {
		atomic_store_explicit(&p->wants_key, 0, memory_order_release);
		return;
	}
	keying_peer_want_handshake(k, p);
	keying_timer_visit(k, p);
}

static void obey_message(struct keying *k, const struct keying_message *m)
{
	if (m->type == KEYING_HANDSHAKE) {
		keying_handshake_receive(k, m);
		return;
	}
	if (m->type == KEYING_OPENVPN) {
		keying_control_receive(k, m);
		return;
	}
	struct peer *p = peer_from_handle(k->tables, m->peer);
	if (p == NULL || !p->known_to_keying) {
		rte_pktmbuf_free(m->mbuf);
		return;
	}
	switch ((enum keying_message_type)m->type) {
	case KEYING_WANT_KEY:
		want_key(k, p, m->mbuf);
		break;
	case KEYING_PROMOTE:
		keying_session_promote(k, p, m->index);
		break;
	case KEYING_ROAM:
		roam(k, p, m);
		break;
	case KEYING_STALE_ENDPOINT:
		keying_endpoint_renew(k, p);
		atomic_store_explicit(&p->renewing, 0, memory_order_release);
		break;
	case KEYING_TUNNEL_EXIT:
		keying_client_exited(k, p, m->index);
		break;
	case KEYING_TUNNEL_RENEW:
		keying_client_renew(k, p, m->index);
		break;
	case KEYING_HANDSHAKE:
	case KEYING_OPENVPN:
		break;
	}
}

static unsigned int obey_messages(struct keying *k)
{
	struct keying_message m;
	unsigned int n = 0;
	while (n < MESSAGE_BURST && rings_keying_get(k->rings, &m)) {
		obey_message(k, &m);
		n++;
	}
	return n;
}

unsigned int keying_round(struct keying *k)
{
	keying_clone_watch(k);
	keying_neighbours_watch(k);
	unsigned int n = obey_orders(k);
	n += obey_messages(k);
	n += keying_streams_run(k);
	keying_timer_run(k);
	keying_pace_run(k);
	keying_clients_run(k);
	free_deferred(k, false);
	return n;
}

static void *run(void *arg)
{
	struct keying *k = arg;
	struct timespec nap = {.tv_nsec = (long)k->config.idle_sleep_us * 1000};
	while (!atomic_load_explicit(&k->stop, memory_order_relaxed)) {
		k->now_ns = clock_monotonic_ns();
		if (keying_round(k) == 0)
			(void)clock_nanosleep(CLOCK_MONOTONIC, 0, &nap, NULL);
	}
	return NULL;
}

int keying_init(struct keying *k, const struct keying_config *config)
{
	memset(k, 0, sizeof(*k));
	k->config = *config;
	k->tables = config->tables;
	k->rings = config->rings;
	k->counters = config->counters;
	k->orders_end = &k->orders;
	k->deferred_end = &k->deferred;
	int err = crypto_init();
	if (err == 0)
		err = ratelimiter_new(&k->admission.sources);
	if (err == 0)
		err = keying_openvpn_init(k);
	if (err != 0) {
		ratelimiter_free(k->admission.sources);
		return err;
	}
	keying_clone_open(k);
	(void)pthread_mutex_init(&k->mutex, NULL);
	(void)pthread_mutex_init(&k->status_mutex, NULL);
	(void)pthread_cond_init(&k->done, NULL);
	return 0;
}

void keying_fini(struct keying *k)
{
	(void)obey_orders(k);
	struct instance *next;
	for (struct instance *i = k->tables->instances; i != NULL; i = next) {
		next = i->next;
		for (struct peer *p = i->peers; p != NULL; p = p->instance_next)
			keying_peer_drop(k, p);
		keying_instance_drop(k, i);
	}
	keying_openvpn_fini(k);
	free_deferred(k, true);
	keying_pace_fini(k);
	keying_neighbours_fini(k);
	keying_clone_close(k);
	ratelimiter_free(k->admission.sources);
	(void)pthread_cond_destroy(&k->done);
	(void)pthread_mutex_destroy(&k->status_mutex);
	(void)pthread_mutex_destroy(&k->mutex);
}

int keying_start(const struct keying_config *config, struct keying **ret)
{
	struct keying *k = malloc(sizeof(*k));
	if (k == NULL)
		return -ENOMEM;
	int err = keying_init(k, config);
	if (err != 0) {
		free(k);
		return err;
	}
	err = -pthread_create(&k->thread, NULL, run, k);
	if (err != 0) {
		keying_fini(k);
		free(k);
		return err;
	}
	(void)pthread_setname_np(k->thread, "nave-keying");
	*ret = k;
	return 0;
}

void keying_stop(struct keying *k)
{
	if (k == NULL)
		return;
	atomic_store_explicit(&k->stop, true, memory_order_relaxed);
	(void)pthread_join(k->thread, NULL);
	keying_fini(k);
	free(k);
}

void keying_peer_status(struct keying *k, const struct peer *p, struct keying_peer_status *ret)
{
	memset(ret, 0, sizeof(*ret));
	(void)pthread_mutex_lock(&k->status_mutex);
	if (p->endpoint != NULL)
		ret->endpoint = p->endpoint->remote;
	memcpy(ret->timestamp, p->latest_timestamp, sizeof(ret->timestamp));
	(void)pthread_mutex_unlock(&k->status_mutex);
}

void keying_private_key(const struct instance *i, struct key *ret)
{
	const struct keying_instance *ki = i->keying;
	*ret = ki != NULL ? ki->identity.private_key : (struct key){0};
}
