// SPDX-License-Identifier: Apache-2.0
/*
 * From the keying thread to the subscribers. The keying thread never waits: a ring with one
 * producer and one consumer, and an eventfd to wake the server when the ring was empty. What does
 * not fit is counted, and told to every subscriber as DP_EVENT_LOST. Peers travel as handles: one
 * that was deleted meanwhile is nobody's news any more.
 */
#include "dataplane/server/event.h"

#include "dataplane/api/event.h"
#include "dataplane/api/peer.h"
#include "dataplane/base/clock.h"
#include "dataplane/server/connection.h"
#include "dataplane/server/request.h"
#include "dataplane/server/server.h"
#include "dataplane/server/state.h"
#include "dataplane/table/instance.h"
#include "dataplane/table/peer.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

static_assert((EVENT_RING_SIZE & (EVENT_RING_SIZE - 1)) == 0);
static_assert((int)DP_FAILURE_OLD_TIMESTAMP == (int)PEER_FAILURE_OLD_TIMESTAMP
	&& (int)DP_FAILURE_FLOOD == (int)PEER_FAILURE_FLOOD
	&& (int)DP_FAILURE_BAD_HANDSHAKE == (int)PEER_FAILURE_BAD_HANDSHAKE
	&& (int)DP_FAILURE_NO_RESPONSE == (int)PEER_FAILURE_NO_RESPONSE
	&& (int)DP_FAILURE_CLOCK_AHEAD == (int)PEER_FAILURE_CLOCK_AHEAD
	&& (int)DP_FAILURE_OPENVPN_TIMEOUT == (int)PEER_FAILURE_OPENVPN_TIMEOUT
	&& (int)DP_FAILURE_OPENVPN_TLS == (int)PEER_FAILURE_OPENVPN_TLS
	&& (int)DP_FAILURE_OPENVPN_CERTIFICATE == (int)PEER_FAILURE_OPENVPN_CERTIFICATE
	&& (int)DP_FAILURE_OPENVPN_PASSWORD == (int)PEER_FAILURE_OPENVPN_PASSWORD
	&& (int)DP_FAILURE_OPENVPN_CIPHER == (int)PEER_FAILURE_OPENVPN_CIPHER
	&& (int)DP_FAILURE_OPENVPN_OPTIONS == (int)PEER_FAILURE_OPENVPN_OPTIONS
	&& (int)DP_FAILURE__COUNT == (int)PEER_FAILURE__COUNT);

int event_ring_init(struct event_ring *ring)
{
	ring->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return ring->fd >= 0 ? 0 : -errno;
}

void event_ring_fini(struct event_ring *ring)
{
	if (ring->fd >= 0)
		(void)close(ring->fd);
}

static void wake(const struct event_ring *ring)
{
	uint64_t one = 1;
	ssize_t n = write(ring->fd, &one, sizeof(one));
	(void)n; /* full means: it is readable */
}

void server_event(void *server, const struct keying_event *event)
{
	struct event_ring *ring = &((struct server *)server)->events;
	uint32_t put = atomic_load_explicit(&ring->put, memory_order_relaxed);
	uint32_t got = atomic_load_explicit(&ring->got, memory_order_acquire);
	if (put - got == EVENT_RING_SIZE) {
		atomic_fetch_add_explicit(&ring->lost, 1, memory_order_relaxed);
		return;
	}
	ring->entry[put % EVENT_RING_SIZE] =
		(struct event_entry){.event = *event, .at_ns = clock_realtime_ns()};
	atomic_store_explicit(&ring->put, put + 1, memory_order_release);
	wake(ring);
}

static bool type_from_keying(enum keying_event_type type, uint8_t *ret)
{
	switch (type) {
	case KEYING_EVENT_SESSION_UP:
		*ret = DP_EVENT_PEER_SEEN;
		return true;
	case KEYING_EVENT_ENDPOINT_MOVED:
		*ret = DP_EVENT_ENDPOINT_MOVED;
		return true;
	case KEYING_EVENT_HANDSHAKE_FAILED:
		*ret = DP_EVENT_HANDSHAKE_FAILED;
		return true;
	case KEYING_EVENT_PEER_EXPIRED:
		*ret = DP_EVENT_PEER_EXPIRED;
		return true;
	case KEYING_EVENT_NEIGHBOUR_MISSING:
		*ret = DP_EVENT_NEIGHBOUR_MISSING;
		return true;
	}
	return false;
}

/* false: about a peer that is gone. */
static bool event_from_entry(
	const struct tables *t, const struct event_entry *from, struct dp_event *ret)
{
	const struct keying_event *e = &from->event;
	*ret = (struct dp_event){
		.at_ns = from->at_ns, .endpoint = e->remote, .failure = e->failure};
	if (!type_from_keying(e->type, &ret->type))
		return false;
	if (e->type == KEYING_EVENT_NEIGHBOUR_MISSING) {
		ret->port = (uint16_t)e->port;
		return true;
	}
	const struct peer *p = peer_from_handle(t, e->peer);
	if (p == NULL)
		return false;
	ret->peer = p->id;
	ret->instance = p->instance->id;
	/* keying gives the tunnel to the peer, or takes it, before it tells where the peer is */
	ret->protocol = p->tunnel != NULL ? DP_PROTOCOL_OPENVPN : DP_PROTOCOL_WIREGUARD;
	return true;
}

static void tell_subscribers(struct server *s, const struct dp_event *event)
{
	for (struct connection *c = s->connections; c != NULL; c = c->next) {
		if (c->subscribed && !c->dead)
			connection_send_event(c, event);
	}
}

static void tell_lost(struct server *s, uint64_t lost)
{
	for (struct connection *c = s->connections; c != NULL; c = c->next) {
		if (c->subscribed)
			c->lost_events += lost;
	}
}

void event_deliver(struct server *s)
{
	struct event_ring *ring = &s->events;
	uint64_t wakes;
	ssize_t n = read(ring->fd, &wakes, sizeof(wakes));
	(void)n; /* nothing to read is fine: the ring tells what there is */
	uint32_t got = atomic_load_explicit(&ring->got, memory_order_relaxed);
	uint32_t put = atomic_load_explicit(&ring->put, memory_order_acquire);
	for (; got != put; got++) {
		struct dp_event event;
		if (event_from_entry(s->tables, &ring->entry[got % EVENT_RING_SIZE], &event))
			tell_subscribers(s, &event);
	}
	atomic_store_explicit(&ring->got, got, memory_order_release);
	uint64_t lost = atomic_exchange_explicit(&ring->lost, 0, memory_order_relaxed);
	if (lost > 0)
		tell_lost(s, lost);
}

int serve_event_subscribe(struct request *q)
{
	q->connection->subscribed = true;
	return 0;
}
