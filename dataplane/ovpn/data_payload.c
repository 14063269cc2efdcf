// SPDX-License-Identifier: Apache-2.0
#include "dataplane/ovpn/data_payload.h"

#include <stdbool.h>
#include <string.h>

enum {
	NO_COMPRESS = 0xfa,
	NO_COMPRESS_SWAP = 0xfb,
	V2_INDICATOR = 0x50,
	V2_UNCOMPRESSED = 0x00,
	OCC_EXIT = 6,
};

static const uint8_t ping_magic[DATA_MAGIC_LEN] = {0x2a, 0x18, 0x7b, 0xf3, 0x64, 0x1e, 0xb4, 0xcb,
	0x07, 0xed, 0x2d, 0x0a, 0x98, 0x1f, 0xc7, 0x48};
static const uint8_t occ_magic[DATA_MAGIC_LEN] = {0x28, 0x7f, 0x34, 0x6b, 0xd4, 0xef, 0x7a, 0x81,
	0x2d, 0x56, 0xb8, 0xd3, 0xaf, 0xc5, 0x45, 0x9c};

static void strip_head(struct data_span *span, uint32_t n)
{
	span->at += n;
	span->len -= n;
}

/* false: not framed as agreed. The span is not empty. */
static bool strip_framing(enum data_compression c, struct data_span *span)
{
	switch (c) {
	case DATA_COMPRESSION_NONE:
		return true;
	case DATA_COMPRESSION_LZO_NO:
		if (span->at[0] != NO_COMPRESS)
			return false;
		strip_head(span, 1);
		return true;
	case DATA_COMPRESSION_STUB:
		if (span->at[0] != NO_COMPRESS_SWAP || span->len < 2)
			return false;
		span->len--;
		span->at[0] = span->at[span->len];
		return true;
	case DATA_COMPRESSION_STUB_V2:
		if (span->at[0] != V2_INDICATOR)
			return true;
		if (span->len < 2 || span->at[1] != V2_UNCOMPRESSED)
			return false;
		strip_head(span, 2);
		return true;
	}
	return false;
}

enum data_payload_kind data_payload_read(enum data_compression c, struct data_span *span)
{
	if (span->len == 0)
		return DATA_PAYLOAD_EMPTY;
	if (!strip_framing(c, span))
		return DATA_PAYLOAD_REFUSED;
	if (span->len == 0)
		return DATA_PAYLOAD_EMPTY;
	if (span->len == DATA_PING_LEN && memcmp(span->at, ping_magic, DATA_MAGIC_LEN) == 0)
		return DATA_PAYLOAD_PING;
	if (span->len < DATA_MAGIC_LEN || memcmp(span->at, occ_magic, DATA_MAGIC_LEN) != 0)
		return DATA_PAYLOAD_IP;
	bool is_exit = span->len == DATA_OCC_EXIT_LEN && span->at[DATA_MAGIC_LEN] == OCC_EXIT;
	return is_exit ? DATA_PAYLOAD_OCC_EXIT : DATA_PAYLOAD_OCC;
}

static void put_head(struct data_span *span, const uint8_t *head, uint32_t n)
{
	span->at -= n;
	span->len += n;
	memcpy(span->at, head, n);
}

void data_payload_frame(enum data_compression c, struct data_span *span)
{
	static const uint8_t lzo_no[] = {NO_COMPRESS}, v2[] = {V2_INDICATOR, V2_UNCOMPRESSED};
	if (span->len == 0 || c == DATA_COMPRESSION_NONE)
		return;
	if (c == DATA_COMPRESSION_LZO_NO) {
		put_head(span, lzo_no, sizeof(lzo_no));
		return;
	}
	if (c == DATA_COMPRESSION_STUB) {
		span->at[span->len++] = span->at[0];
		span->at[0] = NO_COMPRESS_SWAP;
		return;
	}
	if (span->at[0] == V2_INDICATOR)
		put_head(span, v2, sizeof(v2));
}

void data_payload_write_ping(uint8_t to[DATA_PING_LEN])
{
	memcpy(to, ping_magic, DATA_MAGIC_LEN);
}

void data_payload_write_occ_exit(uint8_t to[DATA_OCC_EXIT_LEN])
{
	memcpy(to, occ_magic, DATA_MAGIC_LEN);
	to[DATA_MAGIC_LEN] = OCC_EXIT;
}
