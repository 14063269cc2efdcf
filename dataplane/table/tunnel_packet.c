// SPDX-License-Identifier: Apache-2.0
#include "dataplane/table/tunnel_packet.h"

#include "dataplane/table/peer.h"
#include "dataplane/table/pkt.h"

#include <errno.h>
#include <string.h>

bool tunnel_packet_ping(struct rte_mbuf *m)
{
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
static bool make_room(struct rte_mbuf *m, const struct data_send *send, uint32_t outer)
{
	uint32_t front = DATA_COMPRESSION_HEADROOM + data_send_headroom(send) + outer;
	uint32_t back = DATA_COMPRESSION_TAILROOM + DATA_TAILROOM;
	uint32_t begin = m->data_off > front ? m->data_off : front;
	if (begin + m->data_len + back > m->buf_len)
		return false;
	if (begin != m->data_off)
		move_back(m, begin - m->data_off);
	return true;
}

int tunnel_packet_seal_prepare(const struct tunnel *t, struct data_key *key, struct rte_mbuf *m,
	uint32_t outer, struct cipher_job *job)
{
	if (!make_room(m, &key->send, outer))
		return -ENOBUFS;
	struct data_span span = {rte_pktmbuf_mtod(m, uint8_t *), m->data_len};
	data_payload_frame(t->compression, &span);
	int err = data_seal_prepare(&key->send, &span, job);
	if (err != 0)
		return err;
	m->data_off = (uint16_t)(span.at - (uint8_t *)m->buf_addr);
	m->data_len = (uint16_t)span.len;
	m->pkt_len = span.len;
	return 0;
}

enum data_payload_kind tunnel_packet_receive(struct tunnel *t, struct rte_mbuf *m,
	uint32_t packet_len, struct data_span *span, uint64_t now_ns)
{
	struct peer *peer = t->peer;
	enum data_payload_kind kind = data_payload_read(t->compression, span);
	peer_stamp(&peer->received, &peer->sent, kind == DATA_PAYLOAD_IP, now_ns);
	peer_count(&peer->received.packets, 1);
	peer_count(&peer->received.bytes, packet_len);
	if (kind == DATA_PAYLOAD_IP)
		pkt_cut(m, (uint16_t)(span->at - rte_pktmbuf_mtod(m, uint8_t *)),
			(uint16_t)span->len);
	return kind;
}
