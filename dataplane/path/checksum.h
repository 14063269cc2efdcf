/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_PATH_CHECKSUM_H
#define DATAPLANE_PATH_CHECKSUM_H

#include <stdint.h>

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

#endif
