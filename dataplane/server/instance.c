// SPDX-License-Identifier: Apache-2.0
#include "dataplane/table/instance.h"

#include "dataplane/api/instance.h"
#include "dataplane/keying/keying.h"
#include "dataplane/server/management.h"
#include "dataplane/server/request.h"
#include "dataplane/server/state.h"
#include "dataplane/server/uapi.h"
#include "dataplane/table/pkt.h"
#include "dataplane/table/tables.h"
#include "dataplane/worker/host_io.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

static_assert((int)DP_INSTANCE_SITE_TO_SITE == (int)INSTANCE_SITE_TO_SITE
	&& (int)DP_INSTANCE_CLIENT_TO_SITE == (int)INSTANCE_CLIENT_TO_SITE
	&& (int)DP_INSTANCE_CLIENT_TO_CLIENT == (int)INSTANCE_CLIENT_TO_CLIENT
	&& (int)DP_INSTANCE_EGRESS_V4 == (int)INSTANCE_EGRESS_V4
	&& (int)DP_INSTANCE_EGRESS_V6 == (int)INSTANCE_EGRESS_V6);

/* A port can have the MTU that the largest tunnel needs. */
static_assert(
	(PORT_MTU_MAX + PKT_LINK + PKT_ROOM_UNIT - 1) / PKT_ROOM_UNIT * PKT_ROOM_UNIT - PKT_OVERHEAD
	>= DP_MTU_MAX);

void server_remove_instance(struct server *s, struct instance *i)
{
	host_io_tun_del(s->host_io, i);
	instance_socket_close(&s->uapi, i);
	instance_socket_close(&s->management, i);
	instance_unlink(s->tables, i);
}

static struct instance_settings settings_from_set(const struct dp_instance_set *m)
{
	return (struct instance_settings){
		.id = m->id,
		.private_key = &m->wireguard_private_key,
		.number = m->number,
		.wireguard_port = m->wireguard_port,
		.mtu = m->mtu,
		.flags = m->flags,
		.address4 = m->address4,
		.address6 = m->address6,
	};
}

static int refuse_set(struct request *q, const struct dp_instance_set *m, int error)
{
	char id[UUID_TEXT];
	(void)uuid_format(&m->id, id);
	if (error == -EEXIST)
		return request_refuse(q, error, "instance %s: number %u is taken", id, m->number);
	if (error == -EADDRINUSE)
		return request_refuse(
			q, error, "instance %s: port %u is taken", id, m->wireguard_port);
	if (error == -EMSGSIZE)
		return request_refuse(q, error,
			"instance %s: mtu %u: packets here hold %u: give a port in "
			"dataplane.conf a larger mtu",
			id, m->mtu, q->server->tables->inner_max);
	if (error == -EBUSY)
		return request_refuse(
			q, error, "instance %s: number, port and addresses cannot change", id);
	return request_refuse(q, error, "instance %s: %s", id, strerrordesc_np(-error));
}

static int set_instance(struct request *q, const struct dp_instance_set *m)
{
	struct server *s = q->server;
	struct instance_settings settings = settings_from_set(m);
	struct instance *i = instance_find(s->tables, &m->id);
	bool created = i == NULL;
	if (!created)
		sync_name(q, &i->sync_stamp);
	int err = instance_set(s->tables, &settings, &i);
	if (err != 0)
		return refuse_set(q, m, err);
	sync_name(q, &i->sync_stamp);
	err = keying_instance_set(s->keying, i, &m->wireguard_private_key);
	if (err == 0)
		return 0;
	if (created)
		server_remove_instance(s, i);
	return refuse_set(q, m, err);
}

int serve_instance_set(struct request *q)
{
	struct dp_instance_set m;
	memcpy(&m, q->payload, sizeof(m));
	int err = set_instance(q, &m);
	explicit_bzero(&m, sizeof(m));
	return err;
}

int serve_instance_del(struct request *q)
{
	struct dp_instance_del m;
	memcpy(&m, q->payload, sizeof(m));
	struct instance *i = instance_find(q->server->tables, &m.id);
	if (i != NULL)
		server_remove_instance(q->server, i);
	return 0;
}

static struct dp_instance object_from_instance(struct server *s, const struct instance *i)
{
	return (struct dp_instance){
		.id = i->id,
		.number = i->number,
		.flags = i->flags,
		.wireguard_port = i->wireguard_port,
		.mtu = i->mtu,
		.address4 = i->address4,
		.address6 = i->address6,
		.has_tun = i->has_tun,
		.has_uapi = instance_socket_is_open(&s->uapi, i),
		.has_management = instance_socket_is_open(&s->management, i),
	};
}

int serve_instance_list(struct request *q)
{
	for (const struct instance *i = q->server->tables->instances; i != NULL; i = i->next) {
		struct dp_instance m = object_from_instance(q->server, i);
		int err = request_reply_object(q, &m, sizeof(m));
		if (err != 0)
			return err;
	}
	return 0;
}
