// SPDX-License-Identifier: Apache-2.0
/* What is remembered of a peer comes back in the next run, whatever became of the file meanwhile. */
#include "control/node/memory.h"

#include "control/node/apply.h"
#include "tests/unit/node/fake_dataplane.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum {
	PEERS = 5,
};

struct place {
	char dir[32], file[64];
	struct desired_peer peer[PEERS];
	struct desired desired;
};

static int set_up(void **state)
{
	struct place *p = calloc(1, sizeof(*p));
	assert_non_null(p);
	(void)strcpy(p->dir, "/tmp/memory.XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	(void)snprintf(p->file, sizeof(p->file), "%s/peers", p->dir);
	for (unsigned int n = 0; n < PEERS; n++) {
		p->peer[n].id.bytes[0] = (uint8_t)(n + 1);
		p->peer[n].public_key.bytes[0] = (uint8_t)(n + 1);
	}
	p->desired = (struct desired){.known = true, .peer = p->peer, .peers = PEERS};
	*state = p;
	return 0;
}

static int tear_down(void **state)
{
	struct place *p = *state;
	(void)unlink(p->file);
	assert_int_equal(rmdir(p->dir), 0); /* nothing else lies there */
	free(p);
	return 0;
}

/* A run of the node begins. */
static struct memory begin(const struct place *p)
{
	struct memory m;
	assert_int_equal(memory_load(&m, p->dir), 0);
	assert_int_equal(memory_follow(&m, &p->desired), 0);
	return m;
}

static void note(struct memory *m, unsigned int n, const char *endpoint, uint8_t timestamp)
{
	struct dp_peer_stats s = {.id = {{(uint8_t)(n + 1)}}, .timestamp = {timestamp}};
	if (endpoint != NULL)
		assert_int_equal(ip_endpoint_parse(endpoint, &s.endpoint), 0);
	memory_note(m, &s);
}

static void save(const struct place *p, struct memory *m)
{
	assert_int_equal(memory_save(m, p->dir), 0);
}

/* What the dataplane would be given for a peer. */
static void assert_given(
	const struct memory *m, unsigned int n, const char *endpoint, uint8_t timestamp)
{
	struct dp_peer_set set = {.id = {{(uint8_t)(n + 1)}},
		.public_key = {{(uint8_t)(n + 1)}},
		.allowed_count = DP_ALLOWED_ALL};
	struct objects o = {0};
	char text[IP_ENDPOINT_TEXT] = "";
	assert_int_equal(objects_add_peer(&o, &set), 0);
	memory_apply(m, &o);
	if (o.peer[0]->endpoint.port != 0)
		(void)ip_endpoint_format(&o.peer[0]->endpoint, text);
	assert_string_equal(text, endpoint);
	assert_int_equal(o.peer[0]->timestamp[0], timestamp);
	objects_fini(&o);
}

static long size_of(const char *path)
{
	FILE *f = fopen(path, "re");
	assert_non_null(f);
	assert_int_equal(fseek(f, 0, SEEK_END), 0);
	long size = ftell(f);
	(void)fclose(f);
	return size;
}

static void append(const struct place *p, const char *text)
{
	FILE *f = fopen(p->file, "ae");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void comes_back(void **state)
{
	const struct place *p = *state;
	struct memory m = begin(p);
	note(&m, 0, "192.0.2.1:1000", 5);
	note(&m, 3, "[2001:db8::1]:2000", 0);
	save(p, &m);
	note(&m, 0, "192.0.2.9:1001", 6);
	note(&m, 0, NULL, 4); /* a dataplane that knows less takes nothing away */
	save(p, &m);
	memory_fini(&m);
	m = begin(p);
	assert_given(&m, 0, "192.0.2.9:1001", 6);
	assert_given(&m, 1, "", 0);
	assert_given(&m, 3, "[2001:db8::1]:2000", 0);
	memory_fini(&m);
}

/* A hub with many peers must not write them all when one has moved; nor fill the disk. */
static void grows_by_what_changed(void **state)
{
	const struct place *p = *state;
	struct memory m = begin(p);
	for (unsigned int n = 0; n < PEERS; n++)
		note(&m, n, "192.0.2.1:1000", 1);
	save(p, &m);
	long whole = size_of(p->file), line = whole / PEERS;
	note(&m, 2, "192.0.2.1:1001", 2);
	save(p, &m);
	assert_int_equal(size_of(p->file), whole + line);
	save(p, &m); /* nothing changed */
	assert_int_equal(size_of(p->file), whole + line);
	for (unsigned int i = 0; i < 1100; i++) {
		note(&m, 2, i % 2 == 0 ? "192.0.2.1:1002" : "192.0.2.1:1003", 2);
		save(p, &m);
		assert_true(size_of(p->file) < line * 1050);
	}
	memory_fini(&m);
	m = begin(p);
	assert_given(&m, 2, "192.0.2.1:1003", 2);
	assert_given(&m, 4, "192.0.2.1:1000", 1);
	memory_fini(&m);
}

/* The power failed in the middle of a line. */
static void a_torn_line_is_none(void **state)
{
	const struct place *p = *state;
	struct memory m = begin(p);
	note(&m, 0, "192.0.2.1:1000", 5);
	save(p, &m);
	memory_fini(&m);
	append(p,
		"01000000-0000-0000-0000-000000000000 AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
		" 192.0.2.7:7 090000000000000000000000 0");
	m = begin(p);
	assert_given(&m, 0, "192.0.2.1:1000", 5);
	note(&m, 1, "192.0.2.2:1000", 6);
	save(p, &m); /* not behind the torn one */
	memory_fini(&m);
	m = begin(p);
	assert_given(&m, 0, "192.0.2.1:1000", 5);
	assert_given(&m, 1, "192.0.2.2:1000", 6);
	memory_fini(&m);
}

static void nonsense_is_none(void **state)
{
	const struct place *p = *state;
	append(p, "hello\n\n \n01000000-0000-0000-0000-000000000000 - - - -\n");
	struct memory m = begin(p);
	assert_given(&m, 0, "", 0);
	memory_fini(&m);
}

/* Another key is another machine: its clock has nothing to do with the old one's. */
static void another_key_starts_anew(void **state)
{
	struct place *p = *state;
	struct memory m = begin(p);
	note(&m, 1, "192.0.2.1:1000", 5);
	save(p, &m);
	p->peer[1].public_key.bytes[0] = 77;
	assert_int_equal(memory_follow(&m, &p->desired), 0);
	assert_given(&m, 1, "", 0);
	save(p, &m);
	memory_fini(&m);
	p->peer[1].public_key.bytes[0] = 2; /* and back */
	m = begin(p);
	assert_given(&m, 1, "", 0);
	memory_fini(&m);
}

/* What its hub of before has seen is a replay here; what we have seen ourselves counts for more. */
static void a_peer_comes_from_another_hub(void **state)
{
	struct place *p = *state;
	p->peer[1].timestamp[0] = 7;
	p->peer[1].timestamp_reset = 2;
	struct memory m = begin(p);
	assert_given(&m, 1, "", 7);
	save(p, &m);
	memory_fini(&m);
	m = begin(p);
	note(&m, 1, "192.0.2.1:1000", 9);
	assert_int_equal(memory_follow(&m, &p->desired), 0);
	assert_given(&m, 1, "192.0.2.1:1000", 9);
	memory_fini(&m);
}

static void who_is_not_wanted_is_forgotten(void **state)
{
	struct place *p = *state;
	struct memory m = begin(p);
	note(&m, 1, "192.0.2.1:1000", 5);
	note(&m, 4, "192.0.2.1:1000", 5);
	p->desired.peers = 3;
	assert_int_equal(memory_follow(&m, &p->desired), 0);
	assert_given(&m, 1, "192.0.2.1:1000", 5);
	assert_given(&m, 4, "", 0);
	note(&m, 4, "192.0.2.1:1000", 5); /* the dataplane still has it for a moment */
	assert_given(&m, 4, "", 0);
	memory_fini(&m);
}

/* The hub cannot call where OpenVPN called from; WireGuard's endpoint from before stays. */
static void openvpn_leaves_no_endpoint(void **state)
{
	const struct place *p = *state;
	struct memory m = begin(p);
	struct dp_peer_stats s = {.id = {{1}}, .protocol = DP_PROTOCOL_OPENVPN};
	note(&m, 0, "192.0.2.1:1000", 5);
	assert_int_equal(ip_endpoint_parse("192.0.2.7:40000", &s.endpoint), 0);
	memory_note(&m, &s);
	assert_given(&m, 0, "192.0.2.1:1000", 5);
	s.protocol = DP_PROTOCOL_WIREGUARD;
	memory_note(&m, &s);
	assert_given(&m, 0, "192.0.2.7:40000", 5);
	memory_fini(&m);
}

/* While it speaks OpenVPN alone its memory rests: an old initiation stays a replay afterwards. */
static void a_peer_without_key_is_given_nothing(void **state)
{
	const struct place *p = *state;
	struct memory m = begin(p);
	struct dp_peer_set set = {.id = {{1}}, .has_openvpn = 1};
	struct objects o = {0};
	note(&m, 0, "192.0.2.1:1000", 5);
	assert_int_equal(objects_add_peer(&o, &set), 0);
	memory_apply(&m, &o);
	assert_int_equal(o.peer[0]->endpoint.port, 0);
	assert_int_equal(o.peer[0]->timestamp[0], 0);
	objects_fini(&o);
	assert_given(&m, 0, "192.0.2.1:1000", 5);
	memory_fini(&m);
}

/* Once, in whatever run; and then nobody brings the forgotten timestamp back. */
static void a_reset_is_followed_once(void **state)
{
	struct place *p = *state;
	struct fake_dataplane dp = {0};
	struct faults faults = {0};
	struct memory m = begin(p);
	fake_dataplane_start(&dp);
	note(&m, 1, "192.0.2.1:1000", 5);
	note(&m, 2, "192.0.2.1:1000", 5);
	assert_int_equal(apply_resets(dp.client, &p->desired, &m, &faults), 0);
	assert_int_equal(dp.taken[DP_MSG_PEER_RESET], 0);
	p->peer[1].timestamp_reset = 3;
	for (unsigned int run = 0; run < 3; run++) {
		assert_int_equal(memory_follow(&m, &p->desired), 0);
		assert_given(&m, 1, "192.0.2.1:1000", run == 0 ? 0 : 2);
		assert_given(&m, 2, "192.0.2.1:1000", 5);
		assert_int_equal(apply_resets(dp.client, &p->desired, &m, &faults), 0);
		assert_int_equal(dp.taken[DP_MSG_PEER_RESET], 1);
		note(&m, 1, NULL, 2); /* its clock is right now */
		save(p, &m);
		memory_fini(&m);
		m = begin(p);
	}
	p->peer[3].timestamp_reset = 1; /* whoever speaks OpenVPN alone has none */
	p->peer[3].protocol = DESIRED_OPENVPN;
	assert_int_equal(apply_resets(dp.client, &p->desired, &m, &faults), 0);
	assert_int_equal(dp.taken[DP_MSG_PEER_RESET], 1);
	assert_int_equal(m.entry[3].reset, 1);
	fake_dataplane_stop(&dp);
	memory_fini(&m);
	faults_fini(&faults);
}

static uint64_t called_s(const struct memory *m)
{
	struct dp_peer_set set = {.id = {{1}}, .allowed_count = DP_ALLOWED_ALL};
	struct objects o = {0};
	assert_int_equal(objects_add_peer(&o, &set), 0);
	memory_apply(m, &o);
	uint64_t s = o.peer[0]->called_s;
	objects_fini(&o);
	return s;
}

/* However early a new dataplane finds the clock: it begins after all that the ones before it sent. */
static void the_clock_may_go_back(void **state)
{
	const struct place *p = *state;
	struct memory m = begin(p);
	memory_new_dataplane(&m);
	assert_true(called_s(&m) == 0); /* the first of all */
	for (uint64_t now = 1000000; now < 1001000; now++) {
		memory_clock(&m, now);
		save(p, &m);
		struct memory after = begin(p);
		memory_new_dataplane(&after);
		assert_true(called_s(&after) > now && called_s(&after) < now + 180);
		memory_fini(&after);
	}
	long size = size_of(p->file);
	assert_true(size < 400); /* not a line each time */
	uint64_t before = 0;
	for (unsigned int run = 0; run < 3; run++) {
		memory_new_dataplane(&m);
		memory_clock(&m, 5000);
		assert_true(called_s(&m) > before);
		before = called_s(&m);
		save(p, &m);
		memory_fini(&m);
		append(p, "clock 9999999999"); /* cut short */
		m = begin(p);
	}
	memory_fini(&m);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(comes_back),
		TEST(grows_by_what_changed),
		TEST(a_torn_line_is_none),
		TEST(nonsense_is_none),
		TEST(another_key_starts_anew),
		TEST(openvpn_leaves_no_endpoint),
		TEST(a_peer_without_key_is_given_nothing),
		TEST(a_reset_is_followed_once),
		TEST(the_clock_may_go_back),
		TEST(a_peer_comes_from_another_hub),
		TEST(who_is_not_wanted_is_forgotten),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
