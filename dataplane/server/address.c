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

int serve_address_del(struct request *q)
{
	struct dp_address_del m;
	memcpy(&m, q->payload, sizeof(m));
	int err = underlay_address_del(q->server->tables, m.port, &m.prefix);
	return err == -ENOENT ? 0 : err;
}

struct listing {
	struct request *request;
	int err;
};

static bool list_address(void *ctx, const struct underlay_address *a)
{
	struct listing *l = ctx;
	struct dp_address_set m = {.prefix = a->prefix, .port = (uint16_t)a->port};
	l->err = request_reply_object(l->request, &m, sizeof(m));
	return l->err == 0;
}

int serve_address_list(struct request *q)
{
	struct listing l = {.request = q};
	underlay_address_each(q->server->tables->underlay, list_address, &l);
	return l.err;
}
