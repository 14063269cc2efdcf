// SPDX-License-Identifier: Apache-2.0
/*
 * Handshake messages whose way lacks a neighbour's MAC address. A worker would drop them, and the
 * handshake would wait for REKEY_TIMEOUT, while the neighbour mostly answers at once. So a peer's
 * last message is kept, as long as it is good for anything, and goes when the neighbour comes.
 */
#include "dataplane/keying/keying_private.h"
#include "dataplane/table/underlay.h"

#include <rte_mbuf.h>

/* Without an endpoint there is nothing to wait for. */
static bool has_way(const struct keying *k, const struct peer *p)
{
	return p->endpoint == NULL || underlay_is_reachable(k->tables, p->endpoint->adjacency);
}

/* The peer has a newer one by then, or has given up. */
static bool is_old(const struct keying *k, const struct held_message *h)
{
	return k->now_ns - h->since_ns >= REKEY_TIMEOUT;
}

static void drop(struct keying *k, struct held_message *h)
{
	if (h->mbuf == NULL)
		return;
	keying_count(k, COUNTER_DROP_NEIGHBOUR_MISSING);
	rte_pktmbuf_free(h->mbuf);
	h->mbuf = NULL;
}

/* NULL: all are taken. */
static struct held_message *slot_for(struct keying *k, uint64_t peer)
{
	struct held_message *empty = NULL;
	for (unsigned int n = 0; n < HELD_MAX; n++) {
		struct held_message *h = &k->held.message[n];
		if (h->mbuf != NULL && h->peer == peer)
			return h;
		if (h->mbuf == NULL || is_old(k, h))
			empty = h;
	}
	return empty;
}

void keying_send(struct keying *k, struct peer *p, struct rte_mbuf *m)
{
	struct held_message *h = NULL;
	if (!has_way(k, p))
		keying_endpoint_renew(k, p); /* asks for the neighbour */
	if (!has_way(k, p))
		h = slot_for(k, peer_handle(p));
	if (h == NULL) {
		keying_inject(k, p, m, PKT_INJECT_PEER_OUTER);
		return;
	}
	drop(k, h);
	*h = (struct held_message){peer_handle(p), k->now_ns, m};
}

void keying_neighbours_watch(struct keying *k)
{
	uint32_t arrivals = underlay_arrivals(k->tables->underlay);
	if (arrivals == k->held.arrivals)
		return;
	k->held.arrivals = arrivals;
	for (unsigned int n = 0; n < HELD_MAX; n++) {
		struct held_message *h = &k->held.message[n];
		if (h->mbuf == NULL)
			continue;
		struct peer *p = peer_from_handle(k->tables, h->peer);
		if (p == NULL || !p->known_to_keying || p->expired != 0 || is_old(k, h)) {
			drop(k, h);
		} else if (has_way(k, p)) {
			keying_inject(k, p, h->mbuf, PKT_INJECT_PEER_OUTER);
			h->mbuf = NULL;
		}
	}
}

void keying_neighbours_fini(struct keying *k)
{
	for (unsigned int n = 0; n < HELD_MAX; n++)
		drop(k, &k->held.message[n]);
}
