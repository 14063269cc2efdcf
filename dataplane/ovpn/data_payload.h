/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_OVPN_DATA_PAYLOAD_H
#define DATAPLANE_OVPN_DATA_PAYLOAD_H

#include <stdint.h>

/*
 * What an opened data packet holds (the OpenVPN wire protocol draft, data channel): an IP packet, a
 * ping, or a message of the options consistency check (OCC), each inside the compression framing
 * that was agreed upon. Nothing is ever compressed, and nothing that was is accepted (VORACLE).
 */
enum data_compression {
	DATA_COMPRESSION_NONE,
	DATA_COMPRESSION_LZO_NO, /* "comp-lzo no": 0xfa before the payload */
	DATA_COMPRESSION_STUB, /* "compress stub": 0xfb in place of the first byte, which goes last */
	DATA_COMPRESSION_STUB_V2, /* nothing, but a payload that begins with 0x50 gets 0x50 0x00 */
};

enum data_payload_kind {
	DATA_PAYLOAD_IP, /* for the inner network; its IP header is not checked here */
	DATA_PAYLOAD_PING,
	DATA_PAYLOAD_OCC_EXIT, /* the peer goes */
	DATA_PAYLOAD_OCC, /* any other, to be swallowed */
	DATA_PAYLOAD_EMPTY,
	DATA_PAYLOAD_REFUSED, /* compressed, or not of the agreed framing */
};

enum {
	DATA_MAGIC_LEN = 16,
	DATA_PING_LEN = DATA_MAGIC_LEN,
	DATA_OCC_EXIT_LEN = DATA_MAGIC_LEN + 1,
	DATA_COMPRESSION_HEADROOM = 2,
	DATA_COMPRESSION_TAILROOM = 1,
};

/* Bytes inside a packet: borrowed. */
struct data_span {
	uint8_t *at;
	uint32_t len;
};

/* Takes the framing off: span then is what was inside. The STUB framing moves a byte. */
enum data_payload_kind data_payload_read(enum data_compression c, struct data_span *span);
/*
 * Puts the framing on: span then begins up to DATA_COMPRESSION_HEADROOM bytes earlier or ends up to
 * DATA_COMPRESSION_TAILROOM bytes later. Pings and OCC messages get it too; an empty one none.
 */
void data_payload_frame(enum data_compression c, struct data_span *span);

void data_payload_write_ping(uint8_t to[DATA_PING_LEN]);
void data_payload_write_occ_exit(uint8_t to[DATA_OCC_EXIT_LEN]);

#endif
