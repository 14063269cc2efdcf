// SPDX-License-Identifier: Apache-2.0
/*
 * OpenVPN data, the other way. Over UDP a packet is numbered and sealed by the owner of the receiving
 * tunnel, because its client's replay window is small; over TCP by the thread of the stream. An empty
 * packet is a ping.
 */
#include "dataplane/crypto/cipher.h"
#include "dataplane/path/ecn.h"
#include "dataplane/path/output.h"
#include "dataplane/path/path.h"
#include "dataplane/table/capture.h"
#include "dataplane/table/instance.h"
#include "dataplane/table/peer.h"
#include "dataplane/table/rings.h"
#include "dataplane/table/session.h"
#include "dataplane/table/tables.h"
#include "dataplane/table/tunnel_packet.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include <rte_ring.h>

struct burst {
	unsigned int count;
	struct rte_mbuf *packet[CIPHER_BURST];
	struct cipher_job job[CIPHER_BURST];
};

static void hand_to_owner(struct path *p, struct rte_mbuf *m, unsigned int owner)
{
	struct pkt *k = pkt_of(m);
	k->handle = peer_handle(k->to);
	k->inject = PKT_INJECT_PEER_INNER;
	path_hand_over(p, owner, &m, 1);
}

/* 0, or why not: the stream has its bound, and numbers what it takes only then. */
static enum counter hand_to_stream(struct path *p, struct rte_mbuf *m)
{
	struct pkt *k = pkt_of(m);
	k->handle = peer_handle(k->to);
	if (m->data_len > 0)
		capture_packet(p->rings, p->counters, m, k->to, PEER_CAPTURE_INNER, true);
	return rte_ring_enqueue(p->rings->stream, m) == 0 ? 0 : COUNTER_DROP_STREAM_FULL;
}

static __rte_cold void ask_for_renewal(struct path *p, struct tunnel *t, struct data_key *key)
{
	struct keying_message message = {
		.type = KEYING_TUNNEL_RENEW, .peer = peer_handle(t->peer), .index = t->id};
	path_tell_keying(p, &key->told, &message);
}

/* 0: the packet is in the burst. */
static enum counter seal_prepare(
	struct path *p, struct burst *b, struct rte_mbuf *m, struct tunnel *t, struct data_key *key)
{
	struct pkt *k = pkt_of(m);
	bool is_data = m->data_len > 0;
	/* a ping is not an IP packet, so nobody sees a class of service in it */
	k->outer_tos = is_data ? ecn_tos(rte_pktmbuf_mtod(m, const uint8_t *)) & p->tos_mask : 0;
	if (is_data)
		capture_packet(p->rings, p->counters, m, k->to, PEER_CAPTURE_INNER, true);
	if (!is_data && !tunnel_packet_ping(m))
		return COUNTER_DROP_NO_HEADROOM;
	int err = tunnel_packet_seal_prepare(t, key, m, k->endpoint->header_len, &b->job[b->count]);
	if (err != 0)
		return err == -ENOBUFS ? COUNTER_DROP_NO_HEADROOM : COUNTER_DROP_NO_KEY;
	if (data_send_wants_renegotiation(&key->send))
		ask_for_renewal(p, t, key);
	output_count(p, k->to, is_data, 1, m->data_len);
	b->packet[b->count++] = m;
	return 0;
}

/* 0: it went somewhere. */
static enum counter seal_or_send_on(struct path *p, struct burst *b, struct rte_mbuf *m)
{
	struct pkt *k = pkt_of(m);
	struct tunnel *t = atomic_load_explicit(&k->to->tunnel, memory_order_acquire);
	if (t == NULL)
		return COUNTER_DROP_NO_KEY;
	if (atomic_load_explicit(&k->to->expired, memory_order_relaxed) != 0)
		return COUNTER_DROP_PEER_EXPIRED;
	if (t->is_tcp)
		return hand_to_stream(p, m);
	unsigned int owner = tables_owner(p->tables, t->peer_slot);
	if (owner != p->worker) {
		hand_to_owner(p, m, owner);
		return 0;
	}
	struct data_key *key = atomic_load_explicit(&t->send, memory_order_acquire);
	if (key == NULL)
		return COUNTER_DROP_NO_KEY;
	k->endpoint = atomic_load_explicit(&k->to->endpoint, memory_order_acquire);
	if (k->endpoint == NULL)
		return COUNTER_DROP_NO_ENDPOINT;
	return seal_prepare(p, b, m, t, key);
}

static void seal_burst(struct path *p, struct burst *b)
{
	cipher_seal(p->cipher, b->job, b->count);
	for (unsigned int n = 0; n < b->count; n++) {
		if (b->job[n].ok)
			path_push(p, STAGE_UDP_OUTPUT, b->packet[n]);
		else
			path_drop(p, b->packet[n], COUNTER_DROP_NO_KEY);
	}
	b->count = 0;
}

void ovpn_output(struct path *p, struct vector *in)
{
	struct burst b = {.count = 0};
	for (uint16_t n = 0; n < in->count; n++) {
		enum counter reason = seal_or_send_on(p, &b, in->packet[n]);
		if (reason != 0)
			path_drop(p, in->packet[n], reason);
		else if (b.count == CIPHER_BURST)
			seal_burst(p, &b);
	}
	if (b.count > 0)
		seal_burst(p, &b);
}
