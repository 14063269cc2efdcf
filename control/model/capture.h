/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_MODEL_CAPTURE_H
#define CONTROL_MODEL_CAPTURE_H

#include "control/model/error.h"
#include "control/model/instance.h"
#include "dataplane/base/uuid.h"

#include <stdint.h>

enum {
	CAPTURE_SECONDS_DEFAULT = 30,
	CAPTURE_SECONDS_MAX = 300,
	CAPTURE_BYTES_MIN = 4096,
	CAPTURE_BYTES_MAX = 512 * 1024, /* and the default: fits a request of the hub in base64 */
	CAPTURE_GRACE_S = 60, /* after its time the hub has so long to send it */
	CAPTURE_KEPT_S = 24 * 3600,
	CAPTURES_OF_PEER_MAX = 4, /* kept at a time: they are big */
};

enum capture_side {
	CAPTURE_INNER, /* IP packets, as they leave or enter the tunnel */
	CAPTURE_OUTER, /* Ethernet frames, encrypted, as they are on the wire */
};

enum capture_state {
	CAPTURE_REQUESTED,
	CAPTURE_DONE,
	CAPTURE_FAILED,
};

/* A few seconds of one peer's packets, for whoever has to find out why something does not work. */
struct capture {
	struct uuid id;
	struct uuid peer_id;
	enum capture_side side;
	uint32_t seconds;
	uint32_t max_bytes; /* of the file */
	enum capture_state state;
	char reason[MESSAGE_TEXT]; /* of a failure */
	uint64_t bytes; /* of the file; 0 until it is done */
	int64_t created_at;
	int64_t ended_at; /* 0: not yet */
};

void capture_check(const struct capture *c, struct model_errors *errors);
const char *capture_side_text(enum capture_side side);
const char *capture_state_text(enum capture_state state);

#endif
