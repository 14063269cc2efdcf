// SPDX-License-Identifier: Apache-2.0
#include "dataplane/table/port.h"

#include "dataplane/api/port.h"
#include "dataplane/server/request.h"
#include "dataplane/server/state.h"
#include "dataplane/table/instance.h"
#include "dataplane/table/tables.h"
#include "dataplane/worker/host_io.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include <rte_ethdev.h>

static_assert((int)PORT_MAX <= (int)DP_PORT_MAX && (int)PORT_NAME_MAX <= (int)DP_PORT_NAME_LEN);

static bool link_is_up(const struct port *p)
{
	struct rte_eth_link link;
	return rte_eth_link_get_nowait(p->ethdev, &link) == 0
		&& link.link_status == RTE_ETH_LINK_UP;
}

int serve_port_list(struct request *q)
{
	const struct tables *t = q->server->tables;
	for (unsigned int id = 0; id < t->ports; id++) {
		const struct port *p = &t->port[id];
		struct dp_port m = {
			.id = (uint16_t)id,
			.mtu = p->mtu,
			.link_up = link_is_up(p),
			.has_tap = q->server->has_tap[id],
		};
		memcpy(m.name, p->name, strnlen(p->name, sizeof(p->name) - 1));
		memcpy(m.mac, p->mac, sizeof(m.mac));
		int err = request_reply_object(q, &m, sizeof(m));
		if (err != 0)
			return err;
	}
	return 0;
}

/* Gives the file of the request away. */
static int take_file(struct request *q)
{
	int fd = q->file;
	q->file = -1;
	return fd;
}

int serve_tap_set(struct request *q)
{
	struct server *s = q->server;
	struct dp_tap_set m;
	memcpy(&m, q->payload, sizeof(m));
	if (port_find(s->tables, m.port) == NULL)
		return request_refuse(q, -ENODEV, "port %u: does not exist", m.port);
	int err = host_io_tap_set(s->host_io, m.port, take_file(q));
	if (err != 0)
		return request_refuse(q, err, "port %u: the file is not such a device", m.port);
	s->has_tap[m.port] = true;
	return 0;
}

int serve_tun_set(struct request *q)
{
	struct server *s = q->server;
	struct dp_tun_set m;
	memcpy(&m, q->payload, sizeof(m));
	struct instance *i = instance_find(s->tables, &m.instance);
	if (i == NULL)
		return request_refuse_unknown(q, "instance", &m.instance);
	int err = host_io_tun_set(s->host_io, i, take_file(q));
	if (err != 0)
		return request_refuse(
			q, err, "instance %u: the file is not such a device", i->number);
	i->has_tun = true;
	return 0;
}
