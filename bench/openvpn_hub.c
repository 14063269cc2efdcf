// SPDX-License-Identifier: Apache-2.0
#include "bench/openvpn_hub.h"

#include "dataplane/base/random.h"
#include "dataplane/table/instance.h"
#include "dataplane/table/peer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_mbuf.h>

enum {
	OPENVPN_PORT = 1194,
	KEY_ID = 1,
};

static int make_key(struct openvpn_hub *o, const struct cipher_suite *suite, unsigned int peer)
{
	uint8_t up[DATA_SLOTS_LEN], down[DATA_SLOTS_LEN];
	struct data_key *key = calloc(1, sizeof(*key));
	struct data_header header = {
		.len = DATA_V2_HEADER_LEN, .peer_id = o->tunnel[peer]->id, .key_id = KEY_ID};
	o->key[peer] = key;
	if (key == NULL)
		return -ENOMEM;
	int err = random_bytes(up, sizeof(up));
	if (err == 0)
		err = random_bytes(down, sizeof(down));
	if (err == 0)
		err = data_receive_init(&key->receive, o->engine, suite, up, false);
	if (err == 0)
		err = data_send_init(&key->send, o->engine, suite, down, &header);
	if (err == 0)
		err = data_send_init(&o->client[peer], o->engine, suite, up, &header);
	return err;
}

static int give_tunnel(struct openvpn_hub *o, const struct cipher_suite *suite, unsigned int n)
{
	struct peer *p = o->hub->peer[n];
	struct tunnel *t = aligned_alloc(64, sizeof(*t));
	if (t == NULL)
		return -ENOMEM;
	memset(t, 0, sizeof(*t));
	t->peer = p;
	t->peer_slot = p->slot;
	int err = tunnel_publish(o->hub->tables->tunnels, t);
	if (err != 0) {
		free(t);
		return err;
	}
	o->tunnel[n] = t;
	err = make_key(o, suite, n);
	if (err != 0)
		return err;
	t->receive[KEY_ID] = o->key[n];
	t->send = o->key[n];
	p->endpoint->local_port = OPENVPN_PORT;
	p->endpoint->header[34] = OPENVPN_PORT >> 8;
	p->endpoint->header[35] = OPENVPN_PORT & 0xff;
	p->tunnel = t;
	return 0;
}

int openvpn_hub_new(struct openvpn_hub *o, struct memory_hub *h, const struct cipher_suite *suite,
	unsigned int first, unsigned int step)
{
	*o = (struct openvpn_hub){.hub = h};
	o->tunnel = calloc(h->peers, sizeof(struct tunnel *));
	o->key = calloc(h->peers, sizeof(struct data_key *));
	o->client = calloc(h->peers, sizeof(o->client[0]));
	if (o->tunnel == NULL || o->key == NULL || o->client == NULL)
		return -ENOMEM;
	int err = cipher_engine_new(&o->engine);
	for (unsigned int n = first; err == 0 && n < h->peers; n += step)
		err = give_tunnel(o, suite, n);
	h->tables->openvpn_port[OPENVPN_PORT] = h->instance;
	return err;
}

void openvpn_hub_free(struct openvpn_hub *o)
{
	for (unsigned int n = 0; n < o->hub->peers; n++) {
		if (o->tunnel[n] == NULL)
			continue;
		o->hub->peer[n]->tunnel = NULL;
		tunnel_unlink(o->hub->tables->tunnels, o->tunnel[n]);
		free(o->tunnel[n]);
		data_send_fini(&o->client[n]);
		data_send_fini(&o->key[n]->send);
		data_receive_fini(&o->key[n]->receive);
		free(o->key[n]);
	}
	o->hub->tables->openvpn_port[OPENVPN_PORT] = NULL;
	cipher_engine_free(o->engine);
	free(o->tunnel);
	free(o->key);
	free(o->client);
}

struct rte_mbuf *openvpn_hub_frame(
	struct openvpn_hub *o, unsigned int from, const uint8_t *inner, uint16_t len)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(o->hub->rings.pool);
	struct cipher_job job;
	if (m == NULL)
		return NULL;
	m->data_len = len;
	m->pkt_len = len;
	memcpy(rte_pktmbuf_mtod(m, void *), inner, len);
	struct data_span span = {rte_pktmbuf_mtod(m, uint8_t *), len};
	if (data_seal_prepare(&o->client[from], &span, &job) != 0) {
		rte_pktmbuf_free(m);
		return NULL;
	}
	cipher_seal(o->engine, &job, 1);
	m->data_off = (uint16_t)(span.at - (uint8_t *)m->buf_addr);
	m->data_len = (uint16_t)span.len;
	m->pkt_len = span.len;
	uint8_t *frame = (uint8_t *)rte_pktmbuf_prepend(m, MEMORY_HUB_OUTER);
	if (frame == NULL) {
		rte_pktmbuf_free(m);
		return NULL;
	}
	memory_hub_write_outer(o->hub, frame, from, OPENVPN_PORT, (uint16_t)span.len);
	return m;
}
