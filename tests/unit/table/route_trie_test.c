// SPDX-License-Identifier: Apache-2.0
/* The route trie against a naive list, with random prefixes that often meet. */
#include "dataplane/table/route_trie.h"

#include "tests/unit/dice.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
	LIST_MAX = 800,
	STEPS = 60000,
};

struct entry {
	struct ip_prefix prefix;
	uintptr_t value;
};

struct list {
	struct entry entry[LIST_MAX];
	unsigned int count;
};

static int find(const struct list *l, const struct ip_prefix *p)
{
	for (unsigned int i = 0; i < l->count; i++) {
		if (ip_prefix_equal(&l->entry[i].prefix, p))
			return (int)i;
	}
	return -1;
}

static uintptr_t lookup(const struct list *l, const struct ip_addr *a)
{
	uintptr_t best = 0;
	int len = -1;
	for (unsigned int i = 0; i < l->count; i++) {
		const struct entry *e = &l->entry[i];
		if (ip_prefix_contains(&e->prefix, a) && (int)e->prefix.len > len) {
			len = e->prefix.len;
			best = e->value;
		}
	}
	return best;
}

/* Few different bytes, so that prefixes cover and neighbour each other. */
static struct ip_addr random_address(bool v4)
{
	struct ip_addr a;
	for (unsigned int i = 0; i < 16; i++)
		a.bytes[i] = (uint8_t)(dice_roll() % 8 == 0 ? dice_roll() : dice_roll() % 3);
	if (v4) {
		memset(a.bytes, 0, 10);
		memset(a.bytes + 10, 0xff, 2);
	} else {
		a.bytes[0] = 0xfd;
	}
	return a;
}

static struct ip_prefix random_prefix(bool v4)
{
	struct ip_prefix p = {.addr = random_address(v4)};
	p.len = (uint8_t)(v4 ? 96 + dice_roll() % 33 : dice_roll() % 129);
	return ip_prefix_canonical(&p);
}

static uintptr_t trie_lookup(const struct route_trie *t, const struct ip_addr *a)
{
	return ip_addr_is_v4(a) ? route_trie_lookup4(t, a->bytes + 12)
				: route_trie_lookup6(t, a->bytes);
}

static void change(struct route_trie *t, struct list *l)
{
	bool v4 = dice_roll() % 2 == 0;
	bool removes = l->count > 0 && (l->count == LIST_MAX || dice_roll() % 5 < 2);
	struct ip_prefix p = removes ? l->entry[dice_roll() % l->count].prefix : random_prefix(v4);
	int at = find(l, &p);
	if (removes) {
		assert_int_equal(route_trie_del(t, &p), 0);
		l->entry[at] = l->entry[--l->count];
		assert_int_equal(route_trie_del(t, &p), -ENOENT);
		return;
	}
	uintptr_t value = ((uintptr_t)dice_roll() + 1) << 3;
	assert_int_equal(route_trie_set(t, &p, value), 0);
	if (at < 0)
		at = (int)l->count++;
	l->entry[at] = (struct entry){p, value};
	assert_true(route_trie_find(t, &p) == value);
}

/* The addresses at the edges of a prefix are where mistakes live. */
static void check_around(const struct route_trie *t, const struct list *l)
{
	for (unsigned int n = 0; n < 20; n++) {
		struct ip_addr a = random_address(dice_roll() % 2 == 0);
		if (l->count > 0 && n % 2 == 0)
			a = l->entry[dice_roll() % l->count].prefix.addr;
		if (n % 4 == 0)
			a.bytes[15] = (uint8_t)(a.bytes[15] - 1);
		if (trie_lookup(t, &a) != lookup(l, &a)) {
			char text[IP_ADDR_TEXT];
			fail_msg("%s with %u prefixes", ip_addr_format(&a, text), l->count);
		}
	}
}

static void same_as_a_list(void **state)
{
	struct route_trie t;
	static struct list l;
	struct slab memory;
	slab_init(&memory, ROUTE_TRIE_NODE_SIZE);
	assert_int_equal(route_trie_init(&t, &memory, NULL, NULL), 0);
	for (unsigned int n = 0; n < STEPS; n++) {
		change(&t, &l);
		if (n % 8 == 0)
			check_around(&t, &l);
	}
	while (l.count > 0)
		assert_int_equal(route_trie_del(&t, &l.entry[--l.count].prefix), 0);
	check_around(&t, &l);
	route_trie_fini(&t);
	slab_fini(&memory);
}

static void families_do_not_mix(void **state)
{
	struct route_trie t;
	struct ip_prefix all4, all6;
	struct ip_addr a4, a6;
	struct slab memory;
	slab_init(&memory, ROUTE_TRIE_NODE_SIZE);
	assert_int_equal(route_trie_init(&t, &memory, NULL, NULL), 0);
	assert_int_equal(ip_prefix_parse("0.0.0.0/0", &all4), 0);
	assert_int_equal(ip_prefix_parse("::/0", &all6), 0);
	assert_int_equal(ip_addr_parse("192.0.2.1", &a4), 0);
	assert_int_equal(ip_addr_parse("2001:db8::1", &a6), 0);
	assert_int_equal(route_trie_set(&t, &all6, 16), 0);
	assert_true(trie_lookup(&t, &a4) == 0);
	assert_true(trie_lookup(&t, &a6) == 16);
	assert_int_equal(route_trie_set(&t, &all4, 8), 0);
	assert_true(trie_lookup(&t, &a4) == 8);
	assert_int_equal(route_trie_del(&t, &all6), 0);
	assert_true(trie_lookup(&t, &a6) == 0);
	assert_true(trie_lookup(&t, &a4) == 8);
	route_trie_fini(&t);
	slab_fini(&memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_as_a_list),
		cmocka_unit_test(families_do_not_mix),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
