// SPDX-License-Identifier: Apache-2.0
/*
 * Data packets of TCP streams. Both ways in bursts, on this thread: what comes is opened and goes into
 * the path behind *_input; what goes is numbered, sealed and queued in this order, and dropped only
 * before it has its number.
 */
#include "dataplane/keying/stream.h"

#include <errno.h>
#include <string.h>

#include <rte_mbuf.h>
#include <rte_ring.h>

enum {
	SEND_MOST = 512, /* packets a round */
};

static void drop(struct keying *k, struct rte_mbuf *m, enum counter why)
{
	keying_count(k, why);
	rte_pktmbuf_free(m);
}

static void accept_packet(
	struct keying *k, struct tunnel *t, struct rte_mbuf *m, struct data_span *span)
{
	struct peer *p = t->peer;
	if (p->expired != 0) {
		drop(k, m, COUNTER_DROP_PEER_EXPIRED);
		return;
	}
	enum data_payload_kind kind = tunnel_packet_receive(t, m, m->data_len, span, k->now_ns);
	switch (kind) {
	case DATA_PAYLOAD_IP:
		keying_inject(k, p, m, PKT_INJECT_FROM_PEER);
		return;
	case DATA_PAYLOAD_OCC_EXIT:
		((struct client *)t->client)->exits = true;
		drop(k, m, COUNTER_OVPN_PINGS_RECEIVED);
		return;
	case DATA_PAYLOAD_PING:
	case DATA_PAYLOAD_OCC:
	case DATA_PAYLOAD_EMPTY:
		drop(k, m, COUNTER_OVPN_PINGS_RECEIVED);
		return;
	case DATA_PAYLOAD_REFUSED:
		drop(k, m, COUNTER_DROP_OVPN_PAYLOAD);
		return;
	}
}

void keying_stream_data_flush(struct keying *k, struct stream_burst *b)
{
	if (b->count == 0)
		return;
	cipher_open(k->openvpn->cipher, b->job, b->count);
	for (unsigned int n = 0; n < b->count; n++) {
		struct data_span span;
		int err = data_open_finish(&b->key[n]->receive, &b->job[n], &span);
		if (err != 0)
			drop(k, b->mbuf[n],
				err == -EALREADY ? COUNTER_DROP_OVPN_REPLAY
						 : COUNTER_DROP_OVPN_AUTH);
		else
			accept_packet(k, b->tunnel[n], b->mbuf[n], &span);
	}
	b->count = 0;
}

static struct rte_mbuf *copy_packet(struct keying *k, const uint8_t *packet, size_t len)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(k->rings->pool);
	void *to = m != NULL ? rte_pktmbuf_append(m, (uint16_t)len) : NULL;
	if (to == NULL) {
		rte_pktmbuf_free(m);
		keying_count(k, COUNTER_DROP_NO_BUFFER);
		return NULL;
	}
	memset(pkt_of(m), 0, sizeof(struct pkt));
	memcpy(to, packet, len);
	return m;
}

/* It counts as received all the same: the next one is only taken behind it. */
static void open_unseen(struct keying *k, struct data_key *key, const struct data_header *h,
	uint8_t *packet, size_t len)
{
	struct cipher_job job;
	struct data_span span;
	if (data_open_prepare(&key->receive, h, packet, (uint32_t)len, &job) != 0)
		return;
	cipher_open(k->openvpn->cipher, &job, 1);
	(void)data_open_finish(&key->receive, &job, &span);
}

void keying_stream_data_receive(
	struct keying *k, struct stream_burst *b, struct stream *s, uint8_t *packet, size_t len)
{
	struct client *c = s->client;
	struct data_header h;
	if (c == NULL || !c->is_up) {
		keying_count(k, COUNTER_DROP_OVPN_UNKNOWN_PEER);
		return;
	}
	if (data_header_read(packet, (uint32_t)len, &h) != 0) {
		keying_count(k, COUNTER_DROP_OVPN_LENGTH);
		return;
	}
	struct data_key *key = c->key[h.key_id];
	if (key == NULL) {
		keying_count(k, COUNTER_DROP_OVPN_UNKNOWN_KEY);
		return;
	}
	struct rte_mbuf *m = copy_packet(k, packet, len);
	if (m == NULL) {
		keying_stream_data_flush(k, b);
		open_unseen(k, key, &h, packet, len);
		return;
	}
	if (data_open_prepare(&key->receive, &h, rte_pktmbuf_mtod(m, uint8_t *), (uint32_t)len,
		    &b->job[b->count])
		!= 0) {
		drop(k, m, COUNTER_DROP_OVPN_LENGTH);
		return;
	}
	b->mbuf[b->count] = m;
	b->key[b->count] = key;
	b->tunnel[b->count++] = c->tunnel;
	if (b->count == CIPHER_BURST)
		keying_stream_data_flush(k, b);
}

static void seal_burst(struct keying *k, struct stream_burst *b)
{
	cipher_seal(k->openvpn->cipher, b->job, b->count);
	for (unsigned int n = 0; n < b->count; n++) {
		struct stream *s = ((struct client *)b->tunnel[n]->client)->stream;
		s->pending = 0;
		if (!b->job[n].ok) { /* its number is used up: there is no going on */
			s->is_broken = true;
			keying_stream_ready(k, s);
		}
		if (s->is_broken)
			drop(k, b->mbuf[n], COUNTER_DROP_NO_KEY);
		else
			(void)keying_stream_put(k, s, b->mbuf[n]);
	}
	b->count = 0;
}

static void take_for_sealing(struct keying *k, struct stream_burst *b, struct rte_mbuf *m)
{
	struct peer *p = peer_from_handle(k->tables, pkt_of(m)->handle);
	struct tunnel *t = p != NULL ? p->tunnel : NULL;
	struct client *c = t != NULL ? t->client : NULL;
	struct data_key *key = t != NULL ? t->send : NULL;
	if (key == NULL || c->stream == NULL || p->expired != 0) {
		drop(k, m, COUNTER_DROP_NO_KEY);
		return;
	}
	if (!keying_stream_has_room(k, c->stream)) {
		drop(k, m, COUNTER_DROP_STREAM_FULL);
		return;
	}
	bool is_data = m->data_len > 0;
	if ((!is_data && !tunnel_packet_ping(m))
		|| tunnel_packet_seal_prepare(t, key, m, TCP_LENGTH_LEN, &b->job[b->count]) != 0) {
		drop(k, m, COUNTER_DROP_NO_HEADROOM);
		return;
	}
	peer_stamp(&p->sent, &p->received, is_data, k->now_ns);
	peer_count(&p->sent.packets, 1);
	peer_count(&p->sent.bytes, m->data_len);
	c->wants_renewal = data_send_wants_renegotiation(&key->send);
	c->stream->pending++;
	b->tunnel[b->count] = t;
	b->mbuf[b->count++] = m;
	if (b->count == CIPHER_BURST)
		seal_burst(k, b);
}

unsigned int keying_stream_data_send(struct keying *k)
{
	struct stream_burst b;
	struct rte_mbuf *m[CIPHER_BURST];
	unsigned int done = 0, got;
	b.count = 0;
	do {
		got = rte_ring_dequeue_burst(k->rings->stream, (void **)m, CIPHER_BURST, NULL);
		for (unsigned int n = 0; n < got; n++)
			take_for_sealing(k, &b, m[n]);
		done += got;
	} while (got == CIPHER_BURST && done < SEND_MOST);
	if (b.count > 0)
		seal_burst(k, &b);
	return done;
}
