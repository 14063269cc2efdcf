// SPDX-License-Identifier: Apache-2.0
#include "dataplane/ovpn/data_format.h"

#include "dataplane/base/random.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#define PACKET_ID_RENEGOTIATE 0xff000000U
#define USAGE_RENEGOTIATE ((1ULL << 36) / 8 * 7)

int data_header_read(const uint8_t *packet, uint32_t len, struct data_header *ret)
{
	if (len < DATA_V1_HEADER_LEN)
		return -EBADMSG;
	unsigned int opcode = first_byte_opcode(packet[0]);
	uint8_t key_id = first_byte_key_id(packet[0]);
	if (opcode == P_DATA_V1) {
		*ret = (struct data_header){DATA_V1_HEADER_LEN, DATA_NO_PEER_ID, key_id};
		return 0;
	}
	if (opcode != P_DATA_V2 || len < DATA_V2_HEADER_LEN)
		return -EBADMSG;
	*ret = (struct data_header){DATA_V2_HEADER_LEN, read_be32(packet) & 0xffffffU, key_id};
	return 0;
}

static void usage_init(struct data_usage *u, const struct cipher_suite *s)
{
	*u = (struct data_usage){.is_limited = cipher_is_aead(s->algorithm)
			&& s->algorithm != CIPHER_CHACHA20_POLY1305};
}

static void usage_add(struct data_usage *u, uint32_t len)
{
	u->blocks_and_packets += 1 + ((uint64_t)len + CIPHER_BLOCK_LEN - 1) / CIPHER_BLOCK_LEN;
}

static bool usage_wants_renegotiation(const struct data_usage *u)
{
	return u->is_limited && u->blocks_and_packets >= USAGE_RENEGOTIATE;
}

int data_receive_init(struct data_receive *r, struct cipher_engine *e, const struct cipher_suite *s,
	const uint8_t *slots, bool in_order)
{
	memset(r, 0, sizeof(*r));
	int err = cipher_key_new(e, s, slots, slots + DATA_SLOT_LEN, &r->key);
	if (err != 0)
		return err;
	r->is_aead = cipher_is_aead(s->algorithm);
	r->tag_len = cipher_tag_len(s);
	memcpy(r->implicit_iv, slots + DATA_SLOT_LEN, DATA_IMPLICIT_IV_LEN);
	usage_init(&r->usage, s);
	packet_id_window_init(&r->window, in_order);
	return 0;
}

void data_receive_fini(struct data_receive *r)
{
	cipher_key_free(r->key);
	explicit_bzero(r, sizeof(*r));
}

int data_send_init(struct data_send *s, struct cipher_engine *e, const struct cipher_suite *suite,
	const uint8_t *slots, const struct data_header *header)
{
	bool is_v2 = header->len == DATA_V2_HEADER_LEN;
	if ((!is_v2 && header->len != DATA_V1_HEADER_LEN) || header->key_id > 7
		|| header->peer_id > DATA_NO_PEER_ID)
		return -EINVAL;
	memset(s, 0, sizeof(*s));
	int err = cipher_key_new(e, suite, slots, slots + DATA_SLOT_LEN, &s->key);
	if (err != 0)
		return err;
	write_be32(s->header, header->peer_id);
	s->header[0] = first_byte(is_v2 ? P_DATA_V2 : P_DATA_V1, header->key_id);
	s->header_len = header->len;
	s->is_aead = cipher_is_aead(suite->algorithm);
	s->tag_len = cipher_tag_len(suite);
	memcpy(s->implicit_iv, slots + DATA_SLOT_LEN, DATA_IMPLICIT_IV_LEN);
	usage_init(&s->usage, suite);
	return 0;
}

void data_send_fini(struct data_send *s)
{
	cipher_key_free(s->key);
	explicit_bzero(s, sizeof(*s));
}

uint32_t data_send_headroom(const struct data_send *s)
{
	return s->header_len + s->tag_len + DATA_PACKET_ID_LEN
		+ (s->is_aead ? 0 : CIPHER_BLOCK_LEN);
}

bool data_receive_wants_renegotiation(const struct data_receive *r)
{
	return usage_wants_renegotiation(&r->usage);
}

bool data_send_wants_renegotiation(const struct data_send *s)
{
	return s->packet_id > PACKET_ID_RENEGOTIATE || usage_wants_renegotiation(&s->usage);
}

/* id: where the packet id lies; in V2 the header before it is covered too. */
static void set_aead_fields(
	struct cipher_job *job, const uint8_t *id, uint32_t header_len, const uint8_t *implicit_iv)
{
	uint32_t covered = header_len == DATA_V2_HEADER_LEN ? DATA_V2_HEADER_LEN : 0;
	job->aad = id - covered;
	job->aad_len = covered + DATA_PACKET_ID_LEN;
	memcpy(job->nonce, id, DATA_PACKET_ID_LEN);
	memcpy(job->nonce + DATA_PACKET_ID_LEN, implicit_iv, DATA_IMPLICIT_IV_LEN);
}

static int open_prepare_aead(const struct data_receive *r, const struct data_header *h,
	uint8_t *packet, uint32_t len, struct cipher_job *job)
{
	uint32_t before = h->len + DATA_PACKET_ID_LEN + r->tag_len;
	if (len < before || len - before > CIPHER_TEXT_MOST)
		return -EBADMSG;
	uint8_t *id = packet + h->len;
	*job = (struct cipher_job){.key = r->key,
		.data = packet + before,
		.len = len - before,
		.tag = id + DATA_PACKET_ID_LEN};
	set_aead_fields(job, id, h->len, r->implicit_iv);
	return 0;
}

static int open_prepare_cbc(const struct data_receive *r, const struct data_header *h,
	uint8_t *packet, uint32_t len, struct cipher_job *job)
{
	uint32_t before = h->len + r->tag_len + CIPHER_BLOCK_LEN;
	if (len < before + CIPHER_BLOCK_LEN || len - before > CIPHER_TEXT_MOST
		|| (len - before) % CIPHER_BLOCK_LEN != 0)
		return -EBADMSG;
	uint8_t *hmac = packet + h->len;
	*job = (struct cipher_job){
		.key = r->key, .data = packet + before, .len = len - before, .tag = hmac};
	return 0;
}

int data_open_prepare(const struct data_receive *r, const struct data_header *h, uint8_t *packet,
	uint32_t len, struct cipher_job *job)
{
	return r->is_aead ? open_prepare_aead(r, h, packet, len, job)
			  : open_prepare_cbc(r, h, packet, len, job);
}

/* Bytes without the padding; 0: it is wrong. Authentic already, so nothing is told by the time. */
static uint32_t strip_padding(const uint8_t *text, uint32_t len)
{
	uint8_t pad = text[len - 1];
	if (pad == 0 || pad > CIPHER_BLOCK_LEN)
		return 0;
	for (uint32_t i = len - pad; i < len; i++)
		if (text[i] != pad)
			return 0;
	return len - pad;
}

int data_open_finish(struct data_receive *r, const struct cipher_job *job, struct data_span *ret)
{
	if (!job->ok)
		return -EBADMSG;
	uint32_t id, len = job->len, before = 0;
	if (r->is_aead) {
		id = read_be32(job->nonce);
	} else {
		len = strip_padding(job->data, job->len);
		before = DATA_PACKET_ID_LEN;
		if (len < before)
			return -EBADMSG;
		id = read_be32(job->data);
	}
	usage_add(&r->usage, job->len);
	if (!packet_id_window_accept(&r->window, id))
		return -EALREADY;
	*ret = (struct data_span){job->data + before, len - before};
	return 0;
}

static void seal_prepare_aead(struct data_send *s, struct data_span *span, struct cipher_job *job)
{
	uint32_t before = s->header_len + DATA_PACKET_ID_LEN + s->tag_len;
	uint8_t *packet = span->at - before, *id = packet + s->header_len;
	memcpy(packet, s->header, s->header_len);
	write_be32(id, s->packet_id);
	*job = (struct cipher_job){
		.key = s->key, .data = span->at, .len = span->len, .tag = id + DATA_PACKET_ID_LEN};
	set_aead_fields(job, id, s->header_len, s->implicit_iv);
	*span = (struct data_span){packet, before + span->len};
}

static void seal_prepare_cbc(struct data_send *s, struct data_span *span, struct cipher_job *job)
{
	uint8_t *text = span->at - DATA_PACKET_ID_LEN, *iv = text - CIPHER_BLOCK_LEN;
	uint32_t len = DATA_PACKET_ID_LEN + span->len;
	uint32_t pad = CIPHER_BLOCK_LEN - len % CIPHER_BLOCK_LEN;
	uint8_t *packet = iv - s->tag_len - s->header_len;
	memcpy(packet, s->header, s->header_len);
	s->iv_left -= CIPHER_BLOCK_LEN;
	memcpy(iv, s->iv + s->iv_left, CIPHER_BLOCK_LEN);
	write_be32(text, s->packet_id);
	memset(text + len, (int)pad, pad);
	*job = (struct cipher_job){
		.key = s->key, .data = text, .len = len + pad, .tag = packet + s->header_len};
	*span = (struct data_span){
		packet, s->header_len + s->tag_len + CIPHER_BLOCK_LEN + len + pad};
}

/* IVs are drawn many at a time: a system call for each would cost more than the cipher. */
static int fill_iv_pool(struct data_send *s)
{
	if (s->iv_left >= CIPHER_BLOCK_LEN)
		return 0;
	int err = random_bytes(s->iv, sizeof(s->iv));
	if (err == 0)
		s->iv_left = sizeof(s->iv);
	return err;
}

int data_seal_prepare(struct data_send *s, struct data_span *span, struct cipher_job *job)
{
	if (span->len > DATA_PAYLOAD_MOST)
		return -EMSGSIZE;
	if (s->packet_id == UINT32_MAX)
		return -EOVERFLOW;
	int err = s->is_aead ? 0 : fill_iv_pool(s);
	if (err != 0)
		return err;
	s->packet_id++;
	usage_add(&s->usage, span->len);
	if (s->is_aead)
		seal_prepare_aead(s, span, job);
	else
		seal_prepare_cbc(s, span, job);
	return 0;
}
