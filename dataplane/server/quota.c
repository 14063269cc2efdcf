// SPDX-License-Identifier: Apache-2.0
#include "dataplane/server/quota.h"

#include "dataplane/server/bounds.h"
#include "dataplane/table/instance.h"
#include "dataplane/table/peer.h"
#include "dataplane/table/route.h"

#include <errno.h>
#include <stdio.h>

int quota_route(const struct instance *i, const struct peer *p, const struct route *old,
	char ret_why[QUOTA_TEXT])
{
	bool grows_peer = p != NULL && (old == NULL || old->peer != p);
	if (grows_peer && p->route_count >= PEER_ROUTES_MAX)
		(void)snprintf(ret_why, QUOTA_TEXT, "peer has %d routes, the most there may be",
			PEER_ROUTES_MAX);
	else if (old == NULL && i->route_by_prefix.count >= INSTANCE_ROUTES_MAX)
		(void)snprintf(ret_why, QUOTA_TEXT, "instance has %d routes, the most there may be",
			INSTANCE_ROUTES_MAX);
	else if (old == NULL && i->routes.nodes >= INSTANCE_ROUTE_NODES_MAX)
		(void)snprintf(ret_why, QUOTA_TEXT,
			"the instance's routes are too scattered: name networks");
	else
		return 0;
	return -ENOSPC;
}
