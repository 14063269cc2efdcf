// SPDX-License-Identifier: Apache-2.0
#include "dataplane/api/address.h"

#include "dataplane/server/request.h"
#include "dataplane/server/state.h"
#include "dataplane/table/tables.h"
#include "dataplane/table/underlay.h"

#include <errno.h>
#include <string.h>

int serve_address_set(struct request *q)
{
	struct tables *t = q->server->tables;
	struct dp_address_set m;
	memcpy(&m, q->payload, sizeof(m));
	if (port_find(t, m.port) == NULL)
		return request_refuse(q, -ENODEV, "port %u: does not exist", m.port);
	return underlay_address_set(t, m.port, &m.prefix, sync_stamp(q, DP_SYNC_UNDERLAY));
}
