// SPDX-License-Identifier: Apache-2.0
#include "dataplane/table/slab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
	SIZE = 1216, /* does not divide a page */
	OBJECTS = 2 * SLAB_HUGE_PAGE / SIZE + 1, /* three chunks */
};

static void assert_zeroed(const uint8_t *object)
{
	for (unsigned int i = 0; i < SIZE; i++)
		assert_int_equal(object[i], 0);
}

/* All are apart, aligned and zeroed; what was freed comes back wiped. */
static void objects(void **state)
{
	static uint8_t *object[OBJECTS];
	struct slab s;
	slab_init(&s, SIZE);
	for (unsigned int n = 0; n < OBJECTS; n++) {
		object[n] = slab_alloc(&s);
		if (object[n] == NULL)
			abort();
		assert_int_equal((uintptr_t)object[n] % 64, 0);
		assert_zeroed(object[n]);
		memset(object[n], (int)n, SIZE);
	}
	for (unsigned int n = 0; n < OBJECTS; n++) {
		assert_int_equal(object[n][0], (uint8_t)n);
		assert_int_equal(object[n][SIZE - 1], (uint8_t)n);
	}
	uint8_t *last = object[OBJECTS - 1];
	slab_free(last);
	slab_free(NULL);
	assert_ptr_equal(slab_alloc(&s), last);
	assert_zeroed(last);
	for (unsigned int n = 0; n < OBJECTS; n++)
		slab_free(object[n]);
	assert_int_equal(s.used, 0);
	slab_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(objects),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
