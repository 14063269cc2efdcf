/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_HTTP_API_INTERNAL_H
#define CONTROL_HTTP_API_INTERNAL_H

#include "control/config.h"
#include "control/http/api.h"
#include "control/http/cursor.h"
#include "control/http/inflight.h"

#include <stdatomic.h>

/* What every handler may use. All threads of the server share it. */
struct api {
	const struct control_config *config; /* borrowed; so below */
	struct store *store;
	struct provision *provision;
	struct inflight inflight;
	struct cursor_key cursors;
	struct wait_list *waits; /* owned: hubs that wait for something to do */
	struct wait_list *event_waits; /* owned: polls that wait for events */
	struct wait_list *stream_waits; /* owned: streams that do; there is room for all */
	atomic_uint streams; /* that are open */
};

#endif
