// SPDX-License-Identifier: Apache-2.0
/* Of many peers everybody's news are told, once, and only what people are told is news. */
#include "control/node/report.h"

#include "dataplane/base/clock.h"
#include "tests/unit/node/fake_dataplane.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
	PEERS = 3 * REPORT_PEERS_MAX + 1,
};

struct hub {
	struct fake_dataplane dp;
	struct dp_peer_stats stats[PEERS];
	struct report report;
	struct memory memory;
	struct desired desired;
	struct underlay underlay;
	struct faults faults;
};

static struct uuid id_of(unsigned int n)
{
	struct uuid id = {{1, (uint8_t)(n >> 8), (uint8_t)n}};
	return id;
}

static int set_up(void **state)
{
	struct hub *h = calloc(1, sizeof(*h));
	assert_non_null(h);
	for (unsigned int n = 0; n < PEERS; n++)
		h->stats[n] = (struct dp_peer_stats){.id = id_of(n), .instance = {{2}}};
	h->dp.stats = h->stats;
	h->dp.stats_count = PEERS;
	fake_dataplane_start(&h->dp);
	assert_int_equal(report_read(&h->report, h->dp.client, &h->memory), 0);
	*state = h;
	return 0;
}

static int tear_down(void **state)
{
	struct hub *h = *state;
	fake_dataplane_stop(&h->dp);
	report_fini(&h->report);
	memory_fini(&h->memory);
	free(h);
	return 0;
}

/* The next report as JSON; it is taken, or lost. */
static json_t *next(struct hub *h, bool taken)
{
	const struct uuid boot = {{9}};
	char *text = report_text(&h->report, &h->desired, 1, &boot, &h->underlay, &h->faults);
	assert_non_null(text);
	json_t *all = json_loads(text, 0, NULL);
	assert_non_null(all);
	free(text);
	report_note(&h->report, taken);
	return all;
}

static size_t peers_of_next(struct hub *h, bool taken)
{
	json_t *all = next(h, taken);
	size_t count = json_array_size(json_object_get(all, "peers"));
	json_decref(all);
	return count;
}

static void tell_everything(struct hub *h)
{
	for (unsigned int i = 0; report_has_news(&h->report); i++) {
		assert_true(i < PEERS / REPORT_PEERS_MAX + 1);
		assert_true(peers_of_next(h, true) > 0);
	}
}

static void each_once(void **state)
{
	struct hub *h = *state;
	size_t told = 0;
	while (report_has_news(&h->report))
		told += peers_of_next(h, true);
	assert_int_equal(told, PEERS);
	assert_int_equal(peers_of_next(h, true), 0);
}

static void a_lost_report_is_told_again(void **state)
{
	struct hub *h = *state;
	tell_everything(h);
	h->stats[7].rx_packets++;
	assert_int_equal(report_read(&h->report, h->dp.client, &h->memory), 0);
	assert_int_equal(peers_of_next(h, false), 1);
	assert_true(report_has_news(&h->report));
	assert_int_equal(peers_of_next(h, true), 1);
	assert_false(report_has_news(&h->report));
}

/* All change between any two reports: the last one's turn comes all the same. */
static void nobody_starves(void **state)
{
	struct hub *h = *state;
	bool told[PEERS] = {false};
	for (unsigned int round = 0; round < PEERS / REPORT_PEERS_MAX + 1; round++) {
		for (unsigned int n = 0; n < PEERS; n++)
			h->stats[n].rx_packets++;
		assert_int_equal(report_read(&h->report, h->dp.client, &h->memory), 0);
		json_t *all = next(h, true), *one;
		size_t i;
		json_array_foreach(json_object_get(all, "peers"), i, one)
		{
			struct uuid id;
			assert_int_equal(
				uuid_parse(json_string_value(json_object_get(one, "id")), &id), 0);
			told[id.bytes[1] << 8 | id.bytes[2]] = true;
		}
		json_decref(all);
	}
	for (unsigned int n = 0; n < PEERS; n++)
		assert_true(told[n]);
}

static void jitter_is_no_news(void **state)
{
	struct hub *h = *state;
	for (unsigned int n = 0; n < PEERS; n++)
		h->stats[n].last_rx_ns = 1000 * NS_PER_SEC;
	assert_int_equal(report_read(&h->report, h->dp.client, &h->memory), 0);
	tell_everything(h);
	for (unsigned int n = 0; n < PEERS; n++)
		h->stats[n].last_rx_ns -= n % 2 == 0 ? 1 : NS_PER_MS;
	assert_int_equal(report_read(&h->report, h->dp.client, &h->memory), 0);
	assert_false(report_has_news(&h->report));
	h->stats[3].last_rx_ns += 2 * NS_PER_SEC;
	assert_int_equal(report_read(&h->report, h->dp.client, &h->memory), 0);
	assert_int_equal(peers_of_next(h, true), 1);
}

static void events_are_news(void **state)
{
	struct hub *h = *state;
	struct dp_event moved = {.type = DP_EVENT_ENDPOINT_MOVED, .peer = id_of(5)},
			failed = {.type = DP_EVENT_HANDSHAKE_FAILED,
				.peer = id_of(6),
				.failure = DP_FAILURE_OLD_TIMESTAMP,
				.at_ns = 5 * NS_PER_SEC},
			nobody = {.type = DP_EVENT_PEER_SEEN, .peer = {{77}}};
	assert_int_equal(ip_endpoint_parse("192.0.2.1:5", &moved.endpoint), 0);
	tell_everything(h);
	report_take_event(&h->report, &nobody, &h->memory);
	assert_false(report_has_news(&h->report));
	report_take_event(&h->report, &moved, &h->memory);
	report_take_event(&h->report, &failed, &h->memory);
	json_t *all = next(h, true), *peers = json_object_get(all, "peers");
	assert_int_equal(json_array_size(peers), 2);
	const json_t *first = json_array_get(peers, 0);
	assert_string_equal(json_string_value(json_object_get(first, "endpoint")), "192.0.2.1:5");
	const json_t *failure = json_object_get(json_array_get(peers, 1), "last_failure");
	assert_string_equal(json_string_value(json_object_get(failure, "reason")), "old_timestamp");
	assert_int_equal(json_integer_value(json_object_get(failure, "at")), 5);
	json_decref(all);
}

/* It is told to people, but nobody calls WireGuard there after a restart. */
static void an_event_of_openvpn_leaves_no_endpoint(void **state)
{
	struct hub *h = *state;
	struct dp_event moved = {.type = DP_EVENT_ENDPOINT_MOVED, .peer = id_of(5)};
	assert_int_equal(ip_endpoint_parse("192.0.2.1:5", &moved.endpoint), 0);
	struct memory_entry entry = {.peer = id_of(5)};
	struct memory memory = {.entry = &entry, .count = 1};
	tell_everything(h);
	moved.protocol = DP_PROTOCOL_OPENVPN;
	report_take_event(&h->report, &moved, &memory);
	assert_int_equal(entry.endpoint.port, 0);
	moved.protocol = DP_PROTOCOL_WIREGUARD;
	report_take_event(&h->report, &moved, &memory);
	assert_true(ip_endpoint_equal(&entry.endpoint, &moved.endpoint));
}

/* An operator wants to know by how much a clock is wrong. */
static void a_failure_has_its_detail(void **state)
{
	struct hub *h = *state;
	tell_everything(h);
	h->stats[4].last_failure = DP_FAILURE_OLD_TIMESTAMP;
	h->stats[4].last_failure_ns = 9 * NS_PER_SEC;
	h->stats[4].last_failure_clock_s = 86400;
	assert_int_equal(report_read(&h->report, h->dp.client, &h->memory), 0);
	json_t *all = next(h, true);
	const json_t *failure =
		json_object_get(json_array_get(json_object_get(all, "peers"), 0), "last_failure");
	assert_string_equal(json_string_value(json_object_get(failure, "reason")), "old_timestamp");
	assert_int_equal(json_integer_value(json_object_get(failure, "detail")), 86400);
	json_decref(all);
}

static const char *text_of_first(const json_t *all, const char *name)
{
	const json_t *peer = json_array_get(json_object_get(all, "peers"), 0);
	assert_non_null(json_object_get(peer, name));
	return json_string_value(json_object_get(peer, name));
}

/* With a fallback, which of them it is now; and that it changed is news. */
static void a_peer_speaks_one_protocol(void **state)
{
	static const char *const names[DP_PROTOCOL__COUNT] = {NULL, "wireguard", "openvpn"};
	struct hub *h = *state;
	tell_everything(h);
	for (unsigned int n = DP_PROTOCOL__COUNT; n-- > 0;) {
		h->stats[4].protocol = (uint8_t)n;
		assert_int_equal(report_read(&h->report, h->dp.client, &h->memory), 0);
		assert_true(report_has_news(&h->report));
		json_t *all = next(h, true);
		const char *name = text_of_first(all, "protocol_in_use");
		if (names[n] == NULL)
			assert_null(name);
		else
			assert_string_equal(name, names[n]);
		json_decref(all);
	}
}

static void openvpn_fails_by_name(void **state)
{
	static const char *const names[] = {"openvpn_timeout", "openvpn_tls", "openvpn_certificate",
		"openvpn_password", "openvpn_cipher", "openvpn_options"};
	struct hub *h = *state;
	tell_everything(h);
	for (unsigned int n = 0; n < sizeof(names) / sizeof(names[0]); n++) {
		h->stats[4].last_failure = (uint8_t)(DP_FAILURE_OPENVPN_TIMEOUT + n);
		h->stats[4].last_failure_ns = 9 * NS_PER_SEC;
		assert_int_equal(report_read(&h->report, h->dp.client, &h->memory), 0);
		json_t *all = next(h, true);
		const json_t *failure = json_object_get(
			json_array_get(json_object_get(all, "peers"), 0), "last_failure");
		assert_string_equal(
			json_string_value(json_object_get(failure, "reason")), names[n]);
		json_decref(all);
	}
}

/* A counter that this program never heard of goes through to whoever asks. */
static void counters_pass(void **state)
{
	json_t *all = next(*state, true);
	const json_t *counters = json_object_get(all, "counters");
	assert_int_equal(json_integer_value(json_object_get(counters, "made_up_tomorrow")), 7);
	json_decref(all);
}

static void many_are_read_less_often(void **state)
{
	struct report few = {.peers = 100}, many = {.peers = 100000};
	assert_int_equal(report_period_ms(&few), REPORT_PERIOD_MS);
	assert_true(report_period_ms(&many) >= 20 * report_period_ms(&few));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_once),
		TEST(a_lost_report_is_told_again),
		TEST(nobody_starves),
		TEST(jitter_is_no_news),
		TEST(events_are_news),
		TEST(a_failure_has_its_detail),
		TEST(a_peer_speaks_one_protocol),
		TEST(an_event_of_openvpn_leaves_no_endpoint),
		TEST(openvpn_fails_by_name),
		TEST(counters_pass),
		cmocka_unit_test(many_are_read_less_often),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
