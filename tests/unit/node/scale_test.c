// SPDX-License-Identifier: Apache-2.0
/*
 * A hub with many peers (scale_test [PEERS], 20 000): told, remembered, planned, applied, reported;
 * then one change. Prints what each step took of the processor. No step may grow with the square of
 * their number: half as many come first, and twice as many may not take four times as long. What a busy
 * machine adds is not the step's: the least of a few tries counts.
 */
#include "control/node/apply.h"
#include "control/node/memory.h"
#include "control/node/report.h"
#include "dataplane/base/clock.h"
#include "tests/unit/node/fake_dataplane.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define KEY "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE="
#define INSTANCE_ID "11111111-1111-4111-8111-111111111111"

enum {
	STEPS_MAX = 32,
	NOISE_MS = 50,
	TRIES = 4,
};

static unsigned int peers = 20000;
static struct {
	const char *what;
	uint64_t ms;
} step[2][STEPS_MAX]; /* of half of them and of all */
static unsigned int steps[2], run;

static struct uuid id_of(unsigned int n)
{
	/* in no order: the peer of a number is made at no particular time */
	uint32_t mixed = n * 2654435761U;
	struct uuid id = {{0x22, 0, 0, 0}};
	memcpy(&id.bytes[8], &mixed, sizeof(mixed));
	memcpy(&id.bytes[12], &n, sizeof(n));
	return id;
}

static void write_peer(FILE *f, unsigned int n, int keepalive)
{
	char id[UUID_TEXT], key_text[KEY_BASE64_TEXT];
	const struct uuid uuid = id_of(n);
	struct key key = {{1}};
	memcpy(&key.bytes[1], &n, sizeof(n));
	(void)fprintf(f,
		"{\"id\":\"%s\",\"instance_id\":\"" INSTANCE_ID "\",\"type\":\"client\","
		"\"public_key\":\"%s\",\"preshared_key\":\"" KEY "\",\"route_all\":false,"
		"\"keepalive\":%d,\"addresses\":[\"10.%u.%u.%u\",\"fd12::%x:%x\"],\"subnets\":[],"
		"\"allowed_destinations\":null,\"expires_at\":null,\"endpoint\":null}",
		uuid_format(&uuid, id), key_to_base64(&key, key_text), keepalive, 192 + (n >> 16),
		(n >> 8) & 255, n & 255, (n >> 16) + 1, n & 0xffff);
}

/* Everything, or (generation over 1) one peer that changed. */
static char *answer(unsigned int generation)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	assert_non_null(f);
	(void)fprintf(f,
		"{\"epoch\":\"33333333-1111-4111-8111-111111111111\",\"generation\":%u,\"full\":%s,"
		"\"deleted\":[],\"instances\":[",
		generation, generation == 1 ? "true" : "false");
	if (generation == 1)
		(void)fputs(
			"{\"id\":\"" INSTANCE_ID "\",\"number\":1,\"wireguard\":{\"private_key\":"
			"\"" KEY "\",\"port\":51820},\"addresses\":{\"ipv4\":\"10.192.0.1/10\","
			"\"ipv6\":\"fd12::1/64\"},\"mtu\":1420,\"access\":{\"site_to_site\":true,"
			"\"client_to_site\":true,\"client_to_client\":false},\"egress\":"
			"{\"ipv4\":true,\"ipv6\":true}}",
			f);
	(void)fputs("],\"peers\":[", f);
	for (unsigned int n = 2; n < peers + 2 && generation == 1; n++) {
		(void)fputs(n == 2 ? "" : ",", f);
		write_peer(f, n, 25);
	}
	if (generation > 1)
		write_peer(f, 2 + peers / 2, 26);
	(void)fputs("]}", f);
	assert_int_equal(fclose(f), 0);
	return text;
}

/* Of the processor: others work on this machine too. */
static uint64_t cpu_ns(void)
{
	struct timespec t;
	assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t), 0);
	return (uint64_t)t.tv_sec * NS_PER_SEC + (uint64_t)t.tv_nsec;
}

static void since(uint64_t *at, const char *what)
{
	uint64_t ms = (cpu_ns() - *at) / NS_PER_MS;
	print_message("%8u ms  %s\n", (unsigned int)ms, what);
	assert_true(steps[run] < STEPS_MAX);
	if (step[run][steps[run]].what == NULL || ms < step[run][steps[run]].ms)
		step[run][steps[run]].ms = ms;
	step[run][steps[run]++].what = what;
	*at = cpu_ns();
}

struct hub {
	struct fake_dataplane dp;
	struct dp_peer_stats *stats;
	struct desired desired;
	struct objects actual;
	struct memory memory;
	struct report report;
	struct faults faults;
	struct apply_point at;
	char dir[32];
};

static unsigned int apply(struct hub *h, uint64_t *at)
{
	const struct hub_state way_out = {.egress4 = true, .egress6 = true};
	struct apply_point to = {h->desired.epoch, h->desired.generation};
	struct objects wanted;
	struct plan plan;
	assert_int_equal(objects_from_desired(&h->desired, &way_out, &wanted), 0);
	since(at, "objects made");
	assert_int_equal(memory_follow(&h->memory, &h->desired), 0);
	memory_apply(&h->memory, &wanted);
	since(at, "memory followed");
	assert_int_equal(plan_make(&h->actual, &wanted, &plan), 0);
	since(at, "planned");
	int err = to.generation == 1 ? apply_sync(h->dp.client, &plan, &to, &h->faults)
				     : apply_delta(h->dp.client, &plan, &h->at, &to, &h->faults);
	assert_int_equal(err, 0);
	assert_int_equal(h->faults.count, 0);
	since(at, "applied");
	unsigned int changes = plan.count;
	plan_fini(&plan);
	objects_fini(&h->actual);
	h->actual = wanted;
	h->at = to;
	return changes;
}

static void desire(struct hub *h, unsigned int generation, uint64_t *at)
{
	char error[DESIRED_ERROR_TEXT];
	char *text = answer(generation);
	*at = cpu_ns();
	int err = desired_merge(&h->desired, text, strlen(text), error);
	if (err != 0)
		fail_msg("%s", error);
	since(at, generation == 1 ? "everything read" : "one change read");
	free(text);
}

static void report(struct hub *h, uint64_t *at)
{
	const struct uuid boot = {{9}};
	struct underlay underlay = {0};
	size_t reports = 0;
	assert_int_equal(report_read(&h->report, h->dp.client, &h->memory), 0);
	since(at, "statistics read");
	while (report_has_news(&h->report)) {
		char *text = report_text(&h->report, &h->desired, 1, &boot, &underlay, &h->faults);
		assert_non_null(text);
		free(text);
		report_note(&h->report, true);
		reports++;
	}
	assert_int_equal(reports, (peers + REPORT_PEERS_MAX - 1) / REPORT_PEERS_MAX);
	since(at, "all reports made");
	assert_int_equal(memory_save(&h->memory, h->dir), 0);
	since(at, "memory saved");
}

static void start(struct hub *h)
{
	(void)strcpy(h->dir, "/tmp/scale.XXXXXX");
	assert_non_null(mkdtemp(h->dir));
	h->actual.complete = true;
	h->stats = calloc(peers, sizeof(*h->stats));
	assert_non_null(h->stats);
	for (unsigned int n = 0; n < peers; n++)
		h->stats[n] = (struct dp_peer_stats){.id = id_of(n + 2),
			.instance = {{0x11}},
			.timestamp = {1},
			.endpoint = {.addr = {{[10] = 0xff, [11] = 0xff, [12] = 192}}, .port = 5}};
	h->dp.stats = h->stats;
	h->dp.stats_count = peers;
	fake_dataplane_start(&h->dp);
	assert_int_equal(memory_load(&h->memory, h->dir), 0);
}

static void stop(struct hub *h)
{
	char file[64];
	(void)snprintf(file, sizeof(file), "%s/peers", h->dir);
	(void)unlink(file);
	(void)rmdir(h->dir);
	fake_dataplane_stop(&h->dp);
	desired_fini(&h->desired);
	objects_fini(&h->actual);
	memory_fini(&h->memory);
	report_fini(&h->report);
	faults_fini(&h->faults);
	free(h->stats);
}

static void all_steps(void)
{
	struct hub h = {0};
	print_message("%u peers\n", peers);
	start(&h);
	uint64_t at = cpu_ns();
	desire(&h, 1, &at);
	unsigned int changes = apply(&h, &at);
	assert_true(changes >= 3 * peers); /* each and its two addresses */
	assert_int_equal(h.dp.taken[DP_MSG_PEER_SET], peers);
	report(&h, &at);
	memory_fini(&h.memory);
	assert_int_equal(memory_load(&h.memory, h.dir), 0);
	assert_int_equal(h.memory.count, peers);
	since(&at, "memory loaded");
	desire(&h, 2, &at);
	assert_int_equal(apply(&h, &at), 1);
	stop(&h);
}

/* The first step that grows with the square, or steps[0]. */
static unsigned int too_slow(void)
{
	unsigned int i = 0;
	while (i < steps[0] && step[1][i].ms <= 3 * step[0][i].ms + NOISE_MS)
		i++;
	return i;
}

static void many_peers(void **state)
{
	unsigned int all = peers, slow = 0;
	for (unsigned int tries = 0; tries < TRIES && (tries == 0 || slow < steps[0]); tries++) {
		for (run = 0; run < 2; run++) {
			peers = run == 0 ? all / 2 : all;
			steps[run] = 0;
			all_steps();
		}
		assert_int_equal(steps[0], steps[1]);
		slow = too_slow();
	}
	if (slow < steps[0])
		fail_msg("%s: %u ms, and %u ms for half of them", step[1][slow].what,
			(unsigned int)step[1][slow].ms, (unsigned int)step[0][slow].ms);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_peers),
	};
	if (argc > 1)
		peers = (unsigned int)strtoul(argv[1], NULL, 10);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
