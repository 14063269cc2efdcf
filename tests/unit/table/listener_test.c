// SPDX-License-Identifier: Apache-2.0
/* Where instances speak OpenVPN: whose a port is, and that a worker finds nobody behind one that went. */
#include "dataplane/table/listener.h"

#include "dataplane/table/instance.h"
#include "dataplane/table/tables.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct tables *t;
static struct instance *one, *two;

static struct instance *make_instance(uint8_t number, uint16_t port)
{
	struct instance *i = NULL;
	struct instance_settings s = {
		.id.bytes = {number}, .number = number, .wireguard_port = port, .mtu = 1420};
	assert_int_equal(ip_prefix_parse("10.0.0.1/16", &s.address4), 0);
	assert_int_equal(instance_set(t, &s, &i), 0);
	return i;
}

static int start(void **state)
{
	int err = tables_new(&t);
	if (err != 0)
		return err;
	one = make_instance(1, 51820);
	two = make_instance(2, 51821);
	return 0;
}

static int end(void **state)
{
	tables_free(t);
	return 0;
}

static int set(uint8_t id, struct instance *i, uint16_t port, bool is_tcp)
{
	struct listener *l = NULL;
	struct listener s = {.id.bytes = {id}, .instance = i, .port = port, .is_tcp = is_tcp};
	int err = listener_set(t, &s, &l);
	if (err == 0)
		assert_true(uuid_equal(&l->id, &s.id));
	return err;
}

static struct listener *find(uint8_t id)
{
	return listener_find(t, &(struct uuid){.bytes = {id}});
}

static void a_port_leads_to_its_instance(void **state)
{
	assert_null(listener_instance(t->openvpn_port, 1194));
	assert_int_equal(set(1, one, 1194, false), 0);
	assert_int_equal(set(2, two, 1195, false), 0);
	assert_ptr_equal(listener_instance(t->openvpn_port, 1194), one);
	assert_ptr_equal(listener_instance(t->openvpn_port, 1195), two);
	listener_del(t, find(1));
	assert_null(listener_instance(t->openvpn_port, 1194));
	assert_ptr_equal(listener_instance(t->openvpn_port, 1195), two);
	assert_null(find(1));
	assert_int_equal(set(3, two, 1194, false), 0); /* it is free again */
}

static void a_port_is_one_s(void **state)
{
	assert_int_equal(set(1, one, 1194, false), 0);
	assert_int_equal(set(2, two, 1194, false), -EADDRINUSE);
	assert_int_equal(set(2, one, 1194, false), -EADDRINUSE);
	assert_int_equal(set(2, one, 51821, false), -EADDRINUSE); /* WireGuard's */
	assert_null(find(2));
	/* the same number over TCP is another port */
	assert_int_equal(set(2, two, 1194, true), 0);
	assert_int_equal(set(3, one, 51820, true), 0);
	assert_int_equal(set(4, one, 1194, true), -EADDRINUSE);
	assert_ptr_equal(listener_instance(t->openvpn_port, 1194), one);
	listener_del(t, find(2)); /* takes nothing from UDP */
	assert_ptr_equal(listener_instance(t->openvpn_port, 1194), one);
}

static void what_it_is_stays(void **state)
{
	struct listener *l = NULL;
	struct listener s = {.id.bytes = {1}, .instance = one, .port = 1194, .wrap = 3};
	assert_int_equal(set(1, one, 1194, false), 0);
	assert_int_equal(listener_set(t, &s, &l), 0);
	assert_ptr_equal(l, find(1));
	assert_int_equal(l->wrap, 3);
	assert_int_equal(set(1, one, 1195, false), -EBUSY);
	assert_int_equal(set(1, two, 1194, false), -EBUSY);
	assert_int_equal(set(1, one, 1194, true), -EBUSY);
	assert_int_equal(find(1)->wrap, 3);
}

static void an_instance_takes_its_listeners_along(void **state)
{
	assert_int_equal(set(1, one, 1194, false), 0);
	assert_int_equal(set(2, one, 1194, true), 0);
	assert_int_equal(set(3, two, 1195, false), 0);
	instance_unlink(t, one);
	assert_null(listener_instance(t->openvpn_port, 1194));
	assert_null(find(1));
	assert_null(find(2));
	assert_non_null(find(3));
}

#define T(test) cmocka_unit_test_setup_teardown(test, start, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_port_leads_to_its_instance),
		T(a_port_is_one_s),
		T(what_it_is_stays),
		T(an_instance_takes_its_listeners_along),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
