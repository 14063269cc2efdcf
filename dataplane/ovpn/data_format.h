/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_OVPN_DATA_FORMAT_H
#define DATAPLANE_OVPN_DATA_FORMAT_H

#include "dataplane/crypto/cipher.h"
#include "dataplane/ovpn/data_payload.h"
#include "dataplane/ovpn/framing.h"
#include "dataplane/ovpn/replay.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * P_DATA_V1 and P_DATA_V2 (the OpenVPN wire protocol draft, data channel), with all numbers in
 * network byte order:
 *
 *   header: V1 opcode<<3 | key id; V2 the same and a peer id of 24 bits
 *   AEAD:   header | packet id (4) | tag (16) | ciphertext
 *           nonce = packet id | implicit IV (8); additional data = packet id, in V2 after the header
 *   CBC:    header | HMAC | IV (16) | ciphertext of packet id (4), payload, PKCS#7 padding
 *           HMAC over IV and ciphertext, not over the header
 *
 * Whoever moves packets prepares a job for each, lets cipher_open() or cipher_seal() work on the
 * burst, and finishes each.
 */
enum {
	DATA_V1_HEADER_LEN = 1,
	DATA_V2_HEADER_LEN = 4,
	DATA_PACKET_ID_LEN = 4,
	DATA_IMPLICIT_IV_LEN = 8,
	DATA_SLOT_LEN = 64,
	DATA_SLOTS_LEN = 2 * DATA_SLOT_LEN, /* cipher | hmac, as they come in the key block */
	DATA_HEADROOM =
		DATA_V2_HEADER_LEN + CIPHER_TAG_MOST + CIPHER_BLOCK_LEN + DATA_PACKET_ID_LEN,
	DATA_TAILROOM = CIPHER_BLOCK_LEN,
	DATA_PAYLOAD_MOST = 65280, /* sealed in any way it fits a UDP datagram */
	DATA_IV_POOL = CIPHER_BURST * CIPHER_BLOCK_LEN,
};

#define DATA_NO_PEER_ID 0xffffffU /* "undefined" in P_DATA_V2 */

struct data_header {
	uint32_t len; /* of the header; 1: P_DATA_V1 */
	uint32_t peer_id; /* host byte order; DATA_NO_PEER_ID in P_DATA_V1 */
	uint8_t key_id; /* 0 to 7 */
};

/* Of any packet. 0, or -EBADMSG: too short, or no data packet. */
int data_header_read(const uint8_t *packet, uint32_t len, struct data_header *ret);

/* How often a key was used: AES-GCM holds for 2^36 blocks and packets (draft-irtf-cfrg-aead-limits). */
struct data_usage {
	bool is_limited;
	uint64_t blocks_and_packets;
};

/* The receiving half of a data key. One owner thread; wiped and freed by fini. */
struct data_receive {
	struct cipher_key *key;
	bool is_aead;
	uint32_t tag_len;
	uint8_t implicit_iv[DATA_IMPLICIT_IV_LEN];
	struct data_usage usage;
	struct packet_id_window window;
};

/* The sending half. One owner thread; wiped and freed by fini. */
struct data_send {
	struct cipher_key *key;
	bool is_aead;
	uint32_t tag_len;
	uint32_t header_len;
	uint8_t header[DATA_V2_HEADER_LEN];
	uint8_t implicit_iv[DATA_IMPLICIT_IV_LEN];
	uint32_t packet_id; /* the last one used; 0: none */
	struct data_usage usage;
	uint32_t iv_left; /* bytes at the end of iv; random, and each used once */
	uint8_t iv[DATA_IV_POOL];
};

/*
 * slots: DATA_SLOTS_LEN bytes of this direction, of which the caller wipes its own. in_order: the
 * transport is TCP. 0, -EINVAL for an invalid suite, or -errno; on failure nothing is to be freed.
 */
int data_receive_init(struct data_receive *r, struct cipher_engine *e, const struct cipher_suite *s,
	const uint8_t *slots, bool in_order);
void data_receive_fini(struct data_receive *r);

/* header: V1 or V2 by its len, with the peer id that the receiver knows us by. Else as above. */
int data_send_init(struct data_send *s, struct cipher_engine *e, const struct cipher_suite *suite,
	const uint8_t *slots, const struct data_header *header);
void data_send_fini(struct data_send *s);

/* Bytes that this key needs in front of a framed payload: at most DATA_HEADROOM. */
uint32_t data_send_headroom(const struct data_send *s);

/* It is time for another key. It may still be used until its packet ids end. */
bool data_receive_wants_renegotiation(const struct data_receive *r);
bool data_send_wants_renegotiation(const struct data_send *s);

/*
 * packet: len bytes, whose header was read into h; the job borrows them and is worked on in place.
 * 0, or -EBADMSG: a length that this key's mode cannot have.
 */
int data_open_prepare(const struct data_receive *r, const struct data_header *h, uint8_t *packet,
	uint32_t len, struct cipher_job *job);
/*
 * After cipher_open(): the payload, which lies in the packet; its compression framing is still on.
 * 0; -EBADMSG: not authentic, or badly padded; -EALREADY: its packet id was seen, is too old, or 0.
 */
int data_open_finish(struct data_receive *r, const struct cipher_job *job, struct data_span *ret);

/*
 * span: the framed payload, before which DATA_HEADROOM and behind which DATA_TAILROOM bytes may be
 * written; afterwards the whole packet, which is ready when cipher_seal() made the job ok. Its packet
 * id is then used up: over TCP a packet that was numbered must also be sent, in this order.
 * 0; -EMSGSIZE: more than DATA_PAYLOAD_MOST; -EOVERFLOW: this key has no packet id left; or -errno.
 */
int data_seal_prepare(struct data_send *s, struct data_span *span, struct cipher_job *job);

#endif
