// SPDX-License-Identifier: Apache-2.0
/*
 * OpenVPN data over UDP (the wire protocol draft, data channel): the peer id, or of P_DATA_V1 the address,
 * finds the tunnel, the key id its key; a burst opens all packets at once; and only then, for what was
 * authentic, the replay window moves and the client may have floated. What comes out goes the way of all.
 */
#include "dataplane/crypto/cipher.h"
#include "dataplane/path/came_from.h"
#include "dataplane/path/ovpn_packet.h"
#include "dataplane/path/path.h"
#include "dataplane/table/capture.h"
#include "dataplane/table/instance.h"
#include "dataplane/table/peer.h"
#include "dataplane/table/rings.h"
#include "dataplane/table/tables.h"
#include "dataplane/table/tunnel_packet.h"

#include <errno.h>
#include <stdatomic.h>

/* The packets of one burst. */
struct burst {
	unsigned int count;
	struct rte_mbuf *packet[CIPHER_BURST];
	struct data_key *key[CIPHER_BURST];
	struct cipher_job job[CIPHER_BURST];
};

/* What can be refused before any cryptography; 0: it is in the burst. */
static enum counter prepare(struct path *p, struct burst *b, struct rte_mbuf *m)
{
	struct pkt *k = pkt_of(m);
	uint8_t *packet = rte_pktmbuf_mtod_offset(m, uint8_t *, k->outer_len);
	uint32_t len = (uint32_t)m->data_len - k->outer_len;
	struct data_header h;
	struct tunnel *t = ovpn_packet_tunnel(p->tables->tunnels, m, &h);
	if (t == NULL || t->is_tcp || t->peer->instance != k->instance)
		return COUNTER_DROP_OVPN_UNKNOWN_PEER;
	struct data_key *key = atomic_load_explicit(&t->receive[h.key_id], memory_order_acquire);
	if (key == NULL)
		return COUNTER_DROP_OVPN_UNKNOWN_KEY;
	if (data_open_prepare(&key->receive, &h, packet, len, &b->job[b->count]) != 0)
		return COUNTER_DROP_OVPN_LENGTH;
	k->tunnel = t;
	capture_packet(p->rings, p->counters, m, t->peer, PEER_CAPTURE_OUTER, false);
	b->key[b->count] = key;
	b->packet[b->count++] = m;
	return 0;
}

static __rte_cold void tell_about_tunnel(
	struct path *p, struct tunnel *t, enum keying_message_type what, _Atomic uint8_t *told)
{
	struct keying_message message = {
		.type = (uint8_t)what, .peer = peer_handle(t->peer), .index = t->id};
	path_tell_keying(p, told, &message);
}

/* A client of P_DATA_V1 is known by its address, so it is where it was. */
static void float_if_moved(struct path *p, struct rte_mbuf *m, const struct tunnel *t)
{
	struct pkt *k = pkt_of(m);
	const struct endpoint *e = atomic_load_explicit(&t->peer->endpoint, memory_order_acquire);
	if (e == NULL || !came_from(e, rte_pktmbuf_mtod(m, const uint8_t *), k))
		path_tell_roaming(p, t->peer, m);
}

/* The packet is authentic and new. */
static void accept_packet(struct path *p, struct rte_mbuf *m, struct data_span *span)
{
	struct pkt *k = pkt_of(m);
	struct tunnel *t = k->tunnel;
	struct peer *peer = t->peer;
	float_if_moved(p, m, t);
	const uint8_t *frame = rte_pktmbuf_mtod(m, const uint8_t *);
	enum data_payload_kind kind =
		tunnel_packet_receive(t, m, (uint32_t)m->data_len - k->outer_len, span, p->now_ns);
	switch (kind) {
	case DATA_PAYLOAD_IP:
		k->outer_len = (uint16_t)(span->at - frame);
		capture_packet(p->rings, p->counters, m, peer, PEER_CAPTURE_INNER, false);
		k->from = peer;
		path_push(p, STAGE_SOURCE_CHECK, m);
		return;
	case DATA_PAYLOAD_OCC_EXIT:
		tell_about_tunnel(p, t, KEYING_TUNNEL_EXIT, &t->exiting);
		path_drop(p, m, COUNTER_OVPN_PINGS_RECEIVED);
		return;
	case DATA_PAYLOAD_PING:
	case DATA_PAYLOAD_OCC:
	case DATA_PAYLOAD_EMPTY:
		path_drop(p, m, COUNTER_OVPN_PINGS_RECEIVED);
		return;
	case DATA_PAYLOAD_REFUSED:
		path_drop(p, m, COUNTER_DROP_OVPN_PAYLOAD);
		return;
	}
}

static void open_burst(struct path *p, struct burst *b)
{
	cipher_open(p->cipher, b->job, b->count);
	for (unsigned int n = 0; n < b->count; n++) {
		struct rte_mbuf *m = b->packet[n];
		struct tunnel *t = pkt_of(m)->tunnel;
		struct data_span span;
		int err = data_open_finish(&b->key[n]->receive, &b->job[n], &span);
		if (err != 0) {
			path_drop(p, m,
				err == -EALREADY ? COUNTER_DROP_OVPN_REPLAY
						 : COUNTER_DROP_OVPN_AUTH);
			continue;
		}
		if (data_receive_wants_renegotiation(&b->key[n]->receive))
			tell_about_tunnel(p, t, KEYING_TUNNEL_RENEW, &b->key[n]->told);
		if (atomic_load_explicit(&t->peer->expired, memory_order_relaxed) != 0)
			path_drop(p, m, COUNTER_DROP_PEER_EXPIRED);
		else
			accept_packet(p, m, &span);
	}
	b->count = 0;
}

void ovpn_input(struct path *p, struct vector *in)
{
	struct burst b = {.count = 0};
	for (uint16_t n = 0; n < in->count; n++) {
		enum counter reason = prepare(p, &b, in->packet[n]);
		if (reason != 0)
			path_drop(p, in->packet[n], reason);
		else if (b.count == CIPHER_BURST)
			open_burst(p, &b);
	}
	if (b.count > 0)
		open_burst(p, &b);
}
