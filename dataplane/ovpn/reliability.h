/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_OVPN_RELIABILITY_H
#define DATAPLANE_OVPN_RELIABILITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The reliability layer of the control channel (openvpn-rfc, "Reliability layer"; in OpenVPN
 * reliable.c): one struct for each key id, which numbers, repeats and orders control packets.
 * Sans-I/O: whoever owns it frames and wraps. Packet ids and acks are in host byte order here.
 * All times in nanoseconds of CLOCK_MONOTONIC. One owner thread; holds no pointers.
 */
enum {
	RELIABILITY_SEND_WINDOW =
		4, /* ids from the oldest without an ack: what every client holds */
	RELIABILITY_RECEIVE_WINDOW = 8, /* ids from the next in order */
	RELIABILITY_ACKS_ALONE = 8, /* acks in a P_ACK_V1 */
	RELIABILITY_ACKS_WITH_PAYLOAD = 4, /* acks in any other opcode */
	RELIABILITY_FAST_RETRANSMIT = 3, /* acks of later ids that say a packet was lost */
	RELIABILITY_PAYLOAD_MAX = 1250, /* bytes to send: OpenVPN's limit of a whole IP packet */
	RELIABILITY_RECEIVE_MAX = 1500, /* bytes taken: no control packet is a larger IP packet */
};

struct reliability_out {
	uint64_t due_ns; /* 0: at once */
	uint64_t timeout_ns;
	uint32_t id;
	uint16_t len;
	uint8_t opcode;
	uint8_t later_acks;
	bool waits; /* for its ack */
	bool was_sent;
	uint8_t payload[RELIABILITY_PAYLOAD_MAX];
};

struct reliability_in {
	uint32_t id;
	uint16_t len;
	uint8_t opcode;
	bool arrived;
	uint8_t payload[RELIABILITY_RECEIVE_MAX];
};

struct reliability {
	uint32_t send_next; /* id of the next packet to be queued */
	uint32_t receive_next; /* id of the next packet to be delivered */
	uint32_t acks[RELIABILITY_ACKS_ALONE]; /* to send, oldest first */
	uint8_t ack_count;
	bool retransmits;
	struct reliability_out out[RELIABILITY_SEND_WINDOW]; /* id modulo the window */
	struct reliability_in in[RELIABILITY_RECEIVE_WINDOW]; /* id modulo the window */
};

enum reliability_verdict {
	RELIABILITY_NEW, /* kept, and will be acked */
	RELIABILITY_SEEN, /* a duplicate or below the window: only acked again */
	RELIABILITY_BEYOND, /* ahead of the window: dropped, no ack */
	RELIABILITY_TOO_LONG, /* dropped, no ack */
	RELIABILITY_ACKS_FULL, /* dropped, no ack: acks wait to be taken */
};

/*
 * receive_next and send_next: 0, or 1 where the resets were exchanged statelessly. retransmits:
 * false on TCP, where nothing is lost and some clients dislike repeats.
 */
void reliability_init(
	struct reliability *r, uint32_t receive_next, uint32_t send_next, bool retransmits);

/* Packets that may be queued now: 0 .. RELIABILITY_SEND_WINDOW. */
unsigned int reliability_room(const struct reliability *r);
/* Copies a packet into the window; it is due at once. payload may be NULL with len 0. 0, -EAGAIN (the
 * window is full), -EMSGSIZE or -EOVERFLOW (the ids are used up: this key id cannot go on). */
int reliability_queue(struct reliability *r, uint8_t opcode, const uint8_t *payload, size_t len);
/*
 * The oldest packet that is due, taken as sent now; NULL: none. Borrowed until the next call that
 * changes r. Called until it gives NULL.
 */
const struct reliability_out *reliability_send(struct reliability *r, uint64_t now_ns);
/* When a packet is due at the latest: 0 is at once, UINT64_MAX never. Acks are not in it: they are
 * sent after each burst of input, with a packet that is due or alone. */
uint64_t reliability_next_ns(const struct reliability *r);
/* Every queued packet was acked. */
bool reliability_all_acked(const struct reliability *r);

/* Acks out of a packet of the peer; unknown and repeated ones do nothing. */
void reliability_acked(struct reliability *r, const uint32_t *ids, size_t count);

/* A packet of the peer with an id. payload: len bytes, copied; may be NULL with len 0. */
enum reliability_verdict reliability_receive(
	struct reliability *r, uint32_t id, uint8_t opcode, const uint8_t *payload, size_t len);
/* The next packet in order, each once; NULL: not there yet. Borrowed until the next
 * reliability_receive(). Called until it gives NULL. */
const struct reliability_in *reliability_deliver(struct reliability *r);

/* Takes at most max acks, oldest first, into ret (room for max). Returns how many. */
size_t reliability_take_acks(struct reliability *r, uint32_t *ret, size_t max);

#endif
