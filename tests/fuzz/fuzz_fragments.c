// SPDX-License-Identifier: Apache-2.0
/*
 * Sequences of outer fragments through the whole path of a hub in memory. The input is a list of
 * records of six bytes: what, where, length, number and source of a fragment, and the time before it;
 * or of whole frames as they stand. Whatever came, after the timeout every packet is back in the pool,
 * and never did more wait than the table has places for.
 */
#include "bench/memory_hub.h"
#include "dataplane/base/clock.h"
#include "dataplane/path/reassembly.h"
#include "dataplane/table/instance.h"
#include "dataplane/table/underlay.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ring.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	IS_V6 = 1 << 0,
	MORE = 1 << 1,
	RAW = 1 << 2, /* the frame stands behind the record; its length is its second byte */
	FOR_HOST = 1 << 3,
	ODD = 1 << 4, /* one byte more than a unit */
	FAR = 1 << 5, /* at the far end of what an offset can say */
	RECORD = 6,
	MOST_WAITING = REASSEMBLY_SETS * REASSEMBLY_WAYS * REASSEMBLY_PIECES,
};

static struct memory_hub hub;
static uint64_t now_ns;

static void must(bool held)
{
	if (!held)
		abort();
}

/* What lies in slabs leads to memory that the leak checker cannot see. */
static void stop(void)
{
	memory_hub_free(&hub);
}

static void start(void)
{
	struct memory_hub_settings s = {
		.peers = 2, .flags = INSTANCE_SITE_TO_SITE, .mbufs = 8191, .sites = true};
	struct ip_prefix own6;
	must(memory_hub_new(&hub, &s) == 0);
	must(atexit(stop) == 0);
	must(ip_prefix_parse("2001:db8:f::1/64", &own6) == 0);
	must(underlay_address_set(hub.tables, 0, &own6, 0) == 0);
	now_ns = clock_monotonic_ns();
}

static void put_be16(uint8_t *at, unsigned int v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

static void fix_checksum(uint8_t *ip)
{
	uint32_t sum = 0;
	for (unsigned int i = 0; i < 20; i += 2)
		sum += i == 10 ? 0 : (uint32_t)(ip[i] << 8 | ip[i + 1]);
	sum = (sum & 0xffff) + (sum >> 16);
	put_be16(ip + 10, (uint16_t) ~(sum + (sum >> 16)));
}

/* Bytes of the headers. */
static uint16_t write_headers(uint8_t *f, const uint8_t *r, unsigned int where, unsigned int len)
{
	static const uint8_t to6[16] = {0x20, 1, 0x0d, 0xb8, 0, 0x0f, [15] = 1};
	static const uint8_t to4[4] = {203, 0, 113, 1};
	bool more = (r[0] & MORE) != 0;
	memcpy(f, hub.tables->port[0].mac, 6);
	f[6] = 2;
	if (r[0] & IS_V6) {
		put_be16(f + 12, 0x86dd);
		f[14] = 0x60;
		put_be16(f + 18, len + 8);
		f[20] = 44;
		memcpy(f + 22, to6, 16);
		f[37] = r[4];
		memcpy(f + 38, to6, 16);
		f[54] = 17;
		put_be16(f + 56, where << 3 | more);
		f[61] = r[3];
		return 62;
	}
	put_be16(f + 12, 0x0800);
	f[14] = 0x45;
	f[15] = r[3] & 3;
	put_be16(f + 16, len + 20);
	f[19] = r[3];
	put_be16(f + 20, where | (more ? 0x2000 : 0));
	f[22] = 64;
	f[23] = 17;
	memcpy(f + 26, to4, 4);
	f[28] = r[4];
	memcpy(f + 30, to4, 4);
	fix_checksum(f + 14);
	return 34;
}

static uint16_t make_fragment(uint8_t f[1514], const uint8_t *r)
{
	unsigned int where = r[0] & FAR ? 8191U - r[1] : r[1];
	unsigned int len = r[2] % 181U * 8 + ((r[0] & ODD) != 0);
	memset(f, 0, 1514);
	uint16_t headers = write_headers(f, r, where, len);
	put_be16(f + headers, 4000);
	put_be16(f + headers + 2, r[0] & FOR_HOST ? 53 : 51820);
	put_be16(f + headers + 4, r[5] * 8U);
	f[headers + 8] = 4;
	return (uint16_t)(headers + len);
}

static void feed(const uint8_t *frame, uint16_t len)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(hub.rings.pool);
	must(m != NULL);
	memcpy(rte_pktmbuf_append(m, len), frame, len);
	path_receive(&hub.path, 0, &m, 1);
	path_run(&hub.path, now_ns);
}

static void take_back(void)
{
	struct rte_mbuf *sent[32];
	struct keying_message k;
	void *m;
	for (unsigned int n; (n = memory_hub_sent(&hub, sent, 32)) > 0;)
		rte_pktmbuf_free_bulk(sent, n);
	while (rte_ring_dequeue(hub.rings.host, &m) == 0)
		rte_pktmbuf_free(m);
	while (rings_keying_get(&hub.rings, &k))
		rte_pktmbuf_free(k.mbuf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t frame[1514];
	if (hub.tables == NULL)
		start();
	unsigned int before = rte_mempool_avail_count(hub.rings.pool);
	while (size >= RECORD) {
		const uint8_t *r = data;
		data += RECORD;
		size -= RECORD;
		now_ns += (uint64_t)r[5] * (NS_PER_SEC / 100);
		if (r[0] & RAW) {
			uint16_t len = (uint16_t)(r[1] < size ? r[1] : size);
			feed(data, len);
			data += len;
			size -= len;
		} else {
			feed(frame, make_fragment(frame, r));
		}
		take_back();
		must(before - rte_mempool_avail_count(hub.rings.pool) <= MOST_WAITING);
	}
	now_ns += (REASSEMBLY_TIMEOUT_MS + REASSEMBLY_SWEEP_MS) * (NS_PER_SEC / 1000);
	path_run(&hub.path, now_ns);
	must(!path_waits(&hub.path));
	must(rte_mempool_avail_count(hub.rings.pool) == before);
	return 0;
}
