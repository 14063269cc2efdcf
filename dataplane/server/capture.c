// SPDX-License-Identifier: Apache-2.0
/*
 * Captures. The host-I/O thread ends one by itself; the peer's mark, by which workers copy its
 * packets, is taken away in the server's next turn.
 */
#include "dataplane/worker/capture.h"

#include "dataplane/api/capture.h"
#include "dataplane/base/clock.h"
#include "dataplane/server/request.h"
#include "dataplane/server/state.h"
#include "dataplane/table/peer.h"
#include "dataplane/table/tables.h"
#include "dataplane/worker/host_io.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

static_assert((int)DP_CAPTURE_INNER == (int)PEER_CAPTURE_INNER
	&& (int)DP_CAPTURE_OUTER == (int)PEER_CAPTURE_OUTER);

/* Takes the mark of the place's peer away. */
static void unmark(struct server *s, unsigned int place)
{
	struct peer *p = peer_from_handle(s->tables, s->captured[place]);
	if (p != NULL)
		atomic_store_explicit(&p->capture, PEER_CAPTURE_NONE, memory_order_relaxed);
	s->captured[place] = 0;
}

int serve_capture_set(struct request *q)
{
	struct server *s = q->server;
	struct dp_capture_set m;
	memcpy(&m, q->payload, sizeof(m));
	struct peer *p = peer_find(s->tables, &m.peer);
	if (p == NULL)
		return request_refuse_unknown(q, "peer", &m.peer);
	const struct capture_settings settings = {
		.peer = peer_handle(p),
		.is_inner = m.side == DP_CAPTURE_INNER,
		.max_bytes = m.max_bytes,
		.end_ns = clock_monotonic_ns() + m.seconds * NS_PER_SEC,
	};
	int fd = q->file;
	q->file = -1;
	captures_sweep(s);
	int place = host_io_capture_open(s->host_io, &settings, fd);
	if (place == -EBUSY)
		return request_refuse(q, place,
			"the peer has a capture, or %d others run: wait for their end",
			CAPTURES_MAX);
	if (place < 0)
		return request_refuse(q, place, "the file cannot be written");
	for (unsigned int i = 0; i < CAPTURES_MAX; i++) {
		if (i == (unsigned int)place || s->captured[i] == settings.peer)
			unmark(s, i); /* it ended since the sweep */
	}
	s->captured[place] = settings.peer;
	atomic_store_explicit(&p->capture, m.side, memory_order_relaxed);
	return 0;
}

void captures_sweep(struct server *s)
{
	for (unsigned int place = 0; place < CAPTURES_MAX; place++) {
		uint64_t handle = s->captured[place];
		if (handle == 0)
			continue;
		if (peer_from_handle(s->tables, handle) == NULL)
			host_io_capture_close(s->host_io, handle);
		if (!host_io_capture_is_open(s->host_io, handle))
			unmark(s, place);
	}
}
