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

int serve_underlay_route_del(struct request *q)
{
	struct dp_underlay_route_del m;
	memcpy(&m, q->payload, sizeof(m));
	int err = underlay_route_del(q->server->tables, &m.prefix, m.port);
	return err == -ENOENT ? 0 : err;
}

struct listing {
	struct request *request;
	int err;
};

static bool list_route(void *ctx, const struct underlay_route *r)
{
	struct listing *l = ctx;
	struct dp_underlay_route_set m = {
		.prefix = r->prefix, .port = (uint16_t)r->port, .gateway = r->gateway};
	l->err = request_reply_object(l->request, &m, sizeof(m));
	return l->err == 0;
}

int serve_underlay_route_list(struct request *q)
{
	struct listing l = {.request = q};
	underlay_route_each(q->server->tables->underlay, list_route, &l);
	return l.err;
}
