// SPDX-License-Identifier: Apache-2.0
/*
 * Data packets of OpenVPN as bytes from the network, against known keys. The first byte chooses the
 * suite, the second the rest; what follows is the packet, or is laid over a good one, or is the text
 * that an authentic one holds. Both engines must say the same, and nothing changed may be opened.
 */
#include "dataplane/ovpn/data_format.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	SUITES = 4 + 9,
	IS_V2 = 1 << 0,
	IN_ORDER = 1 << 1,
	MIX_GOOD = 1 << 2, /* the input is laid over a good packet, byte for byte by XOR */
	AUTHENTIC = 1 << 3, /* the input is what a peer with the key sealed: id, payload, padding */
	COMPRESSION_SHIFT = 4,
	GOOD_LEN = 40,
	MOST = 4096,
};

struct packet {
	uint8_t *bytes; /* exactly len of them */
	uint32_t len;
};

static struct cipher_engine *engines[2];

static void must(bool held)
{
	if (!held)
		abort();
}

static struct cipher_suite nth_suite(unsigned int n)
{
	if (n <= CIPHER_CHACHA20_POLY1305)
		return (struct cipher_suite){(enum cipher_algorithm)n, CIPHER_NO_DIGEST};
	n -= CIPHER_AES_128_CBC;
	return (struct cipher_suite){(enum cipher_algorithm)(CIPHER_AES_128_CBC + n / 3),
		(enum cipher_digest)(CIPHER_HMAC_SHA1 + n % 3)};
}

static struct packet copy(const uint8_t *from, uint32_t len)
{
	struct packet p = {malloc(len > 0 ? len : 1), len};
	must(p.bytes != NULL);
	if (len > 0)
		memcpy(p.bytes, from, len);
	return p;
}

static struct packet good_packet(struct data_send *s)
{
	uint8_t room[DATA_HEADROOM + GOOD_LEN + DATA_TAILROOM] = {0};
	struct data_span span = {room + DATA_HEADROOM, GOOD_LEN};
	struct cipher_job job;
	if (!s->is_aead)
		s->iv_left = sizeof(s->iv); /* zeros: an input must do the same each time */
	must(data_seal_prepare(s, &span, &job) == 0);
	cipher_seal(engines[1], &job, 1);
	must(job.ok);
	return copy(span.at, span.len);
}

/* Whole blocks for CBC; for an AEAD the id is the first four bytes. */
static struct packet authentic_packet(struct data_send *s, const uint8_t *data, size_t size)
{
	static uint8_t room[DATA_HEADROOM + MOST + DATA_TAILROOM];
	uint8_t text[MOST] = {0};
	memcpy(text, data, size);
	uint32_t len = (uint32_t)(size < DATA_PACKET_ID_LEN ? 0 : size - DATA_PACKET_ID_LEN);
	if (!s->is_aead)
		len = (len + DATA_PACKET_ID_LEN) / 16 * 16 + 15 - DATA_PACKET_ID_LEN;
	if (len > MOST - 16)
		len = MOST - 16 - 1 - DATA_PACKET_ID_LEN;
	struct data_span span = {room + DATA_HEADROOM, len};
	struct cipher_job job;
	s->iv_left = sizeof(s->iv);
	must(data_seal_prepare(s, &span, &job) == 0);
	if (s->is_aead) {
		memcpy(span.at + s->header_len, text, DATA_PACKET_ID_LEN);
		memcpy(job.nonce, text, DATA_PACKET_ID_LEN);
		memcpy(job.data, text + DATA_PACKET_ID_LEN, job.len);
	} else {
		memcpy(job.data, text, job.len);
	}
	cipher_seal(engines[1], &job, 1);
	must(job.ok);
	return copy(span.at, span.len);
}

static int open_once(struct data_receive *r, struct cipher_engine *e, struct packet *p,
	struct data_span *payload)
{
	struct data_header h;
	struct cipher_job job;
	int err = data_header_read(p->bytes, p->len, &h);
	if (err == 0)
		err = data_open_prepare(r, &h, p->bytes, p->len, &job);
	if (err != 0)
		return err;
	cipher_open(e, &job, 1);
	err = data_open_finish(r, &job, payload);
	if (err != 0)
		return err;
	must(payload->at >= p->bytes && payload->at + payload->len <= p->bytes + p->len);
	struct data_span again;
	must(data_open_finish(r, &job, &again) != 0); /* once */
	return 0;
}

static void read_payload(enum data_compression c, struct data_span *span)
{
	uint8_t room[DATA_COMPRESSION_HEADROOM + MOST + DATA_COMPRESSION_TAILROOM];
	const struct data_span before = *span;
	enum data_payload_kind kind = data_payload_read(c, span);
	must(span->at >= before.at && span->at + span->len <= before.at + before.len);
	if (kind == DATA_PAYLOAD_REFUSED)
		return;
	must((kind == DATA_PAYLOAD_EMPTY) == (span->len == 0));
	/* framed again it reads the same */
	struct data_span framed = {room + DATA_COMPRESSION_HEADROOM, span->len};
	must(span->len <= MOST);
	memcpy(framed.at, span->at, span->len);
	data_payload_frame(c, &framed);
	must(framed.at >= room && framed.at + framed.len <= room + sizeof(room));
	must(data_payload_read(c, &framed) == kind);
	must(framed.len == span->len && memcmp(framed.at, span->at, span->len) == 0);
}

/* Opened by each engine, with a receiver of its own. */
static int open_by_both(const struct cipher_suite *suite, const uint8_t *slots, unsigned int flags,
	const struct packet *p)
{
	int err[2];
	struct data_span payload[2];
	struct packet copies[2];
	for (unsigned int n = 0; n < 2; n++) {
		struct data_receive r;
		copies[n] = copy(p->bytes, p->len);
		must(data_receive_init(&r, engines[n], suite, slots, (flags & IN_ORDER) != 0) == 0);
		err[n] = open_once(&r, engines[n], &copies[n], &payload[n]);
		data_receive_fini(&r);
	}
	must(err[0] == err[1]);
	if (err[0] == 0) {
		must(payload[0].len == payload[1].len);
		must(memcmp(payload[0].at, payload[1].at, payload[0].len) == 0);
		read_payload((enum data_compression)(flags >> COMPRESSION_SHIFT & 3), &payload[0]);
	}
	free(copies[0].bytes);
	free(copies[1].bytes);
	return err[0];
}

static struct packet make_packet(struct data_send *s, unsigned int flags, const uint8_t *data,
	size_t size, bool *ret_changed)
{
	*ret_changed = false;
	if ((flags & AUTHENTIC) != 0)
		return authentic_packet(s, data, size);
	if ((flags & MIX_GOOD) == 0)
		return copy(data, (uint32_t)size);
	struct packet p = good_packet(s);
	for (uint32_t i = 0; i < p.len && i < size; i++) {
		p.bytes[i] ^= data[i];
		/* CBC does not cover the header, nor V1's AEAD */
		bool is_covered = i >= s->header_len || (s->is_aead && s->header_len > 1);
		*ret_changed = *ret_changed || (is_covered && data[i] != 0);
	}
	return p;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2 || size > MOST)
		return 0;
	if (engines[0] == NULL)
		must(cipher_engine_new(&engines[0]) == 0
			&& cipher_engine_openssl_new(&engines[1]) == 0);
	uint8_t slots[DATA_SLOTS_LEN];
	memset(slots, 0x5a, sizeof(slots));
	const struct cipher_suite suite = nth_suite(data[0] % SUITES);
	const unsigned int flags = data[1];
	const struct data_header h = {
		(flags & IS_V2) != 0 ? DATA_V2_HEADER_LEN : DATA_V1_HEADER_LEN, 7, 1};
	struct data_send s;
	bool changed;
	must(data_send_init(&s, engines[1], &suite, slots, &h) == 0);
	struct packet p = make_packet(&s, flags, data + 2, size - 2, &changed);
	int err = open_by_both(&suite, slots, flags, &p);
	must(!changed || err != 0);
	free(p.bytes);
	data_send_fini(&s);
	return 0;
}
