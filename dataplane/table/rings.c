// SPDX-License-Identifier: Apache-2.0
#include "dataplane/table/rings.h"

#include "dataplane/table/pkt.h"

#include <errno.h>
#include <string.h>

#include <rte_errno.h>
#include <rte_mbuf.h>
#include <rte_ring.h>
#include <rte_ring_elem.h>

enum {
	KEYING_RING_SIZE = 4096,
	HOST_RING_SIZE = 1024,
	INJECT_RING_SIZE = 1024,
	POOL_CACHE = 256,
};

int rings_init(struct rings *r, unsigned int mbufs)
{
	memset(r, 0, sizeof(*r));
	r->pool = rte_pktmbuf_pool_create(
		"packets", mbufs, POOL_CACHE, PKT_PRIVATE_SIZE, PKT_DATA_ROOM, SOCKET_ID_ANY);
	r->keying = rte_ring_create_elem("keying", sizeof(struct keying_message), KEYING_RING_SIZE,
		SOCKET_ID_ANY, RING_F_SC_DEQ);
	r->host = rte_ring_create("host", HOST_RING_SIZE, SOCKET_ID_ANY, RING_F_SC_DEQ);
	r->inject = rte_ring_create("inject", INJECT_RING_SIZE, SOCKET_ID_ANY, RING_F_SC_DEQ);
	if (r->pool != NULL && r->keying != NULL && r->host != NULL && r->inject != NULL)
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
	drain(r->host);
	drain(r->inject);
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

bool rings_inject_put(struct rings *r, struct rte_mbuf *m)
{
	return rte_ring_enqueue(r->inject, m) == 0;
}
