// SPDX-License-Identifier: Apache-2.0
#include "control/model/capture.h"

void capture_check(const struct capture *c, struct model_errors *errors)
{
	if (c->seconds < 1 || c->seconds > CAPTURE_SECONDS_MAX)
		model_error_add(errors, "/seconds", "must be 1 to %d", CAPTURE_SECONDS_MAX);
	if (c->max_bytes < CAPTURE_BYTES_MIN || c->max_bytes > CAPTURE_BYTES_MAX)
		model_error_add(errors, "/max_bytes", "must be %d to %d", CAPTURE_BYTES_MIN,
			CAPTURE_BYTES_MAX);
}

const char *capture_side_text(enum capture_side side)
{
	return side == CAPTURE_INNER ? "inner" : "outer";
}

const char *capture_state_text(enum capture_state state)
{
	switch (state) {
	case CAPTURE_REQUESTED:
		return "requested";
	case CAPTURE_DONE:
		return "done";
	case CAPTURE_FAILED:
		return "failed";
	}
	return "failed";
}
