// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/path/fixture.h"

#include "dataplane/base/clock.h"
#include "dataplane/table/instance.h"
#include "dataplane/table/peer.h"
#include "dataplane/table/session.h"
#include "dataplane/table/underlay.h"
#include "dataplane/wg/messages.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <rte_ring.h>

struct memory_hub hub;
static uint64_t before[COUNTER__COUNT];
static unsigned int available;

int fixture_start(void **state)
{
	struct memory_hub_settings s = {
		.peers = 3, .flags = INSTANCE_SITE_TO_SITE, .mbufs = 8191, .sites = true};
	int err = memory_hub_new(&hub, &s);
	if (err == 0)
		available = rte_mempool_avail_count(hub.rings.pool);
	return err;
}

int fixture_end(void **state)
{
	unsigned int left = rte_mempool_avail_count(hub.rings.pool);
	memory_hub_free(&hub);
	return left == available ? 0 : -1; /* no packet was lost on the way */
}

static void remember(void)
{
	for (int c = 0; c < COUNTER__COUNT; c++)
		before[c] = memory_hub_count(&hub, c);
}

uint64_t grown(enum counter c)
{
	return memory_hub_count(&hub, c) - before[c];
}

/* The first of what was sent; the others are freed. */
static unsigned int take_sent(struct rte_mbuf **ret)
{
	struct rte_mbuf *sent[8];
	unsigned int n = memory_hub_sent(&hub, sent, 8);
	*ret = n > 0 ? sent[0] : NULL;
	for (unsigned int i = 1; i < n; i++)
		rte_pktmbuf_free(sent[i]);
	return n;
}

unsigned int path_take(struct rte_mbuf *frame, struct rte_mbuf **ret)
{
	assert_non_null(frame);
	remember();
	memory_hub_run(&hub, &frame, 1);
	return take_sent(ret);
}

unsigned int path_take_at(struct rte_mbuf *frame, uint64_t now_ns, struct rte_mbuf **ret)
{
	assert_non_null(frame);
	remember();
	path_receive(&hub.path, 0, &frame, 1);
	path_run(&hub.path, now_ns);
	return take_sent(ret);
}

unsigned int path_take_injected(
	struct rte_mbuf *m, enum pkt_inject how, uint64_t handle, struct rte_mbuf **ret)
{
	struct pkt *k = pkt_of(m);
	k->inject = (uint8_t)how;
	k->handle = handle;
	remember();
	path_inject(&hub.path, &m, 1);
	path_run(&hub.path, clock_monotonic_ns());
	return take_sent(ret);
}

void assert_dropped(struct rte_mbuf *frame, enum counter reason)
{
	struct rte_mbuf *sent;
	unsigned int n = path_take(frame, &sent);
	if (n == 0 && grown(reason) == 1)
		return;
	for (int c = 0; c < COUNTER__COUNT; c++) {
		if (grown(c) != 0)
			print_message("%s +%lu\n", counter_name(c), (unsigned long)grown(c));
	}
	fail_msg("%u sent, %s wanted", n, counter_name(reason));
}

void assert_refused(struct rte_mbuf *frame, enum counter reason, uint8_t type, uint8_t code)
{
	struct rte_mbuf *sent;
	uint16_t len;
	assert_int_equal(path_take(frame, &sent), 1);
	assert_int_equal(grown(reason), 1);
	assert_int_equal(grown(COUNTER_ICMP_ERRORS_SENT), 1);
	const uint8_t *ip = open_sent(sent, 0, &len);
	struct ip_addr wanted = memory_hub_address4(0);
	assert_int_equal(ip[9], 1);
	assert_memory_equal(ip + 16, wanted.bytes + 12, 4);
	assert_int_equal(ip[20], type);
	assert_int_equal(ip[21], code);
	rte_pktmbuf_free(sent);
}

void drop_from_host(unsigned int wanted)
{
	void *handed[8];
	unsigned int n = rte_ring_dequeue_burst(hub.rings.host, handed, 8, NULL);
	assert_int_equal(n, wanted);
	rte_pktmbuf_free_bulk((struct rte_mbuf **)handed, n);
}

void drop_all_from_host(void)
{
	void *m;
	while (rte_ring_dequeue(hub.rings.host, &m) == 0)
		rte_pktmbuf_free(m);
}

void drop_all_from_keying(void)
{
	struct keying_message m;
	while (rings_keying_get(&hub.rings, &m))
		rte_pktmbuf_free(m.mbuf);
}

void take_from_keying(struct keying_message *ret)
{
	memset(ret, 0, sizeof(*ret));
	assert_true(rings_keying_get(&hub.rings, ret));
	rte_pktmbuf_free(ret->mbuf);
	assert_nothing_for_keying();
}

void assert_nothing_for_keying(void)
{
	struct keying_message m;
	assert_false(rings_keying_get(&hub.rings, &m));
}

struct rte_mbuf *frame_from(unsigned int peer, const uint8_t *inner, uint16_t len)
{
	return memory_hub_frame(&hub, peer, inner, len);
}

void make_inner4(uint8_t *inner, uint16_t len, unsigned int from, unsigned int to)
{
	struct ip_addr a = memory_hub_address4(from), b = memory_hub_address4(to);
	memory_hub_inner4(inner, len, &a, &b);
}

void make_inner6(uint8_t *inner, uint16_t len, unsigned int from, unsigned int to)
{
	struct ip_addr a = memory_hub_address6(from), b = memory_hub_address6(to);
	memset(inner, 0, len);
	inner[0] = 0x60;
	inner[4] = (uint8_t)((len - 40) >> 8);
	inner[5] = (uint8_t)(len - 40);
	inner[6] = 17; /* UDP */
	inner[7] = 64;
	memcpy(inner + 8, a.bytes, 16);
	memcpy(inner + 24, b.bytes, 16);
	memcpy(inner + 44, inner + 4, 2);
}

struct rte_mbuf *good_frame(void)
{
	static uint8_t inner[SIZE];
	make_inner4(inner, SIZE, 0, 1);
	return frame_from(0, inner, SIZE);
}

struct rte_mbuf *frame_to(const char *destination)
{
	static uint8_t inner[SIZE];
	struct ip_addr from = memory_hub_address4(0), to;
	assert_int_equal(ip_addr_parse(destination, &to), 0);
	memory_hub_inner4(inner, SIZE, &from, &to);
	return frame_from(0, inner, SIZE);
}

struct rte_mbuf *packet_of(const uint8_t *data, uint16_t len)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(hub.rings.pool);
	uint8_t *to = m != NULL ? (uint8_t *)rte_pktmbuf_append(m, len) : NULL;
	if (to == NULL)
		abort(); /* the pool is large */
	memset(pkt_of(m), 0, sizeof(struct pkt));
	if (len > 0)
		memcpy(to, data, len);
	return m;
}

struct rte_mbuf *in_ipv6(struct rte_mbuf *m)
{
	static const uint8_t source6[16] = {0x20, 1, 0x0d, 0xb8, 0, 0x0f, [15] = 9};
	static const uint8_t hub6[16] = {0x20, 1, 0x0d, 0xb8, 0, 0x0f, [15] = 1};
	uint8_t frame[2048] = {0};
	uint16_t udp_len = (uint16_t)(m->data_len - 34);
	memcpy(frame, byte_of(m, 0), 12);
	frame[12] = 0x86;
	frame[13] = 0xdd;
	frame[14] = 0x60;
	frame[18] = (uint8_t)(udp_len >> 8);
	frame[19] = (uint8_t)udp_len;
	frame[20] = 17;
	frame[21] = 64;
	memcpy(frame + 22, source6, 16);
	memcpy(frame + 38, hub6, 16);
	memcpy(frame + 54, byte_of(m, 34), udp_len);
	rte_pktmbuf_free(m);
	return packet_of(frame, (uint16_t)(54 + udp_len));
}

int fixture_start6(void **state)
{
	int err = fixture_start(state);
	set_underlay6();
	return err;
}

void set_underlay6(void)
{
	struct ip_prefix own;
	struct underlay_route route = {0};
	struct neighbour gateway = {.mac = {2, 0, 0, 0, 0, 0x66}, .state = NEIGHBOUR_REACHABLE};
	assert_int_equal(ip_prefix_parse("2001:db8:f::1/64", &own), 0);
	assert_int_equal(ip_addr_parse("fe80::fe", &route.gateway), 0);
	gateway.addr = route.gateway;
	assert_int_equal(underlay_address_set(hub.tables, 0, &own, 0), 0);
	assert_int_equal(underlay_route_set(hub.tables, &route), 0); /* prefix ::/0 */
	assert_int_equal(neighbour_set(hub.tables, &gateway), 0);
}

uint8_t *byte_of(struct rte_mbuf *m, uint16_t at)
{
	return rte_pktmbuf_mtod_offset(m, uint8_t *, at);
}

static uint32_t sum_words(uint32_t sum, const uint8_t *data, uint16_t len)
{
	for (uint16_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)(data[i] << 8 | data[i + 1]);
	if (len % 2 != 0)
		sum += (uint32_t)(data[len - 1] << 8);
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

uint16_t checksum(const uint8_t *data, uint16_t len)
{
	return fold(sum_words(0, data, len));
}

uint16_t checksum6(const uint8_t *ip, uint16_t len)
{
	uint32_t sum = (uint32_t)(len - 40) + ip[6]; /* RFC 8200 section 8.1 */
	sum = sum_words(sum, ip + 8, 32);
	return fold(sum_words(sum, ip + 40, (uint16_t)(len - 40)));
}

void fix_inner_checksum(uint8_t *ip)
{
	ip[10] = ip[11] = 0;
	uint16_t sum = (uint16_t)~checksum(ip, 20);
	ip[10] = (uint8_t)(sum >> 8);
	ip[11] = (uint8_t)sum;
}

const uint8_t *open_sent_behind(
	struct rte_mbuf *m, uint16_t outer, unsigned int peer, uint16_t *ret_len)
{
	if (m == NULL)
		abort(); /* the count of what was sent is asserted before */
	const struct session *s = hub.peer[peer]->current;
	uint8_t *message = byte_of(m, outer);
	struct aead_job job = {.key = &s->keypair.send_key,
		.data = message + DATA,
		.len = (uint32_t)(m->data_len - outer - DATA - AEAD_TAG_LEN)};
	memcpy(job.nonce + 4, message + 8, 8);
	assert_int_equal(message_read_le32(message), MESSAGE_DATA);
	aead_chacha20_poly1305_open(hub.sealer, &job, 1);
	assert_true(job.ok);
	*ret_len = (uint16_t)job.len;
	return message + DATA;
}

const uint8_t *open_sent(struct rte_mbuf *m, unsigned int peer, uint16_t *ret_len)
{
	return open_sent_behind(m, OUTER, peer, ret_len);
}
