/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_TABLE_TUNNEL_PACKET_H
#define DATAPLANE_TABLE_TUNNEL_PACKET_H

#include "dataplane/table/tunnel.h"

#include <stdbool.h>
#include <stdint.h>

struct rte_mbuf;

/*
 * An inner packet into an OpenVPN packet and back, around the cipher's burst: the same over UDP, on the
 * owner worker, and over TCP, on the thread of the stream. Nobody else calls these for a tunnel.
 */

/* A ping in place of nothing. false: no room. */
bool tunnel_packet_ping(struct rte_mbuf *m);
/*
 * m, an inner packet or a ping, becomes a packet numbered with key, which is ready when cipher_seal() made
 * the job ok; `outer` bytes more fit in front of it then. 0; -ENOBUFS: no room, and nothing has changed but
 * where m lies in its buffer; or as data_seal_prepare().
 */
int tunnel_packet_seal_prepare(const struct tunnel *t, struct data_key *key, struct rte_mbuf *m,
	uint32_t outer, struct cipher_job *job);
/*
 * m was opened and is authentic, new, and its peer's: the peer has been heard. packet_len: bytes of the
 * OpenVPN packet; span: what data_open_finish() gave. Of DATA_PAYLOAD_IP m is the inner packet then.
 */
enum data_payload_kind tunnel_packet_receive(struct tunnel *t, struct rte_mbuf *m,
	uint32_t packet_len, struct data_span *span, uint64_t now_ns);

#endif
