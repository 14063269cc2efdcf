// SPDX-License-Identifier: Apache-2.0
/* The intrusive hash against an array, through several doublings and with equal hash values. */
#include "dataplane/table/hash.h"

#include "tests/unit/dice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum {
	OBJECTS = 5000,
	STEPS = 100000,
};

struct object {
	struct hash_entry entry;
	uint32_t key;
	bool is_in;
};

static struct object objects[OBJECTS];

/* Only 1024 values for 5000 keys: chains with several of the same value are the rule. */
static uint64_t value_of(const struct hash *h, uint32_t key)
{
	return hash_of(h, &key, sizeof(key)) & 1023;
}

static bool is_found(const struct hash *h, const struct object *o)
{
	struct hash_entry *e = hash_first(h, value_of(h, o->key));
	unsigned int times = 0;
	for (; e != NULL; e = hash_next(e)) {
		assert_true(value_of(h, ((struct object *)e)->key) == value_of(h, o->key));
		times += e == &o->entry;
	}
	assert_in_range(times, 0, 1);
	return times == 1;
}

static void same_as_an_array(void **state)
{
	struct hash h;
	size_t count = 0;
	assert_int_equal(hash_init(&h), 0);
	for (uint32_t i = 0; i < OBJECTS; i++)
		objects[i].key = i;
	for (unsigned int n = 0; n < STEPS; n++) {
		struct object *o = &objects[dice_roll() % OBJECTS];
		assert_int_equal(is_found(&h, o), o->is_in);
		bool adds = !o->is_in && (n < STEPS / 2 || dice_roll() % 4 == 0);
		if (adds) {
			hash_add(&h, &o->entry, value_of(&h, o->key));
			o->is_in = true;
			count++;
		} else if (o->is_in && dice_roll() % 3 == 0) {
			hash_del(&h, &o->entry);
			o->is_in = false;
			count--;
		}
		assert_int_equal(h.count, count);
	}
	assert_true(h.buckets >= 1024); /* it has grown */
	for (unsigned int i = 0; i < OBJECTS; i++)
		assert_int_equal(is_found(&h, &objects[i]), objects[i].is_in);
	hash_fini(&h);
}

static void deleting_a_stranger_changes_nothing(void **state)
{
	struct hash h;
	struct object in = {.key = 1}, stranger = {.key = 1};
	assert_int_equal(hash_init(&h), 0);
	hash_add(&h, &in.entry, 7);
	stranger.entry.value = 7;
	hash_del(&h, &stranger.entry);
	assert_int_equal(h.count, 1);
	assert_ptr_equal(hash_first(&h, 7), &in.entry);
	hash_fini(&h);
}

/* Length and every byte count, and each hash has its own seed: chains can't be made from outside. */
static void values_depend_on_all(void **state)
{
	struct hash a, b;
	uint8_t data[48] = {0};
	assert_int_equal(hash_init(&a), 0);
	assert_int_equal(hash_init(&b), 0);
	assert_true(hash_of(&a, data, 48) != hash_of(&b, data, 48));
	uint64_t zeros = hash_of(&a, data, 48);
	for (size_t len = 0; len < 48; len++)
		assert_true(hash_of(&a, data, len) != zeros);
	for (unsigned int bit = 0; bit < 8 * sizeof(data); bit++) {
		data[bit / 8] ^= (uint8_t)(1 << (bit % 8));
		assert_true(hash_of(&a, data, 48) != zeros);
		assert_true(hash_of(&a, data, 48) == hash_of(&a, data, 48));
		data[bit / 8] ^= (uint8_t)(1 << (bit % 8));
	}
	hash_fini(&a);
	hash_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_as_an_array),
		cmocka_unit_test(deleting_a_stranger_changes_nothing),
		cmocka_unit_test(values_depend_on_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
