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
	int err = host_io_capture_open(s->host_io, &settings, fd);
	if (err == -EBUSY)
		return request_refuse(q, err,
			"the peer has a capture, or %d others run: wait for their end",
			CAPTURES_MAX);
	if (err != 0)
		return request_refuse(q, err, "the file cannot be written");
	s->captured[s->captures++] = settings.peer;
	atomic_store_explicit(&p->capture, m.side, memory_order_relaxed);
	return 0;
}

static bool goes_on(struct server *s, uint64_t handle)
{
	struct peer *p = peer_from_handle(s->tables, handle);
	if (p == NULL) {
		host_io_capture_close(s->host_io, handle);
		return false;
	}
	if (host_io_capture_is_open(s->host_io, handle))
		return true;
	atomic_store_explicit(&p->capture, 0, memory_order_relaxed);
	return false;
}

void captures_sweep(struct server *s)
{
	unsigned int kept = 0;
	for (unsigned int i = 0; i < s->captures; i++) {
		if (goes_on(s, s->captured[i]))
			s->captured[kept++] = s->captured[i];
	}
	s->captures = kept;
}
