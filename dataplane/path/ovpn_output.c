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
#include "dataplane/table/tunnel.h"

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

/* false: no room. A ping is not an IP packet, so nobody sees a class of service in it. */
static bool write_ping_if_empty(struct rte_mbuf *m)
{
	if (m->data_len > 0)
		return true;
	uint8_t *at = pkt_grow(m, 0, DATA_PING_LEN);
	if (at == NULL)
		return false;
	data_payload_write_ping(at);
	return true;
}

/* The headers of CBC with SHA512, and those outside over IPv6, are more than a packet has in front that
 * came in none: it moves within its buffer. */
static __rte_noinline void move_back(struct rte_mbuf *m, uint32_t by)
{
	uint8_t *at = rte_pktmbuf_mtod(m, uint8_t *);
	memmove(at + by, at, m->data_len);
	m->data_off = (uint16_t)(m->data_off + by);
}

/* What surrounds the payload must fit the buffer, the outer headers too. */
static bool make_room(struct rte_mbuf *m, const struct data_send *send, const struct endpoint *e)
{
	uint32_t front = DATA_COMPRESSION_HEADROOM + data_send_headroom(send) + e->header_len;
	uint32_t back = DATA_COMPRESSION_TAILROOM + DATA_TAILROOM;
	uint32_t begin = m->data_off > front ? m->data_off : front;
	if (begin + m->data_len + back > m->buf_len)
		return false;
	if (begin != m->data_off)
		move_back(m, begin - m->data_off);
	return true;
}

/* 0: the packet is in the burst. */
static enum counter seal_prepare(
	struct path *p, struct burst *b, struct rte_mbuf *m, struct tunnel *t, struct data_key *key)
{
	struct pkt *k = pkt_of(m);
	bool is_data = m->data_len > 0;
	k->outer_tos = is_data ? ecn_tos(rte_pktmbuf_mtod(m, const uint8_t *)) & p->tos_mask : 0;
	if (is_data)
		capture_packet(p->rings, p->counters, m, k->to, PEER_CAPTURE_INNER, true);
	if (!write_ping_if_empty(m) || !make_room(m, &key->send, k->endpoint))
		return COUNTER_DROP_NO_HEADROOM;
	struct data_span span = {rte_pktmbuf_mtod(m, uint8_t *), m->data_len};
	data_payload_frame(t->compression, &span);
	if (data_seal_prepare(&key->send, &span, &b->job[b->count]) != 0)
		return COUNTER_DROP_NO_KEY;
	m->data_off = (uint16_t)(span.at - (uint8_t *)m->buf_addr);
	m->data_len = (uint16_t)span.len;
	m->pkt_len = span.len;
	if (data_send_wants_renegotiation(&key->send))
		ask_for_renewal(p, t, key);
	output_count(p, k->to, is_data, 1, span.len);
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
