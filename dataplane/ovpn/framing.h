/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_OVPN_FRAMING_H
#define DATAPLANE_OVPN_FRAMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

/*
 * OpenVPN on the wire: the first byte, the control packet as it is inside every wrapping, and the
 * lengths that separate packets on TCP (reference/openvpn-protocol.md, sections 1.1 and 1.2). All
 * numbers are big-endian.
 */
enum opcode {
	P_CONTROL_HARD_RESET_CLIENT_V1 = 1, /* key method 1: refused */
	P_CONTROL_HARD_RESET_SERVER_V1 = 2, /* refused too */
	P_CONTROL_SOFT_RESET_V1 = 3,
	P_CONTROL_V1 = 4,
	P_ACK_V1 = 5,
	P_DATA_V1 = 6,
	P_CONTROL_HARD_RESET_CLIENT_V2 = 7,
	P_CONTROL_HARD_RESET_SERVER_V2 = 8,
	P_DATA_V2 = 9,
	P_CONTROL_HARD_RESET_CLIENT_V3 = 10, /* tls-crypt-v2: the wrapped client key follows */
	P_CONTROL_WKC_V1 = 11, /* P_CONTROL_V1 with the wrapped client key behind it */
};

enum {
	SESSION_ID_LEN = 8,
	ACKS_MAX = 8, /* in a packet; more is a broken packet */
	CONTROL_HEAD_LEN = 1 + SESSION_ID_LEN, /* what every wrapping leaves in clear */
	CONTROL_PACKET_MIN = CONTROL_HEAD_LEN + 1 + 4, /* no acks, no payload */
	CONTROL_PACKET_MAX = 2048, /* bytes on the wire, in any wrapping */
	TCP_LENGTH_LEN = 2,
};

struct session_id {
	uint8_t bytes[SESSION_ID_LEN];
};

/* A control packet out of its wrapping. */
struct control_packet {
	enum opcode opcode;
	uint8_t key_id; /* 0..7 */
	uint8_t ack_count; /* 0..ACKS_MAX */
	struct session_id session_id; /* the sender's own; never zero */
	struct session_id remote_session_id; /* zero without acks, never zero with them */
	uint32_t ack[ACKS_MAX]; /* packet ids, host byte order */
	uint32_t packet_id; /* host byte order; 0 in P_ACK_V1, which has none */
	const uint8_t *payload; /* of the parsed buffer, or of whoever writes */
	size_t payload_len;
};

/* The first byte (section 1.1). The opcode is a number, 0..31: not all of them are known. */
static inline unsigned int first_byte_opcode(uint8_t first)
{
	return first >> 3;
}

static inline uint8_t first_byte_key_id(uint8_t first)
{
	return first & 7;
}

static inline uint8_t first_byte(enum opcode opcode, uint8_t key_id)
{
	return (uint8_t)((unsigned int)opcode << 3 | (key_id & 7U));
}

/* A control opcode that is spoken here: 3, 4, 5, 7, 8, 10, 11. */
bool opcode_is_control(unsigned int opcode);
bool opcode_is_hard_reset(unsigned int opcode);
bool session_id_is_zero(const struct session_id *s);
/* Constant time. */
bool session_id_equal(const struct session_id *a, const struct session_id *b);

/*
 * Reads a packet out of its wrapping (section 1.2). The payload points into bytes. 0, or -EBADMSG:
 * an opcode that is not spoken, a hard reset with a key id, a session id of zero, more than
 * ACKS_MAX acks, too short, or bytes behind a P_ACK_V1. ret is untouched on failure.
 */
int control_packet_parse(const uint8_t *bytes, size_t len, struct control_packet *ret);
/*
 * The other way. Bytes written; -EINVAL for what control_packet_parse() would refuse, -ENOSPC when
 * it does not fit into size.
 */
ssize_t control_packet_write(const struct control_packet *p, uint8_t *bytes, size_t size);

/*
 * Packets out of a TCP stream: uint16 length, then the packet (section 1.1). A stream in which a
 * length is 0 or above the cap cannot find its way back: the connection is to be closed.
 */
struct tcp_framer {
	uint8_t *buf; /* the caller's, size bytes: one packet */
	size_t size;
	size_t cap; /* the longest packet, at most size */
	size_t packet_len; /* of the packet being read; 0: its length is being read */
	size_t have; /* bytes read of the length, then of the packet */
	uint8_t length[TCP_LENGTH_LEN];
	bool broken;
};

/* buf stays the caller's and must outlive the framer; size 1..65535. */
void tcp_framer_init(struct tcp_framer *f, uint8_t *buf, size_t size);
/* From the next length on; small before authentication, as long as the buffer behind it. */
void tcp_framer_set_cap(struct tcp_framer *f, size_t cap);
/*
 * Takes bytes from the front of *data, up to the end of one packet. Packet length: it is in f->buf
 * until the next call, and *data may hold more. 0: all taken, no packet yet. -EBADMSG: broken, for
 * good.
 */
ssize_t tcp_framer_read(struct tcp_framer *f, const uint8_t **data, size_t *len);
/* The length in front of a packet of len bytes. -EMSGSIZE unless 1..65535; at untouched then. */
int tcp_length_write(uint8_t at[TCP_LENGTH_LEN], size_t len);

static inline uint16_t read_be16(const uint8_t at[2])
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static inline void write_be16(uint8_t at[2], uint16_t v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

static inline uint32_t read_be32(const uint8_t at[4])
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static inline void write_be32(uint8_t at[4], uint32_t v)
{
	write_be16(at, (uint16_t)(v >> 16));
	write_be16(at + 2, (uint16_t)v);
}

static inline uint64_t read_be64(const uint8_t at[8])
{
	return (uint64_t)read_be32(at) << 32 | read_be32(at + 4);
}

static inline void write_be64(uint8_t at[8], uint64_t v)
{
	write_be32(at, (uint32_t)(v >> 32));
	write_be32(at + 4, (uint32_t)v);
}

#endif
