// SPDX-License-Identifier: Apache-2.0
#include "dataplane/table/route.h"

#include "dataplane/api/route.h"
#include "dataplane/server/quota.h"
#include "dataplane/server/request.h"
#include "dataplane/server/state.h"
#include "dataplane/table/instance.h"
#include "dataplane/table/peer.h"
#include "dataplane/table/tables.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

static_assert((int)DP_ROUTE_PEER == (int)ROUTE_PEER && (int)DP_ROUTE_EGRESS == (int)ROUTE_EGRESS
	&& (int)DP_ROUTE_HOST == (int)ROUTE_HOST && (int)DP_ROUTE_DROP == (int)ROUTE_DROP);

/* One story must not tell two things of one prefix: whoever wins, a peer would get another's. */
static int check_contradiction(
	struct request *q, const struct route *old, const struct dp_route_set *m)
{
	uint32_t stamp = sync_stamp(q, DP_SYNC_DESIRED);
	if (stamp == 0 || old->sync_stamp != stamp)
		return 0;
	bool same = old->target == m->target
		&& (old->peer == NULL || uuid_equal(&old->peer->id, &m->peer));
	char prefix[IP_PREFIX_TEXT];
	return same ? 0
		    : request_refuse(q, -EEXIST, "route %s: named twice in one sync",
			    ip_prefix_format(&m->prefix, prefix));
}

static int set_route(
	struct request *q, struct instance *i, struct peer *p, const struct dp_route_set *m)
{
	char why[QUOTA_TEXT];
	struct route *r = route_find(i, &m->prefix);
	int err = r != NULL ? check_contradiction(q, r, m) : 0;
	if (err != 0)
		return err;
	if (r != NULL)
		sync_name(q, &r->sync_stamp);
	err = quota_route(i, p, r, why);
	if (err != 0)
		return request_refuse(q, err, "%s", why);
	err = route_set(i, &m->prefix, (enum route_target)m->target, p);
	if (err != 0)
		return err;
	sync_name(q, &route_find(i, &m->prefix)->sync_stamp);
	return 0;
}

int serve_route_set(struct request *q)
{
	struct tables *t = q->server->tables;
	struct dp_route_set m;
	memcpy(&m, q->payload, sizeof(m));
	struct instance *i = instance_find(t, &m.instance);
	if (i == NULL)
		return request_refuse_unknown(q, "instance", &m.instance);
	if (m.target != DP_ROUTE_PEER)
		return set_route(q, i, NULL, &m);
	struct peer *p = peer_find(t, &m.peer);
	if (p == NULL || p->instance != i)
		return request_refuse_unknown(q, "peer", &m.peer);
	return set_route(q, i, p, &m);
}

int serve_route_del(struct request *q)
{
	struct dp_route_del m;
	memcpy(&m, q->payload, sizeof(m));
	struct instance *i = instance_find(q->server->tables, &m.instance);
	struct route *r = i != NULL ? route_find(i, &m.prefix) : NULL;
	if (r != NULL)
		route_del(r);
	return 0;
}

static int list_routes(struct request *q, const struct instance *i)
{
	for (const struct route *r = i->route_list; r != NULL; r = r->next) {
		struct dp_route_set m = {
			.instance = i->id, .prefix = r->prefix, .target = r->target};
		if (r->peer != NULL)
			m.peer = r->peer->id;
		int err = request_reply_object(q, &m, sizeof(m));
		if (err != 0)
			return err;
	}
	return 0;
}

int serve_route_list(struct request *q)
{
	struct dp_route_list m;
	memcpy(&m, q->payload, sizeof(m));
	int err = 0;
	for (const struct instance *i = q->server->tables->instances; i != NULL && err == 0;
		i = i->next) {
		if (uuid_is_zero(&m.instance) || uuid_equal(&m.instance, &i->id))
			err = list_routes(q, i);
	}
	return err;
}
