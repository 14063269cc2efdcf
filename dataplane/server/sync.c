// SPDX-License-Identifier: Apache-2.0
/*
 * Whole stories. Between BEGIN and END every object that the connection names gets the story's
 * stamp; END deletes what has another. Sets work at once, and only END deletes: a connection that
 * is lost half-way leaves everything that was there. While one connection tells a story of a scope
 * nobody else writes in that scope, so no object is named by the wrong one.
 */
#include "dataplane/server/sync.h"

#include "dataplane/server/connection.h"
#include "dataplane/server/memory.h"
#include "dataplane/server/request.h"
#include "dataplane/server/state.h"
#include "dataplane/table/instance.h"
#include "dataplane/table/listener.h"
#include "dataplane/table/peer.h"
#include "dataplane/table/route.h"
#include "dataplane/table/tables.h"
#include "dataplane/table/underlay.h"

#include <errno.h>
#include <string.h>

static bool is_fenced(const struct request *q, enum dp_sync_scope scope)
{
	return (q->connection->fenced & (1U << scope)) != 0;
}

int sync_check_writer(struct request *q, enum dp_sync_scope scope)
{
	const struct sync_story *story = &q->server->sync.story[scope];
	if (scope == DP_SYNC_DESIRED && q->server->stand_alone)
		return request_refuse(q, -EPERM, "started with --stand-alone: wg configures it");
	if (is_fenced(q, scope))
		return request_refuse(q, -ESTALE, "another connection has taken over");
	if (story->open && story->owner != q->connection)
		return request_refuse(q, -EBUSY, "another connection is in a sync");
	return 0;
}

uint32_t sync_stamp(const struct request *q, enum dp_sync_scope scope)
{
	const struct sync_story *story = &q->server->sync.story[scope];
	return story->open && story->owner == q->connection ? story->stamp : 0;
}

void sync_name(const struct request *q, uint32_t *stamp)
{
	uint32_t now = sync_stamp(q, DP_SYNC_DESIRED);
	if (now != 0)
		*stamp = now;
}

void sync_count_peer(const struct request *q)
{
	q->server->sync.story[DP_SYNC_DESIRED].peers_named++;
}

void sync_damage(struct sync *sync, const struct connection *c)
{
	for (unsigned int scope = DP_SYNC_DESIRED; scope < DP_SYNC__COUNT; scope++) {
		struct sync_story *story = &sync->story[scope];
		story->damaged = story->damaged || (story->open && story->owner == c);
	}
}

void sync_drop_connection(struct sync *sync, const struct connection *c)
{
	for (unsigned int scope = DP_SYNC_DESIRED; scope < DP_SYNC__COUNT; scope++) {
		struct sync_story *story = &sync->story[scope];
		if (story->owner != c)
			continue;
		story->owner = NULL;
		story->open = false;
	}
}

int serve_sync_begin(struct request *q)
{
	struct sync *sync = &q->server->sync;
	struct dp_sync_begin m;
	memcpy(&m, q->payload, sizeof(m));
	struct sync_story *story = &sync->story[m.scope];
	if (m.scope == DP_SYNC_DESIRED && q->server->stand_alone)
		return sync_check_writer(q, m.scope);
	if (is_fenced(q, m.scope))
		return request_refuse(q, -ESTALE, "another connection has taken over");
	if (m.scope == DP_SYNC_DESIRED && uuid_equal(&m.epoch, &sync->epoch)
		&& m.generation < sync->generation)
		return request_refuse(q, -ESTALE, "generation %llu is older than %llu",
			(unsigned long long)m.generation, (unsigned long long)sync->generation);
	if (story->owner != NULL && story->owner != q->connection)
		story->owner->fenced |= (uint8_t)(1U << m.scope);
	*story = (struct sync_story){
		.owner = q->connection,
		.open = true,
		.stamp = ++sync->last_stamp,
		.epoch = m.epoch,
		.generation = m.generation,
	};
	return 0;
}

static void sweep_routes(struct instance *i, uint32_t stamp)
{
	for (struct route *r = i->route_list, *next; r != NULL; r = next) {
		next = r->next;
		if (r->sync_stamp != stamp)
			route_del(r);
	}
}

static void sweep_peers(struct tables *t, struct instance *i, uint32_t stamp)
{
	for (struct peer *p = i->peers, *next; p != NULL; p = next) {
		next = p->instance_next;
		if (p->sync_stamp != stamp)
			peer_unlink(t, p);
	}
}

static void sweep_listeners(struct server *s, struct instance *i, uint32_t stamp)
{
	for (struct listener *l = i->listeners, *next; l != NULL; l = next) {
		next = l->next;
		if (l->sync_stamp != stamp)
			(void)server_remove_listener(s, l);
	}
}

static void sweep_desired(struct server *s, uint32_t stamp)
{
	for (struct instance *i = s->tables->instances, *next; i != NULL; i = next) {
		next = i->next;
		if (i->sync_stamp != stamp) {
			server_remove_instance(s, i);
			continue;
		}
		sweep_routes(i, stamp);
		sweep_listeners(s, i, stamp);
		sweep_peers(s->tables, i, stamp);
	}
}

static int end_desired(struct request *q, const struct sync_story *story, bool allow_empty)
{
	struct server *s = q->server;
	if (story->peers_named == 0 && s->tables->peer_count > 0 && !allow_empty)
		return request_refuse(
			q, -ENOTEMPTY, "no peer was named and there are %u", s->tables->peer_count);
	sweep_desired(s, story->stamp);
	s->sync.epoch = story->epoch;
	s->sync.generation = story->generation;
	memory_log(s);
	return 0;
}

int serve_sync_end(struct request *q)
{
	struct dp_sync_end m;
	memcpy(&m, q->payload, sizeof(m));
	struct sync_story *story = &q->server->sync.story[m.scope];
	if (is_fenced(q, m.scope))
		return request_refuse(q, -ESTALE, "another connection has taken over");
	if (!story->open || story->owner != q->connection)
		return request_refuse(q, -EINVAL, "no sync was begun");
	story->open = false;
	if (story->damaged)
		return request_refuse(q, -ECANCELED, "a request of the sync was malformed");
	if (m.scope == DP_SYNC_DESIRED)
		return end_desired(q, story, m.allow_empty == 1);
	underlay_sweep(q->server->tables, story->stamp);
	return 0;
}

int serve_generation_set(struct request *q)
{
	struct sync *sync = &q->server->sync;
	struct dp_generation_set m;
	memcpy(&m, q->payload, sizeof(m));
	if (!uuid_equal(&m.epoch, &sync->epoch))
		return request_refuse(q, -ESTALE, "another epoch");
	if (m.after != sync->generation)
		return request_refuse(q, -ESTALE, "delta after generation %llu, this is %llu",
			(unsigned long long)m.after, (unsigned long long)sync->generation);
	sync->generation = m.generation;
	return 0;
}

int serve_sync_state(struct request *q)
{
	struct dp_sync_state m = {
		.epoch = q->server->sync.epoch, .generation = q->server->sync.generation};
	request_answer(q, &m, sizeof(m));
	return 0;
}
