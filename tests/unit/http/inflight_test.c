// SPDX-License-Identifier: Apache-2.0
#include "control/http/inflight.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void name(uint8_t id[INFLIGHT_ID_LEN], size_t n)
{
	memset(id, 0, INFLIGHT_ID_LEN);
	memcpy(id + INFLIGHT_ID_LEN - sizeof(n), &n, sizeof(n));
}

static void one_at_a_time(void **)
{
	struct inflight set;
	uint8_t a[INFLIGHT_ID_LEN], b[INFLIGHT_ID_LEN];
	inflight_init(&set);
	name(a, 1);
	name(b, 2);
	assert_true(inflight_add(&set, a));
	assert_false(inflight_add(&set, a));
	assert_true(inflight_add(&set, b));
	inflight_del(&set, a);
	assert_true(inflight_add(&set, a));
	assert_false(inflight_add(&set, b));
	inflight_fini(&set);
}

static void a_full_set_refuses_and_goes_on(void **)
{
	struct inflight set;
	uint8_t id[INFLIGHT_ID_LEN];
	inflight_init(&set);
	for (size_t n = 0; n < INFLIGHT_MAX; n++) {
		name(id, n);
		assert_true(inflight_add(&set, id));
	}
	name(id, INFLIGHT_MAX);
	assert_false(inflight_add(&set, id));
	inflight_del(&set, id); /* was never in there: takes nobody else out */
	assert_int_equal(set.count, INFLIGHT_MAX);
	name(id, 0);
	inflight_del(&set, id);
	name(id, INFLIGHT_MAX);
	assert_true(inflight_add(&set, id));
	for (size_t n = 1; n <= INFLIGHT_MAX; n++) {
		name(id, n);
		assert_false(inflight_add(&set, id));
		inflight_del(&set, id);
	}
	assert_int_equal(set.count, 0);
	inflight_fini(&set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_at_a_time),
		cmocka_unit_test(a_full_set_refuses_and_goes_on),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
