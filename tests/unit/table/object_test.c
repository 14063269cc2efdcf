// SPDX-License-Identifier: Apache-2.0
/* Instances, peers and routes: what may change, what a handle finds, and when memory goes. */
#include "dataplane/table/instance.h"
#include "dataplane/table/peer.h"
#include "dataplane/table/tables.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <rte_eal.h>
#include <rte_rcu_qsbr.h>

static struct tables *tables;

static int start_eal(void **state)
{
	static char *args[] = {"object_test", "--no-huge", "-m", "64", "--no-pci", "--no-shconf",
		"--no-telemetry", "--iova-mode=va", "--log-level=error", "-l", "0", NULL};
	return rte_eal_init((int)(sizeof(args) / sizeof(args[0])) - 1, args) < 0 ? -1 : 0;
}

static int stop_eal(void **state)
{
	return rte_eal_cleanup();
}

static int set_up(void **state)
{
	return tables_new(&tables);
}

static int tear_down(void **state)
{
	tables_free(tables);
	return 0;
}

static struct ip_prefix prefix(const char *text)
{
	struct ip_prefix p;
	assert_int_equal(ip_prefix_parse(text, &p), 0);
	return p;
}

static struct instance_settings settings_of(uint8_t number)
{
	struct instance_settings s = {
		.id.bytes = {number},
		.number = number,
		.wireguard_port = (uint16_t)(51820 + number),
		.mtu = 1420,
		.flags = INSTANCE_SITE_TO_SITE,
	};
	s.address4 = prefix("10.0.0.1/16");
	s.address6 = prefix("fd00::1/64");
	return s;
}

static struct instance *make_instance(uint8_t number)
{
	struct instance_settings s = settings_of(number);
	struct instance *i = NULL;
	assert_int_equal(instance_set(tables, &s, &i), 0);
	return i;
}

static struct peer_settings peer_of(struct instance *i, uint8_t number)
{
	return (struct peer_settings){.id.bytes = {number, 1},
		.instance = i,
		.type = PEER_TYPE_SITE,
		.public_key.bytes = {number},
		.allowed_any = true};
}

static struct peer *make_peer(struct instance *i, uint8_t number)
{
	struct peer_settings s = peer_of(i, number);
	struct peer *p = NULL;
	bool created = false;
	assert_int_equal(peer_set(tables, &s, &p, &created), 0);
	assert_true(created);
	return p;
}

static void instances_are_created_and_changed(void **state)
{
	struct instance_settings s = settings_of(1);
	struct instance *i = make_instance(1), *again = NULL;
	assert_ptr_equal(instance_find(tables, &s.id), i);
	assert_ptr_equal(instance_from_handle(tables, instance_handle(i)), i);
	assert_ptr_equal(tables->listener[51821], i);
	s.mtu = 1400;
	s.flags = 0;
	assert_int_equal(instance_set(tables, &s, &again), 0);
	assert_ptr_equal(again, i);
	assert_int_equal(i->mtu, 1400);
	assert_int_equal(i->flags, 0);
	assert_ptr_equal(tables->listener[51821], i);
}

static void what_an_instance_keeps(void **state)
{
	struct instance_settings s = settings_of(1);
	struct instance *i = make_instance(1), *ret = NULL;
	s.number = 9;
	assert_int_equal(instance_set(tables, &s, &ret), -EBUSY);
	s = settings_of(1);
	s.wireguard_port = 52000;
	assert_int_equal(instance_set(tables, &s, &ret), -EBUSY);
	assert_null(tables->listener[52000]);
	s = settings_of(1);
	s.address4 = prefix("10.1.0.1/16");
	assert_int_equal(instance_set(tables, &s, &ret), -EBUSY);
	s = settings_of(1);
	s.address6 = prefix("fd01::1/64");
	assert_int_equal(instance_set(tables, &s, &ret), -EBUSY);
	(void)make_instance(2);
	s = settings_of(1);
	s.wireguard_port = 51822;
	s.mtu = 1300;
	assert_int_equal(instance_set(tables, &s, &ret), -EADDRINUSE);
	s = settings_of(3);
	s.number = 2;
	assert_int_equal(instance_set(tables, &s, &ret), -EEXIST);
	assert_null(ret);
	assert_int_equal(i->mtu, 1420); /* nothing changed */
	assert_null(instance_find(tables, &s.id));
	assert_null(tables->listener[51823]);
}

static void peers_are_created_and_changed(void **state)
{
	struct instance *i = make_instance(1), *other = make_instance(2);
	struct peer *p = make_peer(i, 1), *again = NULL;
	struct peer_settings s = peer_of(i, 1);
	bool created = true;
	assert_ptr_equal(peer_find(tables, &s.id), p);
	assert_ptr_equal(peer_from_handle(tables, peer_handle(p)), p);
	s.type = PEER_TYPE_CLIENT;
	s.route_all = true;
	s.expires_at_s = 77;
	assert_int_equal(peer_set(tables, &s, &again, &created), 0);
	assert_false(created);
	assert_ptr_equal(again, p);
	assert_int_equal(p->type, PEER_TYPE_CLIENT);
	assert_int_equal(p->route_all, 1);
	assert_int_equal(p->expires_at_s, 77);
	s.public_key.bytes[0] = 9;
	assert_int_equal(peer_set(tables, &s, &again, &created), -EBUSY);
	s = peer_of(other, 1);
	assert_int_equal(peer_set(tables, &s, &again, &created), -EBUSY);
	s = peer_of(i, 1);
	s.id.bytes[0] = 2; /* another peer with the same key: not here, but in another instance */
	assert_int_equal(peer_set(tables, &s, &again, &created), -EEXIST);
	assert_int_equal(tables->peer_count, 1);
	s.instance = other;
	assert_int_equal(peer_set(tables, &s, &again, &created), 0);
	assert_true(created);
	assert_int_equal(tables->peer_count, 2);
}

static void lists_of_destinations(void **state)
{
	struct instance *i = make_instance(1);
	struct peer *p = make_peer(i, 1);
	struct peer_settings s = peer_of(i, 1);
	struct ip_prefix list[2] = {prefix("10.0.1.0/24"), prefix("fd00:1::/32")};
	bool created;
	assert_null(p->allowed);
	s.allowed_any = false;
	assert_int_equal(peer_set(tables, &s, &p, &created), 0);
	assert_non_null(p->allowed); /* an empty list is not no list */
	assert_int_equal(p->allowed->count, 0);
	s.allowed = list;
	s.allowed_count = 2;
	assert_int_equal(peer_set(tables, &s, &p, &created), 0);
	const struct peer_allowed *first = p->allowed;
	assert_int_equal(first->count, 2);
	assert_memory_equal(first->prefix, list, sizeof(list));
	assert_int_equal(peer_set(tables, &s, &p, &created), 0);
	assert_ptr_equal(p->allowed, first); /* the same list stays */
	list[0].len++;
	assert_int_equal(peer_set(tables, &s, &p, &created), 0);
	assert_ptr_not_equal(p->allowed, first);
	s.allowed_any = true;
	assert_int_equal(peer_set(tables, &s, &p, &created), 0);
	assert_null(p->allowed);
	tables_reclaim(tables);
}

static uintptr_t lookup(const struct instance *i, const char *text)
{
	struct ip_addr a;
	assert_int_equal(ip_addr_parse(text, &a), 0);
	return ip_addr_is_v4(&a) ? route_trie_lookup4(&i->routes, a.bytes + 12)
				 : route_trie_lookup6(&i->routes, a.bytes);
}

static void routes(void **state)
{
	struct instance *i = make_instance(1), *other = make_instance(2);
	struct peer *a = make_peer(i, 1), *b = make_peer(i, 2), *stranger = make_peer(other, 3);
	struct ip_prefix net = prefix("10.0.1.0/24"), all = prefix("::/0"),
			 host = prefix("10.0.1.9/24");
	assert_int_equal(route_set(i, &net, ROUTE_PEER, a), 0);
	assert_int_equal(route_value_target(lookup(i, "10.0.1.200")), ROUTE_PEER);
	assert_ptr_equal(route_value_peer(lookup(i, "10.0.1.200")), a);
	assert_int_equal(lookup(other, "10.0.1.200"), 0); /* instances are isolated */
	assert_int_equal(route_set(i, &net, ROUTE_PEER, b), 0); /* b takes it over */
	assert_ptr_equal(route_value_peer(lookup(i, "10.0.1.200")), b);
	assert_null(a->routes);
	assert_int_equal(route_set(i, &all, ROUTE_EGRESS, NULL), 0);
	assert_int_equal(route_value_target(lookup(i, "2001:db8::1")), ROUTE_EGRESS);
	assert_int_equal(route_value_target(lookup(i, "10.9.9.9")), ROUTE_NONE);

	assert_int_equal(route_set(i, &host, ROUTE_PEER, a), -EINVAL); /* not canonical */
	assert_int_equal(route_set(i, &net, ROUTE_PEER, stranger), -EINVAL);
	assert_int_equal(route_set(i, &net, ROUTE_PEER, NULL), -EINVAL);
	assert_int_equal(route_set(i, &net, ROUTE_DROP, a), -EINVAL);
	assert_int_equal(route_set(i, &net, ROUTE_NONE, NULL), -EINVAL);
	assert_ptr_equal(route_value_peer(lookup(i, "10.0.1.1")), b);

	struct route *r = route_find(i, &all);
	assert_non_null(r);
	route_del(r);
	assert_null(route_find(i, &all));
	assert_int_equal(lookup(i, "2001:db8::1"), 0);
}

static bool has_source(const struct peer *p, const char *text)
{
	uint32_t be;
	struct ip_prefix host = prefix(text);
	memcpy(&be, host.addr.bytes + IP_V4_OFFSET / 8, sizeof(be));
	return peer_has_source4(p, be);
}

/* The short cut of source_check says what the routes say, whatever becomes of them. */
static void first_host_route(void **state)
{
	struct instance *i = make_instance(1);
	struct peer *a = make_peer(i, 1), *b = make_peer(i, 2);
	struct ip_prefix net = prefix("10.0.1.0/24"), one = prefix("10.0.1.5/32"),
			 two = prefix("10.0.1.6/32"), v6 = prefix("fd00::5/128");
	assert_false(peer_has_source4(a, 0));
	assert_int_equal(route_set(i, &v6, ROUTE_PEER, a), 0);
	assert_int_equal(route_set(i, &net, ROUTE_PEER, a), 0);
	assert_false(peer_has_source4(a, 0));
	assert_false(has_source(a, "10.0.1.0/32"));
	assert_int_equal(route_set(i, &one, ROUTE_PEER, a), 0);
	assert_int_equal(route_set(i, &two, ROUTE_PEER, a), 0);
	assert_true(has_source(a, "10.0.1.5/32"));
	assert_int_equal(route_set(i, &one, ROUTE_PEER, b), 0); /* b takes it over */
	assert_false(has_source(a, "10.0.1.5/32"));
	assert_true(has_source(a, "10.0.1.6/32"));
	assert_true(has_source(b, "10.0.1.5/32"));
	assert_int_equal(route_set(i, &two, ROUTE_DROP, NULL), 0);
	assert_false(has_source(a, "10.0.1.6/32"));
	route_del(route_find(i, &one));
	assert_false(has_source(b, "10.0.1.5/32"));
	assert_false(peer_has_source4(b, 0));
}

/* Once unlinked nothing finds a peer: no lookup, no handle, no route; others stay. */
static void unlinking_a_peer(void **state)
{
	struct instance *i = make_instance(1);
	struct peer *a = make_peer(i, 1), *b = make_peer(i, 2);
	struct ip_prefix one = prefix("10.0.0.2/32"), two = prefix("fd00::2/128"),
			 of_b = prefix("10.0.0.3/32");
	assert_int_equal(route_set(i, &one, ROUTE_PEER, a), 0);
	assert_int_equal(route_set(i, &two, ROUTE_PEER, a), 0);
	assert_int_equal(route_set(i, &of_b, ROUTE_PEER, b), 0);
	uint64_t handle = peer_handle(a);
	struct uuid id = a->id;
	peer_unlink(tables, a);
	assert_null(peer_find(tables, &id));
	assert_null(peer_from_handle(tables, handle));
	assert_int_equal(lookup(i, "10.0.0.2"), 0);
	assert_int_equal(lookup(i, "fd00::2"), 0);
	assert_ptr_equal(route_value_peer(lookup(i, "10.0.0.3")), b);
	assert_int_equal(tables->peer_count, 1);
	assert_ptr_equal(a->instance, i); /* readers may still hold it */
	struct peer *again = make_peer(i, 1); /* key and id are free at once */
	assert_ptr_not_equal(again, a);
	assert_true(peer_handle(again) != handle);
	assert_null(peer_from_handle(tables, handle));
	tables_reclaim(tables);
}

/* A slot that is used again has another generation: an old handle finds nobody. */
static void handles_do_not_come_back(void **state)
{
	struct instance *i = make_instance(1);
	struct peer *p = make_peer(i, 1);
	uint64_t handle = peer_handle(p), of_instance = instance_handle(i);
	peer_unlink(tables, p);
	tables->peer_next_slot = (uint32_t)handle;
	p = make_peer(i, 1);
	assert_int_equal(p->slot, (uint32_t)handle);
	assert_null(peer_from_handle(tables, handle));
	assert_ptr_equal(peer_from_handle(tables, peer_handle(p)), p);
	instance_unlink(tables, i);
	tables->instance_next_slot = (uint32_t)of_instance;
	i = make_instance(1);
	assert_int_equal(i->slot, (uint32_t)of_instance);
	assert_null(instance_from_handle(tables, of_instance));
	assert_null(peer_from_handle(tables, UINT64_MAX));
	assert_null(instance_from_handle(tables, UINT64_MAX));
	assert_null(peer_from_handle(tables, TABLE_MAX_PEERS));
	assert_null(instance_from_handle(tables, TABLE_MAX_INSTANCES));
}

static void unlinking_an_instance(void **state)
{
	struct instance *i = make_instance(1), *other = make_instance(2);
	struct ip_prefix net = prefix("10.0.1.0/24"), all = prefix("0.0.0.0/0");
	struct peer *p = make_peer(i, 1), *kept = make_peer(other, 1 + 1);
	struct uuid id = i->id, of_peer = p->id;
	assert_int_equal(route_set(i, &net, ROUTE_PEER, p), 0);
	assert_int_equal(route_set(i, &all, ROUTE_EGRESS, NULL), 0);
	instance_unlink(tables, i);
	assert_null(instance_find(tables, &id));
	assert_null(peer_find(tables, &of_peer));
	assert_null(tables->listener[51821]);
	assert_int_equal(tables->peer_count, 1);
	assert_ptr_equal(peer_find(tables, &kept->id), kept);
	assert_ptr_equal(tables->instances, other);
	tables_reclaim(tables);
	assert_null(tables->unlinked_instances);
	assert_null(tables->unlinked_peers);
}

static void instances_run_out(void **state)
{
	struct instance *i = NULL;
	for (uint32_t n = 0; n <= TABLE_MAX_INSTANCES; n++) {
		struct instance_settings s = settings_of(1);
		memcpy(s.id.bytes, &n, sizeof(n));
		s.number = n + 1;
		s.wireguard_port = (uint16_t)(1 + n);
		assert_int_equal(
			instance_set(tables, &s, &i), n < TABLE_MAX_INSTANCES ? 0 : -ENOSPC);
	}
	assert_null(tables->listener[1 + TABLE_MAX_INSTANCES]);
}

static atomic_int reclaimed;

static void *reclaim(void *ctx)
{
	tables_reclaim(tables);
	atomic_store(&reclaimed, 1);
	return NULL;
}

/* The grace period: nothing is freed while a reader has not said that it holds nothing. */
static void memory_waits_for_readers(void **state)
{
	enum {
		READER = 3
	};
	struct instance *i = make_instance(1);
	struct peer *p = make_peer(i, 1);
	pthread_t thread;
	assert_int_equal(rte_rcu_qsbr_thread_register(tables->qsbr, READER), 0);
	rte_rcu_qsbr_thread_online(tables->qsbr, READER);
	peer_unlink(tables, p);
	assert_int_equal(pthread_create(&thread, NULL, reclaim, NULL), 0);
	(void)usleep(50000);
	assert_int_equal(atomic_load(&reclaimed), 0);
	assert_int_equal(p->public_key.bytes[0], 1); /* still there: the sanitizer would say */
	rte_rcu_qsbr_quiescent(tables->qsbr, READER);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(atomic_load(&reclaimed), 1);
	assert_null(tables->unlinked_peers);
	rte_rcu_qsbr_thread_offline(tables->qsbr, READER);
	(void)rte_rcu_qsbr_thread_unregister(tables->qsbr, READER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			instances_are_created_and_changed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_an_instance_keeps, set_up, tear_down),
		cmocka_unit_test_setup_teardown(peers_are_created_and_changed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(lists_of_destinations, set_up, tear_down),
		cmocka_unit_test_setup_teardown(routes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(first_host_route, set_up, tear_down),
		cmocka_unit_test_setup_teardown(unlinking_a_peer, set_up, tear_down),
		cmocka_unit_test_setup_teardown(handles_do_not_come_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(unlinking_an_instance, set_up, tear_down),
		cmocka_unit_test_setup_teardown(instances_run_out, set_up, tear_down),
		cmocka_unit_test_setup_teardown(memory_waits_for_readers, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, start_eal, stop_eal);
}
