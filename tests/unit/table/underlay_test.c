// SPDX-License-Identifier: Apache-2.0
/* The outside network as the node tells it, and the way to an endpoint that comes of it. */
#include "dataplane/table/underlay.h"

#include "dataplane/table/tables.h"
#include "dataplane/table/underlay_private.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct tables *tables;

static int set_up(void **state)
{
	int err = tables_new(&tables);
	if (err != 0)
		return err;
	tables->ports = 2;
	tables->port[0] = (struct port){.name = "wan0", .mac = {2, 0, 0, 0, 0, 1}};
	tables->port[1] = (struct port){.name = "wan1", .mac = {2, 0, 0, 0, 0, 2}};
	return 0;
}

static int tear_down(void **state)
{
	tables_free(tables);
	return 0;
}

static struct ip_addr address(const char *text)
{
	struct ip_addr a;
	assert_int_equal(ip_addr_parse(text, &a), 0);
	return a;
}

static struct ip_prefix prefix(const char *text)
{
	struct ip_prefix p;
	assert_int_equal(ip_prefix_parse(text, &p), 0);
	return p;
}

static void add_address(uint32_t port, const char *text)
{
	struct ip_prefix p = prefix(text);
	assert_int_equal(underlay_address_set(tables, port, &p, 1), 0);
}

/* gateway NULL: on link. */
static void add_route(uint32_t port, const char *net, const char *gateway)
{
	struct underlay_route r = {.prefix = prefix(net), .port = port, .sync_stamp = 1};
	if (gateway != NULL)
		r.gateway = address(gateway);
	assert_int_equal(underlay_route_set(tables, &r), 0);
}

static void add_neighbour(uint32_t port, const char *text, enum neighbour_state how, uint8_t last)
{
	struct neighbour n = {.port = port,
		.addr = address(text),
		.mac = {2, 0, 0, 0, 1, last},
		.state = how,
		.sync_stamp = 1};
	assert_int_equal(neighbour_set(tables, &n), 0);
}

static int resolve(const char *remote, struct endpoint *e, bool *missing, struct neighbour *n)
{
	memset(e, 0, sizeof(*e));
	assert_int_equal(ip_endpoint_parse(remote, &e->remote), 0);
	e->local_port = 51820;
	return underlay_resolve(tables, e, missing, n);
}

static bool is_local(const char *text)
{
	struct ip_addr a = address(text);
	bool is = underlay_is_local(tables, &a);
	if (ip_addr_is_v4(&a))
		assert_int_equal(underlay_is_local4(tables, ip_addr_v4(&a)), is);
	return is;
}

static void local_addresses(void **state)
{
	struct ip_prefix p = prefix("203.0.113.1/24"), kept = prefix("2001:db8::1/64");
	assert_false(is_local("203.0.113.1"));
	add_address(0, "203.0.113.1/24");
	add_address(0, "2001:db8::1/64");
	assert_true(is_local("203.0.113.1"));
	assert_true(is_local("2001:db8::1"));
	assert_false(is_local("203.0.113.2"));
	uint32_t generation = underlay_generation(tables->underlay);
	add_address(0, "203.0.113.1/24"); /* the same again is no change */
	assert_int_equal(underlay_generation(tables->underlay), generation);
	assert_int_equal(underlay_address_set(tables, 0, &kept, 2), 0);
	underlay_sweep(tables, 2);
	assert_false(is_local("203.0.113.1"));
	assert_true(is_local("2001:db8::1"));
	assert_true(underlay_generation(tables->underlay) != generation);
	for (unsigned int i = 0; i < UNDERLAY_MAX_ADDRESSES - 1; i++) {
		p.addr.bytes[15] = (uint8_t)(i + 10);
		assert_int_equal(underlay_address_set(tables, 0, &p, 1), 0);
	}
	p.addr.bytes[15] = 9;
	assert_int_equal(underlay_address_set(tables, 0, &p, 1), -ENOSPC);
}

static void way_through_a_gateway(void **state)
{
	struct endpoint e;
	struct neighbour n;
	bool missing = false;
	uint8_t macs[12];
	static const uint8_t wanted_macs[12] = {2, 0, 0, 0, 1, 7, 2, 0, 0, 0, 0, 1};
	static const uint8_t header[42] = {[12] = 0x08,
		0x00,
		0x45,
		[22] = 64,
		17,
		0x14, /* the checksum of these 20 bytes: the length is zero */
		0xb1,
		203,
		0,
		113,
		1,
		198,
		51,
		100,
		7,
		0xca,
		0x6c,
		0x11,
		0x94};
	add_address(0, "203.0.113.1/24");
	add_route(0, "203.0.113.0/24", NULL);
	add_route(0, "0.0.0.0/0", "203.0.113.254");
	assert_int_equal(resolve("198.51.100.7:4500", &e, &missing, &n), 0);
	assert_true(missing);
	struct ip_addr hop = address("203.0.113.254");
	assert_true(ip_addr_equal(&n.addr, &hop));
	assert_int_equal(e.is_v6, 0);
	assert_int_equal(e.header_len, 42);
	assert_memory_equal(e.header, header, sizeof(header));
	assert_int_equal(e.underlay_generation, underlay_generation(tables->underlay));
	assert_null(underlay_adjacency_port(tables, e.adjacency, macs));
	/* the neighbour comes: the same endpoint works from now on */
	add_neighbour(0, "203.0.113.254", NEIGHBOUR_REACHABLE, 7);
	assert_true(underlay_adjacency_port(tables, e.adjacency, macs) == &tables->port[0]);
	assert_memory_equal(macs, wanted_macs, sizeof(macs));
	add_neighbour(0, "203.0.113.254", NEIGHBOUR_FAILED, 7);
	assert_null(underlay_adjacency_port(tables, e.adjacency, macs));
}

static void way_on_link(void **state)
{
	struct endpoint e;
	struct neighbour n;
	bool missing = true;
	struct ip_addr wanted = address("203.0.113.9");
	add_address(0, "203.0.113.1/24");
	add_route(0, "203.0.113.0/24", NULL);
	add_neighbour(0, "203.0.113.9", NEIGHBOUR_REACHABLE, 7);
	assert_int_equal(resolve("203.0.113.9:4500", &e, &missing, &n), 0);
	assert_false(missing);
	assert_true(ip_addr_equal(&n.addr, &wanted));
	assert_int_equal(resolve("198.51.100.7:4500", &e, &missing, &n), -EHOSTUNREACH);
	assert_int_equal(resolve("[2001:db8::9]:4500", &e, &missing, &n), -EHOSTUNREACH);
}

static void way_over_ipv6(void **state)
{
	struct endpoint e;
	struct neighbour n;
	bool missing;
	struct ip_addr own = address("2001:db8::1"), to = address("2001:db8:ffff::7");
	add_address(0, "fe80::1/64");
	add_address(0, "2001:db8::1/64");
	add_route(0, "::/0", "fe80::fe"); /* a gateway is link-local as a rule, a source never */
	assert_int_equal(resolve("[2001:db8:ffff::7]:4500", &e, &missing, &n), 0);
	assert_int_equal(e.is_v6, 1);
	assert_int_equal(e.header_len, 62);
	assert_memory_equal(e.header + 12, "\x86\xdd\x60\x00\x00\x00\x00\x00\x11\x40", 10);
	assert_memory_equal(e.header + 22, own.bytes, 16);
	assert_memory_equal(e.header + 38, to.bytes, 16);
	assert_memory_equal(e.header + 54, "\xca\x6c\x11\x94\x00\x00\x00\x00", 8);
	assert_true(ip_addr_equal(&e.local, &own));
}

static void longest_route_and_nearest_address(void **state)
{
	struct endpoint e;
	struct neighbour n;
	bool missing;
	struct ip_addr a = address("192.0.2.1"), b = address("203.0.113.1"),
		       own = address("198.51.100.1");
	add_address(0, "203.0.113.1/24");
	add_address(1, "198.51.100.1/24");
	add_address(1, "192.0.2.1/24");
	add_route(0, "0.0.0.0/0", "203.0.113.254");
	add_route(1, "100.64.0.0/10", "192.0.2.254");
	assert_int_equal(resolve("8.8.8.8:1", &e, &missing, &n), 0);
	assert_true(ip_addr_equal(&e.local, &b));
	assert_int_equal(n.port, 0);
	assert_int_equal(resolve("100.64.0.1:1", &e, &missing, &n), 0);
	assert_true(ip_addr_equal(&e.local, &a)); /* the one in the gateway's network */
	assert_int_equal(n.port, 1);
	/* a peer that talks to one address is answered from it */
	e.local = own;
	assert_int_equal(underlay_resolve(tables, &e, &missing, &n), 0);
	assert_true(ip_addr_equal(&e.local, &own));
	assert_memory_equal(e.header + 26, own.bytes + 12, 4);
}

static void no_address_of_the_family(void **state)
{
	struct endpoint e;
	struct neighbour n;
	bool missing;
	add_address(0, "203.0.113.1/24");
	add_address(0, "fe80::1/64");
	add_route(0, "::/0", "fe80::fe");
	assert_int_equal(resolve("[2001:db8::9]:1", &e, &missing, &n), -EADDRNOTAVAIL);
}

static void routes_change(void **state)
{
	struct endpoint e;
	struct neighbour n;
	bool missing;
	add_address(0, "203.0.113.1/24");
	add_route(0, "0.0.0.0/0", "203.0.113.254");
	uint32_t generation = underlay_generation(tables->underlay);
	add_route(0, "0.0.0.0/0", "203.0.113.254");
	assert_int_equal(underlay_generation(tables->underlay), generation);
	add_route(0, "0.0.0.0/0", "203.0.113.253"); /* replaced: endpoints are stale */
	assert_true(underlay_generation(tables->underlay) != generation);
	assert_int_equal(resolve("8.8.8.8:1", &e, &missing, &n), 0);
	assert_int_equal(n.addr.bytes[15], 253);
	underlay_sweep(tables, 2);
	assert_int_equal(resolve("8.8.8.8:1", &e, &missing, &n), -EHOSTUNREACH);
}

/* Told by the node, and not yet forgotten. */
static unsigned int neighbours(void)
{
	unsigned int count = 0;
	for (const struct neighbour_entry *e = tables->underlay->neighbour_list; e != NULL;
		e = e->next)
		count += e->neighbour.known;
	return count;
}

static void neighbours_come_and_go(void **state)
{
	struct endpoint e = {0};
	struct neighbour n;
	bool missing;
	uint8_t macs[12] = {0};
	add_address(0, "203.0.113.1/24");
	add_route(0, "0.0.0.0/0", "203.0.113.254");
	assert_int_equal(resolve("8.8.8.8:1", &e, &missing, &n), 0);
	assert_int_equal(neighbours(), 0); /* wanted, but not told by the node */
	add_neighbour(0, "203.0.113.254", NEIGHBOUR_REACHABLE, 1);
	assert_int_equal(neighbours(), 1);
	assert_true(underlay_adjacency_port(tables, e.adjacency, macs) == &tables->port[0]);
	underlay_sweep(tables, 2);
	assert_int_equal(neighbours(), 0);
	assert_null(underlay_adjacency_port(tables, e.adjacency, macs));
	add_neighbour(0, "203.0.113.254", NEIGHBOUR_REACHABLE, 2);
	assert_true(underlay_adjacency_port(tables, e.adjacency, macs)
		== &tables->port[0]); /* the same number */
	assert_int_equal(macs[5], 2);
	assert_null(underlay_adjacency_port(tables, UNDERLAY_MAX_ADJACENCIES, macs));
}

/* SYNC_END: what was not said again is gone. */
static void sweep(void **state)
{
	struct ip_prefix kept = prefix("203.0.113.2/24");
	struct endpoint e;
	struct neighbour n;
	bool missing;
	uint8_t macs[12];
	add_address(0, "203.0.113.1/24");
	add_address(0, "203.0.113.2/24");
	add_route(0, "203.0.113.0/24", NULL);
	add_route(0, "0.0.0.0/0", "203.0.113.254");
	add_neighbour(0, "203.0.113.254", NEIGHBOUR_REACHABLE, 1);
	assert_int_equal(resolve("8.8.8.8:1", &e, &missing, &n), 0);
	assert_int_equal(underlay_address_set(tables, 0, &kept, 2), 0);
	struct underlay_route r = {.prefix = prefix("203.0.113.0/24"), .sync_stamp = 2};
	assert_int_equal(underlay_route_set(tables, &r), 0);
	underlay_sweep(tables, 2);
	assert_false(is_local("203.0.113.1"));
	assert_true(is_local("203.0.113.2"));
	assert_int_equal(neighbours(), 0);
	assert_null(underlay_adjacency_port(tables, e.adjacency, macs));
	assert_int_equal(resolve("8.8.8.8:1", &e, &missing, &n), -EHOSTUNREACH);
	assert_int_equal(resolve("203.0.113.9:1", &e, &missing, &n), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(local_addresses, set_up, tear_down),
		cmocka_unit_test_setup_teardown(way_through_a_gateway, set_up, tear_down),
		cmocka_unit_test_setup_teardown(way_on_link, set_up, tear_down),
		cmocka_unit_test_setup_teardown(way_over_ipv6, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			longest_route_and_nearest_address, set_up, tear_down),
		cmocka_unit_test_setup_teardown(no_address_of_the_family, set_up, tear_down),
		cmocka_unit_test_setup_teardown(routes_change, set_up, tear_down),
		cmocka_unit_test_setup_teardown(neighbours_come_and_go, set_up, tear_down),
		cmocka_unit_test_setup_teardown(sweep, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
