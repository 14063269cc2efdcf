/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_PATH_CHECKSUM_H
#define DATAPLANE_PATH_CHECKSUM_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

/* RFC 1624 equation 3: the checksum at `checksum`, in network byte order, after one 16-bit word of
 * what it covers changed; from and to in host byte order. */
static inline void checksum_adjust(uint8_t *checksum, uint16_t from, uint16_t to)
{
	uint16_t before = (uint16_t)(checksum[0] << 8 | checksum[1]);
	uint32_t sum = (uint16_t)~before + (uint32_t)(uint16_t)~from + to;
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	checksum[0] = (uint8_t)(~sum >> 8);
	checksum[1] = (uint8_t)~sum;
}

/* The same when a hop was counted: the TTL, one less, is the high byte of its word (RFC 1141). */
static inline void checksum_adjust_hop(uint8_t *checksum)
{
	uint16_t before;
	memcpy(&before, checksum, sizeof(before));
	uint32_t sum = (uint32_t)before + htobe16(0x0100);
	uint16_t after = (uint16_t)(sum + (sum >= 0xffff)); /* never -0: RFC 1624 section 3 */
	memcpy(checksum, &after, sizeof(after));
}

#endif
