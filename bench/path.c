// SPDX-License-Identifier: Apache-2.0
/*
 * Cycles a packet through the whole path, from a frame in a vector to a frame on the in-memory port,
 * beside the two AEAD calls on the same lengths in the same round: open and seal, in bursts as the
 * path makes them. Packets are sealed before the clock starts. One line of JSON a result.
 *
 *   bench/path [PEERS [ROUNDS]]
 */
#include "bench/memory_hub.h"
#include "dataplane/table/instance.h"
#include "dataplane/table/session.h"
#include "dataplane/wg/messages.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>

enum {
	ROUNDS_DEFAULT = 400,
	ROUNDS_MAX = 10000,
	WARM_UP = 20,
	MULTIPLIES = 20000,
};

static const uint16_t sizes[] = {64, 256, 512, 1024, 1420};

struct figures {
	uint64_t path[ROUNDS_MAX], crypto[ROUNDS_MAX], calibration[ROUNDS_MAX];
	unsigned int rounds;
};

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

static void die(const char *what)
{
	(void)fprintf(stderr, "bench/path: %s\n", what);
	exit(1);
}

/* Each depends on the one before, so this measures the clock and nothing else. */
static uint64_t calibrate(void)
{
	uint64_t x = rte_rdtsc() | 1, start = rte_rdtsc_precise();
	for (unsigned int i = 0; i < MULTIPLIES; i++) {
		x *= 0x9e3779b97f4a7c15U;
		__asm__ volatile("" : "+r"(x));
	}
	return rte_rdtsc_precise() - start;
}

static void make_frames(struct memory_hub *h, uint16_t size, struct rte_mbuf *frames[PATH_VECTOR])
{
	static uint8_t inner[2048];
	for (unsigned int n = 0; n < PATH_VECTOR; n++) {
		unsigned int from = (unsigned int)rand() % h->peers;
		unsigned int to = (from + 1 + (unsigned int)rand() % (h->peers - 1)) % h->peers;
		struct ip_addr a = memory_hub_address4(from), b = memory_hub_address4(to);
		memory_hub_inner4(inner, size, &a, &b);
		frames[n] = memory_hub_frame(h, from, inner, size);
		if (frames[n] == NULL)
			die("no buffers");
	}
}

static void drain(struct memory_hub *h, unsigned int expected)
{
	struct rte_mbuf *sent[PATH_VECTOR];
	unsigned int n = memory_hub_sent(h, sent, PATH_VECTOR);
	rte_pktmbuf_free_bulk(sent, n);
	if (n != expected)
		die("the path lost packets");
}

static uint64_t measure_path(struct memory_hub *h, uint16_t size)
{
	struct rte_mbuf *frames[PATH_VECTOR];
	make_frames(h, size, frames);
	uint64_t start = rte_rdtsc_precise();
	memory_hub_run(h, frames, PATH_VECTOR);
	uint64_t cycles = rte_rdtsc_precise() - start;
	drain(h, PATH_VECTOR);
	return cycles;
}

/* The same frames, but only what the path asks of the AEAD. */
static uint64_t measure_crypto(struct memory_hub *h, uint16_t size)
{
	struct rte_mbuf *frames[PATH_VECTOR];
	static struct aead_job open[PATH_VECTOR], seal[PATH_VECTOR];
	uint16_t padded = (uint16_t)(size + (-size & (MESSAGE_PADDING - 1)));
	make_frames(h, size, frames);
	for (unsigned int n = 0; n < PATH_VECTOR; n++) {
		uint8_t *message = rte_pktmbuf_mtod_offset(frames[n], uint8_t *, 42);
		const struct session *s =
			session_lookup(h->tables->sessions, message_read_le32(message + 4));
		open[n] = (struct aead_job){
			.key = &s->keypair.receive_key, .data = message + 16, .len = padded};
		memcpy(open[n].nonce + 4, message + 8, 8);
		seal[n] = open[n];
		seal[n].key = &s->keypair.send_key;
		seal[n].len = size > 1420 - 15 ? size : padded; /* padded up to the MTU only */
	}
	uint64_t start = rte_rdtsc_precise();
	for (unsigned int n = 0; n < PATH_VECTOR; n += AEAD_BURST)
		aead_chacha20_poly1305_open(h->path.aead, open + n, AEAD_BURST);
	for (unsigned int n = 0; n < PATH_VECTOR; n += AEAD_BURST)
		aead_chacha20_poly1305_seal(h->path.aead, seal + n, AEAD_BURST);
	uint64_t cycles = rte_rdtsc_precise() - start;
	if (!open[0].ok || !seal[PATH_VECTOR - 1].ok)
		die("the AEAD refused");
	rte_pktmbuf_free_bulk(frames, PATH_VECTOR);
	return cycles;
}

static void print_result(const char *name, uint16_t size, const char *what, uint64_t *values,
	unsigned int count, double divisor)
{
	qsort(values, count, sizeof(values[0]), compare);
	(void)printf("{\"name\":\"%s.%u%s\",\"unit\":\"cycles\",\"min\":%.1f,\"median\":%.1f,"
		     "\"p90\":%.1f,\"runs\":%u}\n",
		name, size, what, (double)values[0] / divisor, (double)values[count / 2] / divisor,
		(double)values[count * 9 / 10] / divisor, count);
}

static void measure_size(struct memory_hub *h, uint16_t size, unsigned int rounds)
{
	static struct figures f;
	char name[64];
	f.rounds = 0;
	for (unsigned int n = 0; n < rounds + WARM_UP; n++) {
		uint64_t calibration = calibrate();
		/* interleaved, and in turns which is first */
		uint64_t crypto = n % 2 == 0 ? measure_crypto(h, size) : 0;
		uint64_t path = measure_path(h, size);
		if (n % 2 == 1)
			crypto = measure_crypto(h, size);
		if (n < WARM_UP)
			continue;
		f.path[f.rounds] = path;
		f.crypto[f.rounds] = crypto;
		f.calibration[f.rounds++] = calibration;
	}
	(void)snprintf(name, sizeof(name),
		h->peers == 2 ? "path.wireguard" : "path.wireguard.peers%u", h->peers);
	print_result(name, size, ".cycles", f.path, f.rounds, PATH_VECTOR);
	print_result(name, size, ".two_aead_calls.cycles", f.crypto, f.rounds, PATH_VECTOR);
	print_result(name, size, ".calibration", f.calibration, f.rounds, MULTIPLIES);
}

int main(int argc, char **argv)
{
	struct memory_hub h;
	struct memory_hub_settings s = {.peers = argc > 1 ? (unsigned int)atoi(argv[1]) : 2,
		.flags = INSTANCE_SITE_TO_SITE,
		.mbufs = 4096,
		.sites = true};
	unsigned int rounds = argc > 2 ? (unsigned int)atoi(argv[2]) : ROUNDS_DEFAULT;
	if (s.peers < 2 || s.peers > 100000 || rounds < 1 || rounds > ROUNDS_MAX)
		die("usage: bench/path [PEERS 2-100000 [ROUNDS 1-10000]]");
	if (memory_hub_new(&h, &s) != 0)
		die("cannot make a hub");
	(void)fprintf(stderr, "# %s, %u peers, vectors of %d, %u rounds\n", aead_name(h.path.aead),
		s.peers, PATH_VECTOR, rounds);
	for (size_t n = 0; n < sizeof(sizes) / sizeof(sizes[0]); n++)
		measure_size(&h, sizes[n], rounds);
	memory_hub_free(&h);
	return 0;
}
