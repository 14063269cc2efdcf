/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_API_CAPTURE_H
#define DATAPLANE_API_CAPTURE_H

#include "dataplane/base/uuid.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

enum {
	DP_CAPTURE_SECONDS_MAX = 300,
	DP_CAPTURE_BYTES_MIN = 4096,
	DP_CAPTURE_BYTES_MAX = 16 << 20,
};

enum dp_capture_side {
	DP_CAPTURE_INNER = 1, /* IP packets, as they come out of the tunnel and go into it */
	DP_CAPTURE_OUTER, /* Ethernet frames, encrypted; handshakes from its last known endpoint, too */
	DP_CAPTURE__COUNT,
};

/*
 * Writes a peer's packets as pcapng (draft-ietf-opsawg-pcapng) into the message's file, until the
 * time is over, the file has max_bytes, or the peer is gone; then the file is closed here. What
 * cannot be written in time is left out. -EBUSY: the peer has a capture, or there are too many.
 */
struct dp_capture_set {
	struct uuid peer;
	uint32_t seconds;
	uint32_t max_bytes;
	uint8_t side; /* enum dp_capture_side */
	uint8_t pad[7];
};
static_assert(sizeof(struct dp_capture_set) == 32);

int dp_capture_set_check(const uint8_t *payload, size_t len, const char **ret_reason);

#endif
