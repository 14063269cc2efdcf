// SPDX-License-Identifier: Apache-2.0
/* The control daemon's answer: taken whole or not at all; and what becomes of it. */
#include "control/node/desired.h"

#include "control/node/egress.h"
#include "control/node/objects.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define KEY "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE="
#define INSTANCE_ID "11111111-1111-4111-8111-111111111111"
#define PEER_ID "22222222-1111-4111-8111-111111111111"
#define INSTANCE                                                                                 \
	"{\"id\":\"" INSTANCE_ID "\",\"number\":1,\"wireguard\":{\"private_key\":\"" KEY         \
	"\",\"port\":51820},\"addresses\":{\"ipv4\":\"10.200.0.1/20\",\"ipv6\":\"fd12::1/64\"}," \
	"\"mtu\":1420,\"access\":{\"site_to_site\":true,\"client_to_site\":true,"                \
	"\"client_to_client\":false},\"egress\":{\"ipv4\":true,\"ipv6\":true}}"
#define PEER                                                                            \
	"{\"id\":\"" PEER_ID "\",\"instance_id\":\"" INSTANCE_ID                        \
	"\",\"type\":\"site\",\"public_key\":\"" KEY                                    \
	"\",\"preshared_key\":null,\"route_all\":false,\"keepalive\":25,"               \
	"\"addresses\":[\"10.200.0.2\",\"fd12::2\"],\"subnets\":[\"192.168.10.0/24\"]," \
	"\"allowed_destinations\":null,\"expires_at\":null,\"endpoint\":null}"
#define HEAD(generation, full)                                                           \
	"{\"epoch\":\"33333333-1111-4111-8111-111111111111\",\"generation\":" generation \
	",\"full\":" full ",\"instances\":["
#define WHOLE HEAD("5", "true") INSTANCE "],\"peers\":[" PEER "],\"deleted\":[]}"

static int merge(struct desired *d, const char *json)
{
	char error[DESIRED_ERROR_TEXT] = "";
	int err = desired_merge(d, json, strlen(json), error);
	if (err == -EINVAL)
		assert_true(error[0] != '\0'); /* says what */
	return err;
}

static void whole_and_delta(void **state)
{
	struct desired d = {0};
	assert_int_equal(merge(&d, WHOLE), 0);
	assert_true(d.known);
	assert_int_equal(d.generation, 5);
	assert_int_equal(d.instances, 1);
	assert_int_equal(d.peers, 1);
	assert_int_equal(
		merge(&d,
			HEAD("6", "false") "],\"peers\":[],\"deleted\":[{\"kind\":\"peer\","
					   "\"id\":\"" PEER_ID "\"}]}"),
		0);
	assert_int_equal(d.generation, 6);
	assert_int_equal(d.peers, 0);
	assert_int_equal(d.instances, 1);
	/* an instance takes its peers along */
	assert_int_equal(merge(&d, WHOLE), 0);
	assert_int_equal(
		merge(&d,
			HEAD("7", "false") "],\"peers\":[],\"deleted\":[{\"kind\":\"instance\","
					   "\"id\":\"" INSTANCE_ID "\"}]}"),
		0);
	assert_int_equal(d.instances, 0);
	assert_int_equal(d.peers, 0);
	desired_fini(&d);
}

/* WHOLE with one piece replaced. */
static char *with(const char *what, const char *by)
{
	const char *at = strstr(WHOLE, what);
	char *text;
	assert_non_null(at);
	assert_true(
		asprintf(&text, "%.*s%s%s", (int)(at - WHOLE), WHOLE, by, at + strlen(what)) > 0);
	return text;
}

static void refused_whole(void **state)
{
	static const char *const wrong[][2] = {
		{"\"number\":1", "\"number\":0"},
		{"\"number\":1", "\"number\":65536"},
		{"\"number\":1", "\"number\":\"1\""},
		{"\"port\":51820", "\"port\":0"},
		{"\"port\":51820", "\"port\":65536"},
		{"\"mtu\":1420", "\"mtu\":100"},
		{"\"mtu\":1420", "\"mtu\":70000"},
		{"\"private_key\":\"" KEY, "\"private_key\":\"x"},
		{"10.200.0.1/20", "10.200.0.1"},
		{"\"site_to_site\":true", "\"site_to_site\":1"},
		{"\"type\":\"site\"", "\"type\":\"thing\""},
		{"\"public_key\":\"" KEY "\"", "\"public_key\":null"},
		{"10.200.0.2", "10.200.0.2/32"},
		{"192.168.10.0/24", "hello"},
		{"10.200.0.1/20", "fd13::1/64"},
		{"\"keepalive\":25", "\"keepalive\":-1"},
		{"\"keepalive\":25", "\"keepalive\":65536"},
		{"\"expires_at\":null", "\"expires_at\":\"soon\""},
		{"\"expires_at\":null", "\"timestamp_reset\":-1"},
		{"\"expires_at\":null", "\"timestamp_reset\":\"3\""},
		{"\"peers\":[" PEER, "\"peers\":[" PEER "," PEER},
		{"\"generation\":5", "\"generation\":-5"},
		{"\"full\":true", "\"full\":null"},
		{"\"deleted\":[]", "\"deleted\":[{\"kind\":\"moon\",\"id\":\"" PEER_ID "\"}]"},
		{"\"deleted\":[]}", "\"deleted\":[]"},
	};
	for (size_t n = 0; n < sizeof(wrong) / sizeof(wrong[0]); n++) {
		struct desired d = {0};
		char *text = with(wrong[n][0], wrong[n][1]);
		if (merge(&d, text) != -EINVAL)
			fail_msg("%s was taken", wrong[n][1]);
		assert_false(d.known);
		free(text);
	}
}

static void a_reset_is_read(void **state)
{
	struct desired d = {0};
	assert_int_equal(merge(&d, WHOLE), 0);
	assert_int_equal(d.peer[0].timestamp_reset, 0);
	char *text = with("\"expires_at\":null", "\"timestamp_reset\":3");
	assert_int_equal(merge(&d, text), 0);
	assert_int_equal(d.peer[0].timestamp_reset, 3);
	free(text);
	desired_fini(&d);
}

/* A refused answer leaves what was there. */
static void a_refusal_changes_nothing(void **state)
{
	struct desired d = {0};
	assert_int_equal(merge(&d, WHOLE), 0);
	char *text = with("\"keepalive\":25", "\"keepalive\":true");
	assert_int_equal(merge(&d, text), -EINVAL);
	assert_int_equal(d.peers, 1);
	assert_int_equal(d.peer[0].keepalive, 25);
	free(text);
	desired_fini(&d);
}

static const struct dp_route_set *route_to(const struct objects *o, const char *text)
{
	struct ip_prefix p;
	assert_int_equal(ip_prefix_parse(text, &p), 0);
	for (unsigned int n = 0; n < o->routes; n++) {
		if (ip_prefix_equal(&o->route[n].prefix, &p))
			return &o->route[n];
	}
	return NULL;
}

static void becomes_objects(void **state)
{
	struct desired d = {0};
	struct hub_state hub = {.egress4 = true};
	struct objects o;
	assert_int_equal(merge(&d, WHOLE), 0);
	assert_int_equal(objects_from_desired(&d, &hub, &o), 0);
	assert_int_equal(o.instances, 1);
	assert_int_equal(o.instance[0].flags,
		DP_INSTANCE_SITE_TO_SITE | DP_INSTANCE_CLIENT_TO_SITE | DP_INSTANCE_EGRESS_V4);
	assert_int_equal(route_to(&o, "10.200.0.1/32")->target, DP_ROUTE_HOST);
	assert_int_equal(route_to(&o, "fd12::1/128")->target, DP_ROUTE_HOST);
	assert_int_equal(route_to(&o, "10.200.0.0/20")->target, DP_ROUTE_DROP);
	assert_int_equal(route_to(&o, "fd12::/64")->target, DP_ROUTE_DROP);
	assert_int_equal(route_to(&o, "10.200.0.2/32")->target, DP_ROUTE_PEER);
	assert_int_equal(route_to(&o, "192.168.10.0/24")->target, DP_ROUTE_PEER);
	assert_int_equal(route_to(&o, "0.0.0.0/0")->target, DP_ROUTE_EGRESS);
	assert_null(route_to(&o, "::/0")); /* the hub has no way out for it */
	for (unsigned int n = 0; n < o.routes; n++) {
		const char *reason = NULL;
		assert_int_equal(dp_route_set_check(
					 (const uint8_t *)&o.route[n], sizeof(o.route[n]), &reason),
			0);
	}
	objects_fini(&o);
	desired_fini(&d);
}

/* One route a prefix: the site's, not the hub's own way out. */
static void a_site_may_be_the_way_out(void **state)
{
	struct desired d = {0};
	struct hub_state hub = {.egress4 = true, .egress6 = true};
	struct objects o;
	char *text = with("192.168.10.0/24", "0.0.0.0/0");
	assert_int_equal(merge(&d, text), 0);
	free(text);
	assert_int_equal(objects_from_desired(&d, &hub, &o), 0);
	assert_int_equal(route_to(&o, "0.0.0.0/0")->target, DP_ROUTE_PEER);
	assert_int_equal(route_to(&o, "::/0")->target, DP_ROUTE_EGRESS);
	for (unsigned int n = 1; n < o.routes; n++)
		assert_true(objects_compare_route(&o.route[n - 1], &o.route[n]) < 0);
	objects_fini(&o);
	desired_fini(&d);
}

/* The rule set as it was tried with nft; two instances. */
static void rules_have_zones_and_no_way_between(void **state)
{
	static const struct node_config config = {.port = {{.tap = "nave0"}}, .ports = 1};
	static const uint32_t numbers[] = {1, 7};
	char *text = egress_rules(&config, numbers, 2);
	assert_non_null(text);
	assert_non_null(
		strstr(text, "{\"delete\":{\"table\":{\"family\":\"inet\",\"name\":\"nave\"}}}"));
	assert_non_null(strstr(text, "\"set\":[[\"nave1\",1],[\"nave7\",7]]"));
	assert_non_null(strstr(text, "{\"key\":\"zone\",\"dir\":\"original\"}"));
	assert_non_null(strstr(text, "\"range\":[16384,32767]"));
	assert_non_null(strstr(text, "\"hook\":\"forward\",\"prio\":0,\"policy\":\"drop\""));
	free(text);
	text = egress_rules(&config, NULL, 0);
	assert_non_null(strstr(text, "\"policy\":\"drop\""));
	assert_null(strstr(text, "masquerade"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_and_delta),
		cmocka_unit_test(refused_whole),
		cmocka_unit_test(a_reset_is_read),
		cmocka_unit_test(a_refusal_changes_nothing),
		cmocka_unit_test(becomes_objects),
		cmocka_unit_test(a_site_may_be_the_way_out),
		cmocka_unit_test(rules_have_zones_and_no_way_between),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
