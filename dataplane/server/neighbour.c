// SPDX-License-Identifier: Apache-2.0
#include "dataplane/api/neighbour.h"

#include "dataplane/server/request.h"
#include "dataplane/server/state.h"
#include "dataplane/table/tables.h"
#include "dataplane/table/underlay.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

static_assert((int)DP_NEIGHBOUR_REACHABLE == (int)NEIGHBOUR_REACHABLE
	&& (int)DP_NEIGHBOUR_FAILED == (int)NEIGHBOUR_FAILED);

int serve_neighbour_set(struct request *q)
{
	struct tables *t = q->server->tables;
	struct dp_neighbour_set m;
	memcpy(&m, q->payload, sizeof(m));
	if (port_find(t, m.port) == NULL)
		return request_refuse(q, -ENODEV, "port %u: does not exist", m.port);
	struct neighbour n = {
		.port = m.port,
		.addr = m.addr,
		.state = (enum neighbour_state)m.state,
		.known = true,
		.sync_stamp = sync_stamp(q, DP_SYNC_UNDERLAY),
	};
	memcpy(n.mac, m.mac, sizeof(n.mac));
	return neighbour_set(t, &n);
}
