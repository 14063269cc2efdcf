// SPDX-License-Identifier: Apache-2.0
#include "dataplane/table/tables.h"

#include "dataplane/table/instance.h"
#include "dataplane/table/peer.h"
#include "dataplane/table/pkt.h"
#include "dataplane/table/session.h"
#include "dataplane/table/tunnel.h"
#include "dataplane/table/underlay.h"

#include <errno.h>
#include <stdlib.h>

#include <rte_rcu_qsbr.h>

struct retired {
	struct retired *next;
	void *memory;
	void (*free)(void *memory);
};

enum {
	LISTENER_BYTES = UDP_PORTS * sizeof(void *),
	INSTANCE_SLOT_BYTES = TABLE_MAX_INSTANCES * sizeof(void *),
	PEER_SLOT_BYTES = TABLE_MAX_PEERS * sizeof(void *),
};

static int qsbr_new(struct rte_rcu_qsbr **ret)
{
	size_t size = rte_rcu_qsbr_get_memsize(TABLE_MAX_READERS);
	struct rte_rcu_qsbr *q =
		aligned_alloc(RTE_CACHE_LINE_SIZE, RTE_ALIGN_CEIL(size, RTE_CACHE_LINE_SIZE));
	if (q == NULL)
		return -ENOMEM;
	if (rte_rcu_qsbr_init(q, TABLE_MAX_READERS) != 0) {
		free(q);
		return -EINVAL;
	}
	*ret = q;
	return 0;
}

static int hashes_init(struct tables *t)
{
	int err = hash_init(&t->instance_by_id);
	if (err == 0)
		err = hash_init(&t->peer_by_id);
	return err == 0 ? hash_init(&t->peer_by_key) : err;
}

int tables_new(struct tables **ret)
{
	struct tables *t = calloc(1, sizeof(*t));
	if (t == NULL)
		return -ENOMEM;
	t->workers = 1;
	t->inner_max = pkt_inner_max(ETHERNET_MTU);
	slab_init(&t->peer_memory, sizeof(struct peer));
	slab_init(&t->session_memory, sizeof(struct session));
	slab_init(&t->endpoint_memory, sizeof(struct endpoint));
	slab_init(&t->route_memory, ROUTE_TRIE_NODE_SIZE);
	t->listener = slab_map(LISTENER_BYTES);
	t->openvpn_port = slab_map(LISTENER_BYTES);
	t->instance_slot = slab_map(INSTANCE_SLOT_BYTES);
	t->peer_slot = slab_map(PEER_SLOT_BYTES);
	bool mapped = t->listener != NULL && t->openvpn_port != NULL && t->instance_slot != NULL
		&& t->peer_slot != NULL;
	int err = mapped ? 0 : -ENOMEM;
	if (err == 0)
		err = hashes_init(t);
	if (err == 0)
		err = qsbr_new(&t->qsbr);
	if (err == 0)
		err = session_table_new(&t->sessions);
	if (err == 0)
		err = tunnel_table_new(&t->tunnels);
	if (err == 0)
		err = underlay_new(&t->underlay);
	if (err != 0) {
		tables_free(t);
		return err;
	}
	*ret = t;
	return 0;
}

void tables_set_workers(struct tables *t, unsigned int workers)
{
	t->workers = workers;
	for (unsigned int i = 0; i < OWNER_GROUPS; i++)
		t->owner[i] = (uint8_t)(i % workers);
}

static void free_retired(struct retired *r)
{
	while (r != NULL) {
		struct retired *next = r->next;
		r->free(r->memory);
		free(r);
		r = next;
	}
}

static void free_unlinked(struct tables *t)
{
	while (t->unlinked_peers != NULL) {
		struct peer *p = t->unlinked_peers;
		t->unlinked_peers = p->unlinked_next;
		peer_free(p);
	}
	while (t->unlinked_instances != NULL) {
		struct instance *i = t->unlinked_instances;
		t->unlinked_instances = i->next;
		instance_free(i);
	}
}

void tables_free(struct tables *t)
{
	if (t == NULL)
		return;
	while (t->instances != NULL)
		instance_unlink(t, t->instances);
	free_unlinked(t);
	free_retired(t->retired);
	underlay_free(t->underlay);
	tunnel_table_free(t->tunnels);
	session_table_free(t->sessions);
	free(t->qsbr);
	hash_fini(&t->instance_by_id);
	hash_fini(&t->peer_by_id);
	hash_fini(&t->peer_by_key);
	slab_unmap((void *)t->listener, LISTENER_BYTES);
	slab_unmap((void *)t->openvpn_port, LISTENER_BYTES);
	slab_unmap((void *)t->instance_slot, INSTANCE_SLOT_BYTES);
	slab_unmap((void *)t->peer_slot, PEER_SLOT_BYTES);
	counter_registry_fini(&t->counters);
	slab_fini(&t->route_memory);
	slab_fini(&t->endpoint_memory);
	slab_fini(&t->session_memory);
	slab_fini(&t->peer_memory);
	free(t);
}

/* As rte_rcu_qsbr_synchronize(), but inline, so that a ThreadSanitizer sees what orders the frees behind
 * the last reads. */
static void wait_for_readers(struct tables *t)
{
	(void)rte_rcu_qsbr_check(t->qsbr, rte_rcu_qsbr_start(t->qsbr), true);
}

void tables_reclaim(struct tables *t)
{
	if (t->unlinked_peers == NULL && t->unlinked_instances == NULL && t->retired == NULL)
		return;
	wait_for_readers(t);
	struct retired *retired = t->retired;
	t->retired = NULL;
	free_retired(retired);
	free_unlinked(t);
}

static void retire(struct tables *t, void *memory, void (*free_memory)(void *memory))
{
	struct retired *r = malloc(sizeof(*r));
	if (r == NULL) {
		wait_for_readers(t);
		free_memory(memory);
		return;
	}
	*r = (struct retired){t->retired, memory, free_memory};
	t->retired = r;
}

void tables_retire(struct tables *t, void *memory)
{
	retire(t, memory, free);
}

void tables_retire_object(struct tables *t, void *object)
{
	retire(t, object, slab_free);
}

void tables_use(struct tables *t, struct tables_use *ret)
{
	*ret = (struct tables_use){
		.peers = t->peer_count,
		.sessions = session_table_count(t->sessions),
		.peers_bytes = slab_used_bytes(&t->peer_memory),
		.routes_bytes = slab_used_bytes(&t->route_memory),
		.sessions_bytes =
			slab_used_bytes(&t->session_memory) + slab_used_bytes(&t->endpoint_memory),
		.reserved_bytes = LISTENER_BYTES + INSTANCE_SLOT_BYTES + PEER_SLOT_BYTES
			+ session_table_reserved(),
	};
	for (const struct instance *i = t->instances; i != NULL; i = i->next) {
		ret->instances++;
		ret->routes += i->route_by_prefix.count;
	}
	ret->routes_bytes += ret->routes * sizeof(struct route);
}
