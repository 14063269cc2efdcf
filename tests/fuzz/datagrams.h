/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_FUZZ_DATAGRAMS_H
#define TESTS_FUZZ_DATAGRAMS_H

#include "dataplane/api/msg.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * An input as a row of datagrams: two bytes of length (little endian) before each; the last may be cut. The
 * length in each header is set right, or nearly nothing would come past the frame.
 */
static inline size_t next_datagram(const uint8_t **data, size_t *size, uint8_t ret[DP_MSG_MAX])
{
	struct dp_header h;
	if (*size < 2 + DP_HEADER_LEN)
		return 0;
	size_t len = (size_t)((*data)[0] | (*data)[1] << 8);
	*data += 2;
	*size -= 2;
	len = len < DP_HEADER_LEN ? DP_HEADER_LEN : len;
	len = len > *size ? *size : len;
	memcpy(ret, *data, len);
	*data += len;
	*size -= len;
	memcpy(&h, ret, sizeof(h));
	h.payload_len = (uint32_t)(len - DP_HEADER_LEN);
	dp_header_encode(&h, ret);
	return len;
}

#endif
