// SPDX-License-Identifier: Apache-2.0
/* Peer ids of OpenVPN: who has one, how late it comes back, and who is found by an address. */
#include "dataplane/table/tunnel.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct tunnel_table *t;
static struct tunnel a, b, c;

static int start(void **state)
{
	memset(&a, 0, sizeof(a));
	memset(&b, 0, sizeof(b));
	memset(&c, 0, sizeof(c));
	return tunnel_table_new(&t);
}

static int end(void **state)
{
	tunnel_table_free(t);
	return 0;
}

static void an_id_is_found_until_it_is_unlinked(void **state)
{
	assert_int_equal(tunnel_publish(t, &a), 0);
	assert_int_equal(tunnel_publish(t, &b), 0);
	assert_int_not_equal(a.id & TUNNEL_SLOT_MASK, b.id & TUNNEL_SLOT_MASK);
	assert_ptr_equal(tunnel_lookup(t, a.id), &a);
	assert_ptr_equal(tunnel_lookup(t, b.id), &b);
	tunnel_unlink(t, &a);
	assert_null(tunnel_lookup(t, a.id));
	assert_ptr_equal(tunnel_lookup(t, b.id), &b);
	assert_int_equal(t->count, 1);
	tunnel_unlink(t, &b);
	assert_int_equal(t->count, 0);
}

/* All slots come before one comes again, and then it has another generation. */
static void an_id_comes_back_late(void **state)
{
	assert_int_equal(tunnel_publish(t, &a), 0);
	uint32_t first = a.id;
	tunnel_unlink(t, &a);
	for (uint32_t n = 0; n + 1 < TUNNEL_SLOT_MASK; n++) {
		assert_int_equal(tunnel_publish(t, &a), 0);
		assert_int_not_equal(a.id & TUNNEL_SLOT_MASK, first & TUNNEL_SLOT_MASK);
		tunnel_unlink(t, &a);
	}
	assert_int_equal(tunnel_publish(t, &a), 0);
	assert_int_equal(a.id & TUNNEL_SLOT_MASK, first & TUNNEL_SLOT_MASK);
	assert_int_not_equal(a.id, first);
	tunnel_unlink(t, &a);
}

/* "undefined" on the wire is nobody's, in any generation. */
static void no_id_is_undefined(void **state)
{
	for (uint32_t n = 0; n < 130U << TUNNEL_SLOTS_LOG2 >> 6; n++) {
		t->next = n % 2 == 0 ? TUNNEL_SLOT_MASK : n;
		t->generation[0] = 126;
		assert_int_equal(tunnel_publish(t, &a), 0);
		assert_true(a.id < DATA_NO_PEER_ID);
		assert_int_not_equal(a.id & TUNNEL_SLOT_MASK, TUNNEL_SLOT_MASK);
		tunnel_unlink(t, &a);
	}
}

static void a_full_table_refuses(void **state)
{
	t->count = TUNNEL_SLOT_MASK;
	assert_int_equal(tunnel_publish(t, &a), -ENOSPC);
	t->count--;
	t->slot[0] = &b; /* the slots that are taken are gone by */
	t->slot[1] = &c;
	assert_int_equal(tunnel_publish(t, &a), 0);
	assert_int_equal(a.id & TUNNEL_SLOT_MASK, 2);
	assert_int_equal(tunnel_publish(t, &b), -ENOSPC);
}

static void set_address(struct tunnel *at, const char *remote, uint16_t local_port)
{
	assert_int_equal(ip_endpoint_parse(remote, &at->remote), 0);
	at->local_port = local_port;
	assert_int_equal(tunnel_publish(t, at), 0);
}

static void an_address_is_whole(void **state)
{
	struct ip_endpoint other;
	set_address(&a, "198.51.100.7:4500", 1194);
	assert_ptr_equal(tunnel_find_address(t, &a.remote, 1194), &a);
	assert_null(tunnel_find_address(t, &a.remote, 1195));
	assert_int_equal(ip_endpoint_parse("198.51.100.7:4501", &other), 0);
	assert_null(tunnel_find_address(t, &other, 1194));
	assert_int_equal(ip_endpoint_parse("198.51.100.8:4500", &other), 0);
	assert_null(tunnel_find_address(t, &other, 1194));
	tunnel_unlink(t, &a);
	assert_null(tunnel_find_address(t, &a.remote, 1194));
}

/* A client that begins anew where it was: the newer is found, then whichever is left. */
static void the_newer_of_one_address_is_found(void **state)
{
	set_address(&a, "[2001:db8::7]:4500", 1194);
	set_address(&b, "[2001:db8::7]:4500", 1194);
	set_address(&c, "[2001:db8::7]:4500", 1194);
	assert_ptr_equal(tunnel_find_address(t, &a.remote, 1194), &c);
	tunnel_unlink(t, &b); /* of the middle; who stands on it goes on */
	assert_ptr_equal(b.address_next, &a);
	assert_ptr_equal(tunnel_find_address(t, &a.remote, 1194), &c);
	tunnel_unlink(t, &c);
	assert_ptr_equal(tunnel_find_address(t, &a.remote, 1194), &a);
	tunnel_unlink(t, &a);
	assert_null(tunnel_find_address(t, &a.remote, 1194));
}

static void without_an_address_it_is_in_no_bucket(void **state)
{
	struct ip_endpoint none = {.port = 0};
	assert_int_equal(tunnel_publish(t, &a), 0);
	assert_null(tunnel_find_address(t, &none, 0));
	tunnel_unlink(t, &a);
}

#define T(test) cmocka_unit_test_setup_teardown(test, start, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(an_id_is_found_until_it_is_unlinked),
		T(an_id_comes_back_late),
		T(no_id_is_undefined),
		T(a_full_table_refuses),
		T(an_address_is_whole),
		T(the_newer_of_one_address_is_found),
		T(without_an_address_it_is_in_no_bucket),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
