// SPDX-License-Identifier: Apache-2.0
#include "dataplane/ovpn/framing.h"

#include <errno.h>
#include <openssl/crypto.h>

enum {
	ACK_LEN = 4,
	PACKET_ID_LEN = 4,
};

bool opcode_is_control(unsigned int opcode)
{
	switch (opcode) {
	case P_CONTROL_SOFT_RESET_V1:
	case P_CONTROL_V1:
	case P_ACK_V1:
	case P_CONTROL_HARD_RESET_CLIENT_V2:
	case P_CONTROL_HARD_RESET_SERVER_V2:
	case P_CONTROL_HARD_RESET_CLIENT_V3:
	case P_CONTROL_WKC_V1:
		return true;
	default:
		return false;
	}
}

bool opcode_is_hard_reset(unsigned int opcode)
{
	return opcode == P_CONTROL_HARD_RESET_CLIENT_V2 || opcode == P_CONTROL_HARD_RESET_SERVER_V2
		|| opcode == P_CONTROL_HARD_RESET_CLIENT_V3;
}

bool session_id_is_zero(const struct session_id *s)
{
	static const struct session_id zero;
	return session_id_equal(s, &zero);
}

bool session_id_equal(const struct session_id *a, const struct session_id *b)
{
	return CRYPTO_memcmp(a->bytes, b->bytes, SESSION_ID_LEN) == 0;
}

/* Everything of a packet but whether its bytes are there. */
static bool is_sound(const struct control_packet *p)
{
	if (!opcode_is_control(p->opcode) || p->key_id > 7)
		return false;
	if (opcode_is_hard_reset(p->opcode) && p->key_id != 0)
		return false;
	if (session_id_is_zero(&p->session_id) || p->ack_count > ACKS_MAX)
		return false;
	if (p->ack_count > 0 && session_id_is_zero(&p->remote_session_id))
		return false;
	return p->opcode != P_ACK_V1 || (p->ack_count > 0 && p->payload_len == 0);
}

/* Bytes in front of the payload. */
static size_t head_len(enum opcode opcode, size_t ack_count)
{
	size_t len = CONTROL_HEAD_LEN + 1 + ack_count * ACK_LEN;
	len += ack_count > 0 ? SESSION_ID_LEN : 0;
	return len + (opcode == P_ACK_V1 ? 0 : PACKET_ID_LEN);
}

int control_packet_parse(const uint8_t *bytes, size_t len, struct control_packet *ret)
{
	struct control_packet p = {0};
	if (len < CONTROL_HEAD_LEN + 1 || !opcode_is_control(first_byte_opcode(bytes[0])))
		return -EBADMSG;
	p.opcode = (enum opcode)first_byte_opcode(bytes[0]);
	p.key_id = first_byte_key_id(bytes[0]);
	memcpy(p.session_id.bytes, bytes + 1, SESSION_ID_LEN);
	p.ack_count = bytes[CONTROL_HEAD_LEN];
	if (p.ack_count > ACKS_MAX || len < head_len(p.opcode, p.ack_count))
		return -EBADMSG;
	const uint8_t *at = bytes + CONTROL_HEAD_LEN + 1;
	for (unsigned int i = 0; i < p.ack_count; i++, at += ACK_LEN)
		p.ack[i] = read_be32(at);
	if (p.ack_count > 0) {
		memcpy(p.remote_session_id.bytes, at, SESSION_ID_LEN);
		at += SESSION_ID_LEN;
	}
	if (p.opcode != P_ACK_V1)
		p.packet_id = read_be32(at);
	p.payload_len = len - head_len(p.opcode, p.ack_count);
	p.payload = bytes + len - p.payload_len;
	if (!is_sound(&p))
		return -EBADMSG;
	*ret = p;
	return 0;
}

ssize_t control_packet_write(const struct control_packet *p, uint8_t *bytes, size_t size)
{
	if (!is_sound(p))
		return -EINVAL;
	size_t head = head_len(p->opcode, p->ack_count);
	if (head > size || p->payload_len > size - head)
		return -ENOSPC;
	bytes[0] = first_byte(p->opcode, p->key_id);
	memcpy(bytes + 1, p->session_id.bytes, SESSION_ID_LEN);
	bytes[CONTROL_HEAD_LEN] = p->ack_count;
	uint8_t *at = bytes + CONTROL_HEAD_LEN + 1;
	for (unsigned int i = 0; i < p->ack_count; i++, at += ACK_LEN)
		write_be32(at, p->ack[i]);
	if (p->ack_count > 0) {
		memcpy(at, p->remote_session_id.bytes, SESSION_ID_LEN);
		at += SESSION_ID_LEN;
	}
	if (p->opcode != P_ACK_V1)
		write_be32(at, p->packet_id);
	if (p->payload_len > 0)
		memcpy(bytes + head, p->payload, p->payload_len);
	return (ssize_t)(head + p->payload_len);
}

void tcp_framer_init(struct tcp_framer *f, uint8_t *buf, size_t size)
{
	*f = (struct tcp_framer){.size = size, .cap = size};
	f->buf = buf;
}

void tcp_framer_set_cap(struct tcp_framer *f, size_t cap)
{
	f->cap = cap < f->size ? cap : f->size;
}

/* Up to want bytes in all into at. true: they are there. */
static bool fill(struct tcp_framer *f, uint8_t *at, size_t want, const uint8_t **data, size_t *len)
{
	size_t n = want - f->have < *len ? want - f->have : *len;
	if (n == 0)
		return false;
	memcpy(at + f->have, *data, n);
	*data += n;
	*len -= n;
	f->have += n;
	return f->have == want;
}

ssize_t tcp_framer_read(struct tcp_framer *f, const uint8_t **data, size_t *len)
{
	if (f->broken)
		return -EBADMSG;
	if (f->packet_len == 0) {
		if (!fill(f, f->length, TCP_LENGTH_LEN, data, len))
			return 0;
		f->have = 0;
		f->packet_len = read_be16(f->length);
		f->broken = f->packet_len == 0 || f->packet_len > f->cap;
		if (f->broken)
			return -EBADMSG;
	}
	if (!fill(f, f->buf, f->packet_len, data, len))
		return 0;
	size_t packet_len = f->packet_len;
	f->packet_len = 0;
	f->have = 0;
	return (ssize_t)packet_len;
}

int tcp_length_write(uint8_t at[TCP_LENGTH_LEN], size_t len)
{
	if (len == 0 || len > UINT16_MAX)
		return -EMSGSIZE;
	write_be16(at, (uint16_t)len);
	return 0;
}
