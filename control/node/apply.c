// SPDX-License-Identifier: Apache-2.0
#include "control/node/apply.h"

#include "control/node/pipeline.h"
#include "dataplane/api/instance.h"
#include "dataplane/api/listener.h"
#include "dataplane/api/peer.h"
#include "dataplane/api/push.h"
#include "dataplane/api/route.h"
#include "dataplane/api/sync.h"
#include "dataplane/base/log.h"

#include <errno.h>
#include <string.h>

enum {
	PROGRESS = 10000, /* changes: whoever waits for a big hub wants to see that it works */
};

static int take_instance(void *ctx, const uint8_t *payload, size_t len)
{
	struct dp_instance i;
	memcpy(&i, payload, sizeof(i));
	struct dp_instance_set set = {
		.id = i.id,
		.number = i.number,
		.flags = i.flags,
		.wireguard_port = i.wireguard_port,
		.mtu = i.mtu,
		.address4 = i.address4,
		.address6 = i.address6,
	};
	return objects_add_instance(ctx, &set);
}

static int take_peer(void *ctx, const uint8_t *payload, size_t len)
{
	struct dp_peer p = {0};
	memcpy(&p, payload, len);
	struct dp_peer_set set = {
		.id = p.id,
		.instance = p.instance,
		.public_key = p.public_key,
		.expires_at = p.expires_at,
		.endpoint = p.endpoint,
		.allowed_count = p.allowed_count,
		.type = p.type,
		.route_all = p.route_all,
	};
	memcpy(set.timestamp, p.timestamp, sizeof(set.timestamp));
	memcpy(set.allowed, p.allowed, sizeof(set.allowed));
	return objects_add_peer(ctx, &set);
}

static int take_route(void *ctx, const uint8_t *payload, size_t len)
{
	struct dp_route_set r;
	memcpy(&r, payload, sizeof(r));
	return objects_add_route(ctx, &r);
}

static int take_listener(void *ctx, const uint8_t *payload, size_t len)
{
	struct dp_listener l;
	memcpy(&l, payload, sizeof(l));
	struct dp_listener_set set = {
		.id = l.id,
		.instance = l.instance,
		.port = l.port,
		.transport = l.transport,
		.wrap = l.wrap,
	};
	return objects_add_listener(ctx, &set);
}

int apply_list(struct dp_client *dp, struct objects *ret)
{
	struct objects o = {0};
	struct dp_peer_list peers = {0};
	struct dp_route_list routes = {0};
	int err = dp_client_list(dp, DP_MSG_INSTANCE_LIST, NULL, 0, take_instance, &o);
	if (err == 0)
		err = dp_client_list(dp, DP_MSG_PEER_LIST, &peers, sizeof(peers), take_peer, &o);
	if (err == 0)
		err = dp_client_list(
			dp, DP_MSG_ROUTE_LIST, &routes, sizeof(routes), take_route, &o);
	if (err == 0)
		err = dp_client_list(dp, DP_MSG_LISTENER_LIST, NULL, 0, take_listener, &o);
	if (err != 0) {
		objects_fini(&o);
		return err;
	}
	objects_sort(&o);
	*ret = o;
	return 0;
}

struct applier {
	const struct plan *plan;
	struct faults *faults;
};

static const struct uuid *instance_of(const struct plan_op *op)
{
	if (op->instance != NULL)
		return &op->instance->id;
	if (op->peer != NULL)
		return &op->peer->instance;
	if (op->push != NULL)
		return &op->push->instance;
	return op->listener != NULL ? &op->listener->instance : &op->route->instance;
}

static void note_refusal(void *ctx, unsigned int number, int status, const char *why)
{
	const struct applier *a = ctx;
	faults_add(a->faults, instance_of(&a->plan->op[number]), "the dataplane refused %s",
		why[0] != '\0' ? why : "a change");
}

static int send_op(struct pipeline *p, const struct plan_op *op)
{
	struct dp_instance_del instance;
	struct dp_peer_del peer;
	struct dp_route_del route;
	struct dp_listener_del listener;
	switch (op->type) {
	case PLAN_INSTANCE_SET:
		return pipeline_send(p, DP_MSG_INSTANCE_SET, op->instance, sizeof(*op->instance));
	case PLAN_PEER_SET:
		return pipeline_send(p, DP_MSG_PEER_SET, op->peer, dp_peer_set_size(op->peer));
	case PLAN_ROUTE_SET:
		return pipeline_send(p, DP_MSG_ROUTE_SET, op->route, sizeof(*op->route));
	case PLAN_PUSH_SET:
		return pipeline_send(p, DP_MSG_PUSH_SET, op->push, dp_push_set_size(op->push));
	case PLAN_LISTENER_SET:
		return pipeline_send(
			p, DP_MSG_LISTENER_SET, op->listener, dp_listener_set_size(op->listener));
	case PLAN_LISTENER_DEL:
		listener = (struct dp_listener_del){op->listener->id};
		return pipeline_send(p, DP_MSG_LISTENER_DEL, &listener, sizeof(listener));
	case PLAN_INSTANCE_DEL:
		instance = (struct dp_instance_del){op->instance->id};
		return pipeline_send(p, DP_MSG_INSTANCE_DEL, &instance, sizeof(instance));
	case PLAN_PEER_DEL:
		peer = (struct dp_peer_del){op->peer->id};
		return pipeline_send(p, DP_MSG_PEER_DEL, &peer, sizeof(peer));
	case PLAN_ROUTE_DEL:
		route = (struct dp_route_del){op->route->instance, op->route->prefix};
		return pipeline_send(p, DP_MSG_ROUTE_DEL, &route, sizeof(route));
	}
	return -EINVAL;
}

static int send_plan(struct dp_client *dp, const struct plan *plan, struct faults *faults)
{
	struct applier a = {plan, faults};
	struct pipeline p = {.dp = dp, .refused = note_refusal, .ctx = &a};
	int err = 0;
	for (unsigned int i = 0; err == 0 && i < plan->count; i++) {
		err = send_op(&p, &plan->op[i]);
		if ((i + 1) % PROGRESS == 0)
			log_message(LOG_LEVEL_INFO, "%u of %u changes are at the dataplane", i + 1,
				plan->count);
	}
	return err == 0 ? pipeline_finish(&p) : err;
}

int apply_sync(struct dp_client *dp, const struct plan *plan, const struct apply_point *to,
	struct faults *faults)
{
	struct dp_sync_begin begin = {
		.epoch = to->epoch, .generation = to->generation, .scope = DP_SYNC_DESIRED};
	/* an answer of the control daemon said so: this is not a guess of ours */
	struct dp_sync_end end = {.scope = DP_SYNC_DESIRED, .allow_empty = 1};
	int err = dp_client_call(dp, DP_MSG_SYNC_BEGIN, &begin, sizeof(begin), -1, NULL);
	if (err == 0)
		err = send_plan(dp, plan, faults);
	if (err == 0)
		err = dp_client_call(dp, DP_MSG_SYNC_END, &end, sizeof(end), -1, NULL);
	return err;
}

int apply_delta(struct dp_client *dp, const struct plan *plan, const struct apply_point *from,
	const struct apply_point *to, struct faults *faults)
{
	struct dp_generation_set g = {
		.epoch = to->epoch, .after = from->generation, .generation = to->generation};
	if (!uuid_equal(&from->epoch, &to->epoch))
		return -ESTALE;
	int err = send_plan(dp, plan, faults);
	if (err == 0)
		err = dp_client_call(dp, DP_MSG_GENERATION_SET, &g, sizeof(g), -1, NULL);
	return err;
}

int apply_resets(
	struct dp_client *dp, const struct desired *d, struct memory *m, struct faults *faults)
{
	for (unsigned int i = 0; i < m->count; i++) {
		struct memory_entry *e = &m->entry[i];
		const struct desired_peer *p = &d->peer[i];
		const struct dp_peer_reset reset = {p->id};
		char id[UUID_TEXT];
		if (e->reset == p->timestamp_reset)
			continue;
		if (p->protocol == DESIRED_OPENVPN) { /* no timestamps */
			e->reset = p->timestamp_reset;
			e->changed = true;
			continue;
		}
		int err = dp_client_call(dp, DP_MSG_PEER_RESET, &reset, sizeof(reset), -1, NULL);
		if (dp_client_is_broken(dp))
			return err;
		if (err != 0) {
			faults_add(faults, &p->instance, "the dataplane refused %s",
				dp_client_error(dp));
			continue;
		}
		e->reset = p->timestamp_reset;
		e->changed = true;
		log_message(LOG_LEVEL_INFO,
			"peer %s: its greatest timestamp is forgotten, as asked",
			uuid_format(&p->id, id));
	}
	return 0;
}
