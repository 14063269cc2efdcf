// SPDX-License-Identifier: Apache-2.0
#include "dataplane/table/rings.h"

#include "dataplane/table/pkt.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_errno.h>
#include <rte_mbuf.h>
#include <rte_ring.h>
#include <rte_ring_elem.h>

enum {
	KEYING_RING_SIZE = 4096,
	HOST_RING_SIZE = 1024,
	STREAM_RING_SIZE = 2048,
	INJECT_RING_SIZE = 1024,
	HANDOFF_RING_SIZE = 2048,
	POOL_CACHE = 256,
};

/* Threads may share a core. In this mode a producer that was put aside in the middle of its put
 * keeps no other from putting. */
static struct rte_ring *packet_ring(const char *name, unsigned int worker, unsigned int size)
{
	char text[RTE_RING_NAMESIZE];
	(void)snprintf(text, sizeof(text), "%s%u", name, worker);
	return rte_ring_create(text, size, SOCKET_ID_ANY, RING_F_MP_RTS_ENQ | RING_F_SC_DEQ);
}

static bool make_worker_rings(struct rings *r, unsigned int workers)
{
	for (unsigned int w = 0; w < workers; w++) {
		r->inject[w] = packet_ring("inject", w, INJECT_RING_SIZE);
		r->handoff[w] = packet_ring("handoff", w, HANDOFF_RING_SIZE);
		if (r->inject[w] == NULL || r->handoff[w] == NULL)
			return false;
	}
	return true;
}

int rings_init(struct rings *r, unsigned int mbufs, unsigned int workers, unsigned int mtu)
{
	memset(r, 0, sizeof(*r));
	r->pool = rte_pktmbuf_pool_create("packets", mbufs, POOL_CACHE, PKT_PRIVATE_SIZE,
		(uint16_t)(RTE_PKTMBUF_HEADROOM + pkt_room(mtu)), SOCKET_ID_ANY);
	r->keying = rte_ring_create_elem("keying", sizeof(struct keying_message), KEYING_RING_SIZE,
		SOCKET_ID_ANY, RING_F_MP_RTS_ENQ | RING_F_SC_DEQ);
	r->stream = rte_ring_create(
		"stream", STREAM_RING_SIZE, SOCKET_ID_ANY, RING_F_MP_RTS_ENQ | RING_F_SC_DEQ);
	r->host = rte_ring_create(
		"host", HOST_RING_SIZE, SOCKET_ID_ANY, RING_F_MP_RTS_ENQ | RING_F_SC_DEQ);
	if (r->pool != NULL && r->keying != NULL && r->stream != NULL && r->host != NULL
		&& make_worker_rings(r, workers))
		return 0;
	int err = -rte_errno;
	rings_fini(r);
	return err;
}

static void drain(struct rte_ring *ring)
{
	void *m;
	while (ring != NULL && rte_ring_dequeue(ring, &m) == 0)
		rte_pktmbuf_free(m);
	rte_ring_free(ring);
}

void rings_fini(struct rings *r)
{
	struct keying_message m;
	while (r->keying != NULL && rings_keying_get(r, &m))
		rte_pktmbuf_free(m.mbuf);
	rte_ring_free(r->keying);
	drain(r->stream);
	drain(r->host);
	for (unsigned int w = 0; w < TABLE_MAX_WORKERS; w++) {
		drain(r->inject[w]);
		drain(r->handoff[w]);
	}
	rte_mempool_free(r->pool);
	memset(r, 0, sizeof(*r));
}

bool rings_keying_put(struct rings *r, const struct keying_message *m)
{
	void *elem = (void *)(uintptr_t)m; // NOLINT(performance-no-int-to-ptr): it is only read
	return rte_ring_enqueue_elem(r->keying, elem, sizeof(*m)) == 0;
}

bool rings_keying_get(struct rings *r, struct keying_message *ret)
{
	return rte_ring_dequeue_elem(r->keying, ret, sizeof(*ret)) == 0;
}

bool rings_inject_put(struct rings *r, unsigned int worker, struct rte_mbuf *m)
{
	return rte_ring_enqueue(r->inject[worker], m) == 0;
}
