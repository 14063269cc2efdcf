// SPDX-License-Identifier: Apache-2.0
/*
 * Whole stories: what END deletes, and what a story that is not told to its end leaves alone
 * (reliability-and-security 8.3: C-07 to C-10, C-13, C-26, C-27).
 */
#include "dataplane/api/address.h"
#include "dataplane/api/neighbour.h"
#include "dataplane/api/underlay_route.h"
#include "dataplane/table/tables.h"
#include "dataplane/table/underlay.h"
#include "tests/unit/server/fixture.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct dp_sync_state sync_state(struct dp_client *c)
{
	struct dp_reply reply;
	struct dp_sync_state m;
	assert_int_equal(dp_client_call(c, DP_MSG_SYNC_STATE, NULL, 0, -1, &reply), 0);
	memcpy(&m, reply.payload, sizeof(m));
	return m;
}

/* Instances 1 and 2, peers 1 and 2 in 1, peer 3 in 2, a route to each and one more. */
static void tell_everything(struct dp_client *c)
{
	assert_int_equal(set_instance(c, 1), 0);
	assert_int_equal(set_instance(c, 2), 0);
	assert_int_equal(set_peer(c, 1, 1), 0);
	assert_int_equal(set_peer(c, 2, 1), 0);
	assert_int_equal(set_peer(c, 3, 2), 0);
	assert_int_equal(set_route(c, 1, "10.200.0.2/32", 1), 0);
	assert_int_equal(set_route(c, 1, "10.200.0.3/32", 2), 0);
	assert_int_equal(set_route(c, 2, "10.200.0.2/32", 3), 0);
	assert_int_equal(set_route(c, 1, "10.99.0.0/16", 0), 0);
}

static void test_end_deletes_what_was_not_named(void **state)
{
	struct dp_client *c = fixture_client();
	struct dp_sync_state none = sync_state(c);
	assert_true(uuid_is_zero(&none.epoch));
	assert_int_equal(begin(c, 1, 5), 0);
	tell_everything(c);
	assert_int_equal(end(c, false), 0);
	assert_int_equal(list_length(c, DP_MSG_INSTANCE_LIST), 2);
	assert_int_equal(list_length(c, DP_MSG_PEER_LIST), 3);
	assert_int_equal(list_length(c, DP_MSG_ROUTE_LIST), 4);
	assert_int_equal(sync_state(c).generation, 5);

	assert_int_equal(begin(c, 1, 6), 0);
	assert_int_equal(set_instance(c, 1), 0);
	assert_int_equal(set_peer(c, 2, 1), 0);
	assert_int_equal(set_peer(c, 4, 1), 0);
	assert_int_equal(set_route(c, 1, "10.200.0.3/32", 2), 0);
	assert_int_equal(list_length(c, DP_MSG_PEER_LIST), 4); /* not before END */
	unsigned int retired = fake.retired;
	assert_int_equal(end(c, false), 0);
	assert_int_equal(list_length(c, DP_MSG_INSTANCE_LIST), 1);
	assert_int_equal(list_length(c, DP_MSG_PEER_LIST), 2);
	assert_false(peer_exists(c, 1));
	assert_true(peer_exists(c, 2));
	assert_true(peer_exists(c, 4));
	assert_false(peer_exists(c, 3));
	assert_int_equal(list_length(c, DP_MSG_ROUTE_LIST), 1);
	assert_int_equal(fake.retired, retired + 1); /* one wait for the whole batch */
	assert_int_equal(fake.tuns_deleted, 1);
	assert_int_equal(sync_state(c).generation, 6);
	dp_client_free(c);
}

static void c09_c27_lost_connection_deletes_nothing(void **state)
{
	struct dp_client *c = fixture_client();
	assert_int_equal(begin(c, 1, 5), 0);
	tell_everything(c);
	assert_int_equal(end(c, false), 0);
	assert_int_equal(begin(c, 1, 6), 0);
	assert_int_equal(set_instance(c, 1), 0);
	assert_int_equal(set_peer(c, 4, 1), 0);
	dp_client_free(c);

	c = fixture_client();
	assert_int_equal(list_length(c, DP_MSG_PEER_LIST), 4);
	assert_true(peer_exists(c, 4)); /* what it changed stays */
	assert_int_equal(list_length(c, DP_MSG_ROUTE_LIST), 4);
	assert_int_equal(sync_state(c).generation, 5);
	assert_int_equal(end(c, true), -EINVAL); /* it was the other connection's */
	assert_int_equal(list_length(c, DP_MSG_PEER_LIST), 4);
	dp_client_free(c);
}

static void c10_empty_story_needs_a_word(void **state)
{
	struct dp_client *c = fixture_client();
	assert_int_equal(begin(c, 1, 1), 0);
	assert_int_equal(end(c, false), 0); /* there were none */
	tell_everything(c);
	assert_int_equal(begin(c, 1, 2), 0);
	assert_int_equal(set_instance(c, 1), 0);
	assert_int_equal(end(c, false), -ENOTEMPTY);
	assert_int_equal(list_length(c, DP_MSG_PEER_LIST), 3);
	assert_int_equal(sync_state(c).generation, 1);
	assert_int_equal(end(c, true), -EINVAL); /* it is over */
	assert_int_equal(begin(c, 1, 2), 0);
	assert_int_equal(end(c, true), 0);
	assert_int_equal(list_length(c, DP_MSG_PEER_LIST), 0);
	assert_int_equal(list_length(c, DP_MSG_INSTANCE_LIST), 0);
	dp_client_free(c);
}

static void c07_c08_generations(void **state)
{
	struct dp_client *c = fixture_client();
	struct dp_generation_set m = {.epoch = test_id(1), .after = 0, .generation = 9};
	assert_int_equal(
		dp_client_call(c, DP_MSG_GENERATION_SET, &m, sizeof(m), -1, NULL), -ESTALE);
	assert_int_equal(begin(c, 1, 5), 0);
	assert_int_equal(end(c, true), 0);
	m.after = 4;
	assert_int_equal(
		dp_client_call(c, DP_MSG_GENERATION_SET, &m, sizeof(m), -1, NULL), -ESTALE);
	assert_string_equal(
		dp_client_error(c), "generation_set: delta after generation 4, this is 5");
	m.after = 5;
	assert_int_equal(dp_client_call(c, DP_MSG_GENERATION_SET, &m, sizeof(m), -1, NULL), 0);
	assert_int_equal(sync_state(c).generation, 9);
	assert_int_equal(begin(c, 1, 8), -ESTALE);
	assert_int_equal(begin(c, 1, 9), 0);
	assert_int_equal(begin(c, 2, 1), 0); /* another store counts anew; the first is over */
	assert_int_equal(end(c, true), 0);
	assert_int_equal(sync_state(c).generation, 1);
	dp_client_free(c);
}

static void test_malformed_request_spoils_the_story(void **state)
{
	struct dp_client *c = fixture_client();
	tell_everything(c);
	assert_int_equal(begin(c, 1, 2), 0);
	assert_int_equal(set_instance(c, 1), 0);
	assert_int_equal(set_peer(c, 1, 1), 0);
	/* past the client's own checks */
	struct dp_header h = {.type = DP_MSG_PEER_DEL, .request_id = 0, .payload_len = 0};
	uint8_t datagram[DP_HEADER_LEN];
	dp_header_encode(&h, datagram);
	struct pollfd p = {.fd = dp_client_fd(c), .events = POLLIN};
	assert_int_equal(write(p.fd, datagram, sizeof(datagram)), sizeof(datagram));
	assert_int_equal(poll(&p, 1, 5000), 1);
	assert_int_equal(read(p.fd, datagram, sizeof(datagram)), sizeof(datagram));
	assert_int_equal(end(c, false), -ECANCELED);
	assert_int_equal(list_length(c, DP_MSG_PEER_LIST), 3);
	dp_client_free(c);
}

/* A refused set of something that lives: it stays as it was, also after END. */
static void test_refused_set_counts_as_named(void **state)
{
	struct dp_client *c = fixture_client();
	tell_everything(c);
	assert_int_equal(begin(c, 1, 2), 0);
	struct dp_instance_set moved = test_instance(1);
	moved.number = 3;
	assert_int_equal(
		dp_client_call(c, DP_MSG_INSTANCE_SET, &moved, sizeof(moved), -1, NULL), -EBUSY);
	assert_int_equal(set_instance(c, 2), 0);
	struct dp_peer_set taken = test_peer(1, 1);
	taken.public_key = test_peer(2, 1).public_key;
	assert_int_equal(
		dp_client_call(c, DP_MSG_PEER_SET, &taken, dp_peer_set_size(&taken), -1, NULL),
		-EBUSY);
	assert_int_equal(set_peer(c, 2, 1), 0);
	assert_int_equal(set_peer(c, 3, 2), 0);
	assert_int_equal(end(c, false), 0);
	assert_int_equal(list_length(c, DP_MSG_INSTANCE_LIST), 2);
	assert_int_equal(list_length(c, DP_MSG_PEER_LIST), 3);
	dp_client_free(c);
}

static void c13_contradiction_in_one_story(void **state)
{
	struct dp_client *c = fixture_client();
	tell_everything(c);
	assert_int_equal(set_route(c, 1, "10.200.0.3/32", 1), 0); /* outside: it moves */
	assert_int_equal(begin(c, 1, 2), 0);
	assert_int_equal(set_route(c, 1, "10.200.0.3/32", 2), 0);
	assert_int_equal(set_route(c, 1, "10.200.0.3/32", 2), 0);
	assert_int_equal(set_route(c, 1, "10.200.0.3/32", 1), -EEXIST);
	assert_string_equal(
		dp_client_error(c), "route_set: route 10.200.0.3/32: named twice in one sync");
	dp_client_free(c);
}

static void c26_two_controllers(void **state)
{
	struct dp_client *old = fixture_client(), *new = fixture_client();
	assert_int_equal(begin(old, 1, 1), 0);
	tell_everything(old);
	assert_int_equal(set_peer(new, 9, 1), -EBUSY);
	assert_int_equal(begin(new, 1, 1), 0);
	assert_int_equal(set_peer(old, 8, 1), -ESTALE);
	assert_int_equal(end(old, true), -ESTALE);
	assert_int_equal(begin(old, 1, 2), -ESTALE);
	assert_int_equal(list_length(old, DP_MSG_PEER_LIST), 3); /* it may still look */
	assert_int_equal(set_instance(new, 1), 0);
	assert_int_equal(set_peer(new, 1, 1), 0);
	assert_int_equal(end(new, false), 0);
	assert_int_equal(list_length(new, DP_MSG_PEER_LIST), 1);
	assert_int_equal(set_peer(old, 8, 1), -ESTALE); /* for good */
	dp_client_free(new);
	dp_client_free(old);
}

static int set_underlay(struct dp_client *c, uint8_t last)
{
	struct dp_address_set a = {.prefix = test_prefix("203.0.113.1/24")};
	struct dp_neighbour_set n = {.mac = {2, 2}, .state = DP_NEIGHBOUR_REACHABLE};
	struct dp_underlay_route_set r = {.prefix = test_prefix("0.0.0.0/0")};
	a.prefix.addr.bytes[15] = last;
	n.addr = a.prefix.addr;
	r.gateway = a.prefix.addr;
	int err = dp_client_call(c, DP_MSG_ADDRESS_SET, &a, sizeof(a), -1, NULL);
	if (err == 0)
		err = dp_client_call(c, DP_MSG_NEIGHBOUR_SET, &n, sizeof(n), -1, NULL);
	if (err == 0)
		err = dp_client_call(c, DP_MSG_UNDERLAY_ROUTE_SET, &r, sizeof(r), -1, NULL);
	return err;
}

static void test_underlay_story(void **state)
{
	struct dp_client *c = fixture_client();
	struct dp_sync_begin b = {.scope = DP_SYNC_UNDERLAY};
	struct dp_sync_end e = {.scope = DP_SYNC_UNDERLAY};
	assert_int_equal(set_underlay(c, 1), 0);
	assert_int_equal(set_underlay(c, 2), 0);
	tell_everything(c);
	const struct underlay *u = fixture_tables()->underlay; /* the server is idle */
	assert_int_equal(u->addresses, 2);
	assert_int_equal(u->routes, 1);
	assert_int_equal(dp_client_call(c, DP_MSG_SYNC_BEGIN, &b, sizeof(b), -1, NULL), 0);
	assert_int_equal(set_underlay(c, 2), 0);
	assert_int_equal(dp_client_call(c, DP_MSG_SYNC_END, &e, sizeof(e), -1, NULL), 0);
	assert_int_equal(u->addresses, 1);
	assert_int_equal(u->routes, 1);
	assert_int_equal(list_length(c, DP_MSG_PEER_LIST), 3); /* the other scope is not touched */
	dp_client_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_end_deletes_what_was_not_named, fixture_start, fixture_stop),
		cmocka_unit_test_setup_teardown(
			c09_c27_lost_connection_deletes_nothing, fixture_start, fixture_stop),
		cmocka_unit_test_setup_teardown(
			c10_empty_story_needs_a_word, fixture_start, fixture_stop),
		cmocka_unit_test_setup_teardown(c07_c08_generations, fixture_start, fixture_stop),
		cmocka_unit_test_setup_teardown(
			test_malformed_request_spoils_the_story, fixture_start, fixture_stop),
		cmocka_unit_test_setup_teardown(
			test_refused_set_counts_as_named, fixture_start, fixture_stop),
		cmocka_unit_test_setup_teardown(
			c13_contradiction_in_one_story, fixture_start, fixture_stop),
		cmocka_unit_test_setup_teardown(c26_two_controllers, fixture_start, fixture_stop),
		cmocka_unit_test_setup_teardown(test_underlay_story, fixture_start, fixture_stop),
	};
	return cmocka_run_group_tests(tests, fixture_start_eal, fixture_stop_eal);
}
