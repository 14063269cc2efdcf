/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_KEYING_STREAM_H
#define DATAPLANE_KEYING_STREAM_H

/* OpenVPN over TCP: the kernel's sockets, behind the TAP. Everything here runs on the keying thread. */

#include "dataplane/keying/openvpn_private.h"
#include "dataplane/table/tunnel_packet.h"

enum {
	STREAM_QUEUE = 512, /* packets that wait to be written, a power of two */
	STREAM_QUEUE_DATA = 448, /* of them data, so that the control channel always gets through */
	STREAM_QUEUE_FAIR = 32, /* of them data, while all streams together hold more than */
	STREAMS_QUEUED_MAX = 8192, /* so many slow readers cannot take all buffers */
	STREAM_PACKET_MAX =
		10240, /* of a client that has authenticated; before that CONTROL_PACKET_MAX */
};

struct stream {
	struct stream *next, **prev; /* keying.openvpn.streams */
	int fd;
	struct instance *instance;
	struct keying_listener *listener; /* referenced */
	struct client *client; /* NULL until its first packet */
	struct ip_endpoint remote, local;
	uint64_t born_ns;
	uint64_t progress_ns; /* when something was written last, or nothing waited */
	bool is_stranger; /* counted as one: no packet has come yet */
	bool is_broken; /* to be closed */
	struct stream *ready_next; /* keying.openvpn.ready: there is something to do */
	bool is_ready;
	bool ends; /* the same, when what waits has been tried once */
	bool is_readable; /* the socket may have something */
	bool has_hung_up; /* the other end says no more: it is read until that is seen */
	bool waits; /* for room in the socket */
	uint32_t pending; /* numbered, and not in the queue yet */
	struct tcp_framer framer;
	/* owned; each begins with its length. Of the first, `written` bytes have gone */
	uint32_t first, count, written;
	struct rte_mbuf *queue[STREAM_QUEUE];
	uint8_t packet[STREAM_PACKET_MAX];
};

/* stream.c */
int keying_streams_init(struct keying *k);
void keying_streams_fini(struct keying *k);
/* What the sockets have, and what waits for them. How much was done. */
unsigned int keying_streams_run(struct keying *k);
/* Puts a packet (without its length) at the end; takes m over. false: full, m is freed. */
bool keying_stream_put(struct keying *k, struct stream *s, struct rte_mbuf *m);
/* It is looked at in this round. */
void keying_stream_ready(struct keying *k, struct stream *s);
bool keying_stream_has_room(const struct keying *k, const struct stream *s);
/* Those of the instance, or of one listener of it, or (both NULL) all. */
void keying_streams_close(struct keying *k, const struct instance *i, const struct uuid *listener);

/* stream_data.c: data packets of streams, in bursts. */
struct stream_burst {
	unsigned int count;
	struct rte_mbuf *mbuf[CIPHER_BURST];
	struct data_key *key[CIPHER_BURST];
	struct tunnel *tunnel[CIPHER_BURST];
	struct cipher_job job[CIPHER_BURST];
};

/* A data packet that came by s, which is written to; opened when the burst is full or flushed. */
void keying_stream_data_receive(
	struct keying *k, struct stream_burst *b, struct stream *s, uint8_t *packet, size_t len);
void keying_stream_data_flush(struct keying *k, struct stream_burst *b);
/* Seals what the workers have for streams. How much that was. */
unsigned int keying_stream_data_send(struct keying *k);

#endif
