// SPDX-License-Identifier: Apache-2.0
#include "dataplane/api/underlay_route.h"

#include "dataplane/server/request.h"
#include "dataplane/server/state.h"
#include "dataplane/table/tables.h"
#include "dataplane/table/underlay.h"

#include <errno.h>
#include <string.h>

int serve_underlay_route_set(struct request *q)
{
	struct tables *t = q->server->tables;
	struct dp_underlay_route_set m;
	memcpy(&m, q->payload, sizeof(m));
	if (port_find(t, m.port) == NULL)
		return request_refuse(q, -ENODEV, "port %u: does not exist", m.port);
	struct underlay_route r = {
		.prefix = m.prefix,
		.port = m.port,
		.gateway = m.gateway,
		.sync_stamp = sync_stamp(q, DP_SYNC_UNDERLAY),
	};
	return underlay_route_set(t, &r);
}
