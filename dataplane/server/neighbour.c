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

int serve_neighbour_del(struct request *q)
{
	struct dp_neighbour_del m;
	memcpy(&m, q->payload, sizeof(m));
	int err = neighbour_del(q->server->tables, m.port, &m.addr);
	return err == -ENOENT ? 0 : err;
}

struct listing {
	struct request *request;
	int err;
};

/* Neighbours that an endpoint wants and nobody told us of are not the node's objects. */
static bool list_neighbour(void *ctx, const struct neighbour *n)
{
	struct listing *l = ctx;
	if (!n->known || n->state == NEIGHBOUR_UNKNOWN)
		return true;
	struct dp_neighbour_set m = {
		.addr = n->addr, .port = (uint16_t)n->port, .state = (uint8_t)n->state};
	memcpy(m.mac, n->mac, sizeof(m.mac));
	l->err = request_reply_object(l->request, &m, sizeof(m));
	return l->err == 0;
}

int serve_neighbour_list(struct request *q)
{
	struct listing l = {.request = q};
	neighbour_each(q->server->tables->underlay, list_neighbour, &l);
	return l.err;
}
