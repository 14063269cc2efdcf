// SPDX-License-Identifier: Apache-2.0
/*
 * Cycles a packet through the whole path, from a frame in a vector to a frame on the in-memory port,
 * beside the two AEAD calls on the same lengths in the same round: open and seal, in bursts as the
 * path makes them; and the same path with the clock read between its stages. Packets are sealed before
 * the clock starts. The first line of JSON is about this run, then there is one a result.
 *
 *   bench/path [PEERS [ROUNDS [CIPHER|mixed]]]
 *
 * With a cipher of OpenVPN's all peers speak that; mixed: from WireGuard to OpenVPN with AES-256-GCM.
 */
#include "bench/memory_hub.h"
#include "bench/path_subject.h"
#include "bench/stages.h"
#include "dataplane/table/instance.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_cycles.h>

enum {
	ROUNDS_DEFAULT = 400,
	ROUNDS_MAX = 10000,
	PEERS_MAX = 100000,
	WARM_UP = 20,
	MULTIPLIES = 20000,
	CLOCK_PERCENT = 103, /* of the fastest seen: a steady clock */
	TRIES = 5, /* rounds for one that is steady */
};

static const uint16_t sizes[] = {64, 256, 512, 1024, 1420};

struct figures {
	uint64_t path[ROUNDS_MAX], calibration[ROUNDS_MAX];
	uint64_t open[ROUNDS_MAX], seal[ROUNDS_MAX], crypto[ROUNDS_MAX]; /* crypto: both */
	uint64_t stage[STAGES__COUNT][ROUNDS_MAX];
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
	_exit(1);
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

/* xorshift64: the same senders and receivers in every run. */
static unsigned int draw(unsigned int below)
{
	static uint64_t x = 0x9e3779b97f4a7c15U;
	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return (unsigned int)(x >> 32) % below;
}

/* Between senders and receivers at random, as the subject's hub has them. */
static void make_frames(struct subject *t, uint16_t size, struct rte_mbuf *frames[PATH_VECTOR])
{
	static uint8_t inner[2048];
	struct memory_hub *h = t->hub;
	for (unsigned int n = 0; n < PATH_VECTOR; n++) {
		unsigned int from = draw(h->peers / t->step) * t->step;
		unsigned int to = t->step == 1 ? (from + 1 + draw(h->peers - 1)) % h->peers
					       : draw(h->peers / t->step) * t->step + 1;
		struct ip_addr a = memory_hub_address4(from), b = memory_hub_address4(to);
		memory_hub_inner4(inner, size, &a, &b);
		frames[n] = t->frame(t, from, inner, size);
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

static uint64_t measure_path(struct subject *t, uint16_t size)
{
	struct rte_mbuf *frames[PATH_VECTOR];
	make_frames(t, size, frames);
	uint64_t start = rte_rdtsc_precise();
	memory_hub_run(t->hub, frames, PATH_VECTOR);
	uint64_t cycles = rte_rdtsc_precise() - start;
	drain(t->hub, PATH_VECTOR);
	return cycles;
}

static void measure_stages(struct subject *t, uint16_t size, uint64_t ret[STAGES__COUNT])
{
	struct rte_mbuf *frames[PATH_VECTOR];
	make_frames(t, size, frames);
	stages_run(t->hub, frames, PATH_VECTOR, ret);
	drain(t->hub, PATH_VECTOR);
}

/* The same frames, but only the ciphers, in bursts as the path makes them. */
static void measure_crypto(struct subject *t, uint16_t size, uint64_t *ret_open, uint64_t *ret_seal)
{
	struct rte_mbuf *frames[PATH_VECTOR];
	make_frames(t, size, frames);
	if (!t->crypto(t, size, frames, ret_open, ret_seal))
		die("a cipher refused");
	rte_pktmbuf_free_bulk(frames, PATH_VECTOR);
}

static void print_result(const char *name, uint64_t *values, unsigned int count, double divisor)
{
	qsort(values, count, sizeof(values[0]), compare);
	unsigned int middle = count / 2, tenth = count / 10;
	double median = (double)values[middle] / divisor;
	(void)printf("{\"name\":\"%s\",\"value\":%.3f,\"unit\":\"cycles\",\"min\":%.3f,"
		     "\"median\":%.3f,\"p90\":%.3f,\"runs\":%u}\n",
		name, median, (double)values[0] / divisor, median,
		(double)values[count - 1 - tenth] / divisor, count);
}

static void print_figures(const struct subject *t, uint16_t size, struct figures *f)
{
	const struct memory_hub *h = t->hub;
	char name[160], middle[48];
	if (h->peers == 2)
		(void)snprintf(middle, sizeof(middle), "%u", size);
	else
		(void)snprintf(middle, sizeof(middle), "%u.peers%u", size, h->peers);
	(void)snprintf(name, sizeof(name), "path.%s.%s.cycles", t->protocol, middle);
	print_result(name, f->path, f->rounds, PATH_VECTOR);
	(void)snprintf(name, sizeof(name), "aead.%s.%s.cycles", t->cipher, middle);
	print_result(name, f->crypto, f->rounds, 2.0 * PATH_VECTOR);
	(void)snprintf(name, sizeof(name), "aead.%s.%s.open.cycles", t->cipher, middle);
	print_result(name, f->open, f->rounds, PATH_VECTOR);
	(void)snprintf(name, sizeof(name), "aead.%s.%s.seal.cycles", t->cipher, middle);
	print_result(name, f->seal, f->rounds, PATH_VECTOR);
	(void)snprintf(name, sizeof(name), "calibration.%s.cycles", middle);
	print_result(name, f->calibration, f->rounds, MULTIPLIES);
	for (unsigned int s = 0; s < STAGES__COUNT; s++) {
		if (f->stage[s][0] == 0)
			continue;
		(void)snprintf(name, sizeof(name), "stage.%s%s.%s.cycles", stages_name(s),
			t->suffix, middle);
		print_result(name, f->stage[s], f->rounds, PATH_VECTOR);
	}
}

/* Path, stages and AEAD take turns, and in each round another one is first. */
static void measure_round(
	struct subject *t, uint16_t size, struct figures *f, unsigned int r, unsigned int first)
{
	uint64_t stage[STAGES__COUNT] = {0}, before = calibrate();
	for (unsigned int turn = 0; turn < 3; turn++) {
		unsigned int what = (first + turn) % 3;
		if (what == 0)
			measure_crypto(t, size, &f->open[r], &f->seal[r]);
		else if (what == 1)
			f->path[r] = measure_path(t, size);
		else
			measure_stages(t, size, stage);
	}
	uint64_t after = calibrate();
	f->calibration[r] = before > after ? before : after;
	f->crypto[r] = f->open[r] + f->seal[r];
	for (unsigned int s = 0; s < STAGES__COUNT; s++)
		f->stage[s][r] = stage[s];
}

/*
 * A round in which the core's clock was not at its fastest is thrown away: others on the machine had
 * slowed it down. When that is nearly all of them, they count after all, and the calibration tells.
 */
static void measure_size(struct subject *t, uint16_t size, unsigned int rounds)
{
	static struct figures f;
	static uint64_t least = UINT64_MAX;
	f.rounds = 0;
	for (unsigned int n = 0; f.rounds < rounds; n++) {
		measure_round(t, size, &f, f.rounds, n);
		uint64_t calibration = f.calibration[f.rounds];
		if (calibration < least)
			least = calibration;
		bool steady = calibration * 100 <= least * CLOCK_PERCENT;
		if (n >= WARM_UP && (steady || n >= rounds * TRIES))
			f.rounds++;
	}
	print_figures(t, size, &f);
}

/* 0 when it is no number of that range. */
static unsigned int parse_number(const char *text, unsigned int min, unsigned int max)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);
	return *text != '\0' && *end == '\0' && n >= min && n <= max ? (unsigned int)n : 0;
}

int main(int argc, char **argv)
{
	struct memory_hub h;
	struct memory_hub_settings s = {.peers = argc > 1 ? parse_number(argv[1], 2, PEERS_MAX) : 2,
		.flags = INSTANCE_SITE_TO_SITE,
		.mbufs = 4096,
		.sites = true};
	unsigned int rounds = argc > 2 ? parse_number(argv[2], 1, ROUNDS_MAX) : ROUNDS_DEFAULT;
	if (s.peers == 0 || rounds == 0)
		die("usage: bench/path [PEERS 2-100000 [ROUNDS 1-10000 [CIPHER|mixed]]]");
	if (memory_hub_new(&h, &s) != 0)
		die("cannot make a hub");
	struct subject t = subject_wireguard(&h);
	if (argc > 3 && subject_openvpn(&t, argv[3]) != 0)
		die("cannot give the peers such tunnels");
	(void)printf("{\"aead\":\"%s\",\"tsc_hz\":%" PRIu64
		     ",\"peers\":%u,\"vector\":%d,\"rounds\":%u}\n",
		aead_name(h.path.aead), rte_get_tsc_hz(), s.peers, PATH_VECTOR, rounds);
	for (size_t n = 0; n < sizeof(sizes) / sizeof(sizes[0]); n++)
		measure_size(&t, sizes[n], rounds);
	if (argc > 3)
		subject_openvpn_end(&t);
	memory_hub_free(&h);
	return 0;
}
