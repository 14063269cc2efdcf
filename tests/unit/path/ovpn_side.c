// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/path/ovpn_side.h"

#include "dataplane/table/instance.h"
#include "dataplane/table/peer.h"
#include "dataplane/table/slab.h"
#include "dataplane/table/tables.h"
#include "dataplane/table/underlay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

const struct cipher_suite ovpn_suites[] = {
	{CIPHER_AES_128_GCM, CIPHER_NO_DIGEST},
	{CIPHER_AES_256_GCM, CIPHER_NO_DIGEST},
	{CIPHER_CHACHA20_POLY1305, CIPHER_NO_DIGEST},
	{CIPHER_AES_128_CBC, CIPHER_HMAC_SHA1},
	{CIPHER_AES_256_CBC, CIPHER_HMAC_SHA1},
	{CIPHER_AES_256_CBC, CIPHER_HMAC_SHA256},
	{CIPHER_AES_256_CBC, CIPHER_HMAC_SHA512},
};
const unsigned int ovpn_suite_count = sizeof(ovpn_suites) / sizeof(ovpn_suites[0]);

static struct ovpn_side *begun[2]; /* a test that fails leaves them behind */

int ovpn_test_end(void **state)
{
	for (unsigned int n = 0; n < 2; n++) {
		if (begun[n] != NULL)
			ovpn_side_end(begun[n]);
	}
	return 0;
}

/* The endpoints of WireGuard are of before the underlay of IPv6: that is told once, here. */
int ovpn_group_start(void **state)
{
	struct rte_mbuf *sent;
	int err = fixture_start6(state);
	if (err != 0)
		return err;
	ovpn_open_port();
	for (unsigned int from = 0; from < 3; from++) {
		uint8_t inner[SIZE];
		make_inner4(inner, SIZE, from, (from + 1) % 3);
		(void)path_take(frame_from(from, inner, SIZE), &sent);
		rte_pktmbuf_free(sent);
	}
	drop_all_from_keying();
	return 0;
}

void ovpn_open_port(void)
{
	hub.tables->openvpn_port[OVPN_PORT] = hub.instance;
}

static void give_endpoint(struct ovpn_side *s, bool is_v6)
{
	struct endpoint *e = slab_alloc(&hub.tables->endpoint_memory);
	bool missing = false;
	struct neighbour neighbour;
	assert_non_null(e);
	memset(e, 0, sizeof(*e));
	assert_int_equal(
		ip_endpoint_parse(is_v6 ? "[2001:db8:f::9]:4500" : "198.51.100.1:4500", &e->remote),
		0);
	e->local_port = OVPN_PORT;
	assert_int_equal(underlay_resolve(hub.tables, e, &missing, &neighbour), 0);
	assert_false(missing);
	s->endpoint = e;
	s->before = hub.peer[s->peer]->endpoint;
	hub.peer[s->peer]->endpoint = e;
}

static void make_keys(struct ovpn_side *s, const struct ovpn_kind *kind)
{
	uint8_t up[DATA_SLOTS_LEN], down[DATA_SLOTS_LEN];
	struct data_header header = {.len = kind->is_v2 ? DATA_V2_HEADER_LEN : DATA_V1_HEADER_LEN,
		.peer_id = s->tunnel->id};
	for (unsigned int n = 0; n < DATA_SLOTS_LEN; n++) {
		up[n] = (uint8_t)(n * 7 + s->peer + 1);
		down[n] = (uint8_t)(n * 11 + s->peer + 2);
	}
	s->key = calloc(1, sizeof(*s->key));
	assert_non_null(s->key);
	struct data_key *k = s->key;
	struct cipher_engine *e = s->engine;
	assert_int_equal(data_receive_init(&k->receive, e, &kind->suite, up, kind->is_tcp), 0);
	assert_int_equal(data_send_init(&k->send, e, &kind->suite, down, &header), 0);
	assert_int_equal(data_send_init(&s->send, e, &kind->suite, up, &header), 0);
	assert_int_equal(data_receive_init(&s->receive, e, &kind->suite, down, kind->is_tcp), 0);
}

void ovpn_side_begin(struct ovpn_side *s, unsigned int peer, const struct ovpn_kind *kind)
{
	memset(s, 0, sizeof(*s));
	s->peer = peer;
	begun[begun[0] != NULL ? 1 : 0] = s;
	assert_int_equal(cipher_engine_new(&s->engine), 0);
	give_endpoint(s, kind->is_v6);
	struct tunnel *t = aligned_alloc(64, sizeof(*t));
	assert_non_null(t);
	memset(t, 0, sizeof(*t));
	t->peer = hub.peer[peer];
	t->peer_slot = t->peer->slot;
	t->compression = kind->compression;
	t->is_tcp = kind->is_tcp;
	if (!kind->is_v2 && !kind->is_tcp) {
		t->remote = s->endpoint->remote;
		t->local_port = OVPN_PORT;
	}
	assert_int_equal(tunnel_publish(hub.tables->tunnels, t), 0);
	s->tunnel = t;
	make_keys(s, kind);
	t->receive[0] = s->key;
	t->send = s->key;
	t->peer->tunnel = t;
}

void ovpn_side_end(struct ovpn_side *s)
{
	begun[begun[0] == s ? 0 : 1] = NULL;
	hub.peer[s->peer]->tunnel = NULL;
	hub.peer[s->peer]->endpoint = s->before;
	tunnel_unlink(hub.tables->tunnels, s->tunnel);
	data_receive_fini(&s->key->receive);
	data_send_fini(&s->key->send);
	data_receive_fini(&s->receive);
	data_send_fini(&s->send);
	free(s->key);
	free(s->tunnel);
	slab_free(s->endpoint);
	cipher_engine_free(s->engine);
}

struct rte_mbuf *ovpn_frame_of(const struct ovpn_side *s, const uint8_t *packet, uint16_t len)
{
	uint8_t frame[2048];
	struct rte_mbuf *wg = good_frame(); /* of which the outer headers are taken */
	uint16_t total = (uint16_t)(OUTER - 14 + len), udp = (uint16_t)(8 + len);
	memcpy(frame, byte_of(wg, 0), OUTER);
	rte_pktmbuf_free(wg);
	write_be16(frame + 16, total);
	fix_inner_checksum(frame + 14);
	write_be16(frame + 34, 4500);
	write_be16(frame + 36, OVPN_PORT);
	write_be16(frame + 38, udp);
	memset(frame + 40, 0, 2);
	if (len > 0)
		memcpy(frame + OUTER, packet, len);
	struct rte_mbuf *m = packet_of(frame, (uint16_t)(OUTER + len));
	return s->endpoint->is_v6 ? in_ipv6(m) : m;
}

struct rte_mbuf *ovpn_frame(struct ovpn_side *s, const uint8_t *payload, uint16_t len)
{
	uint8_t buffer[2048];
	struct data_span span = {buffer + 128, len};
	struct cipher_job job;
	memcpy(span.at, payload, len);
	data_payload_frame(s->tunnel->compression, &span);
	assert_int_equal(data_seal_prepare(&s->send, &span, &job), 0);
	cipher_seal(s->engine, &job, 1);
	assert_true(job.ok);
	return ovpn_frame_of(s, span.at, (uint16_t)span.len);
}

const uint8_t *ovpn_open(struct ovpn_side *s, struct rte_mbuf *m, uint16_t outer, uint32_t *ret_len)
{
	struct data_header h;
	struct cipher_job job;
	struct data_span span;
	if (m == NULL)
		abort(); /* the count of what was sent is asserted before */
	uint8_t *packet = byte_of(m, outer);
	uint32_t len = (uint32_t)m->data_len - outer;
	assert_int_equal(data_header_read(packet, len, &h), 0);
	assert_int_equal(data_open_prepare(&s->receive, &h, packet, len, &job), 0);
	cipher_open(s->engine, &job, 1);
	assert_int_equal(data_open_finish(&s->receive, &job, &span), 0);
	(void)data_payload_read(s->tunnel->compression, &span);
	*ret_len = span.len;
	return span.at;
}
