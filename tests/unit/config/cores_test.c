// SPDX-License-Identifier: Apache-2.0
/* Which core all else gets: one without a worker, on a machine of any number of cores. */
#include "dataplane/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

static unsigned int cores(void)
{
	return (unsigned int)sysconf(_SC_NPROCESSORS_ONLN);
}

static void assert_service_core(struct config c, unsigned int wanted)
{
	c.service_lcore = -1;
	assert_int_equal(config_service_core(&c), wanted < cores() ? wanted : cores() - 1);
}

static void first_without_a_worker(void **state)
{
	assert_service_core((struct config){.workers = 1}, 1);
	assert_service_core((struct config){.workers = 2}, 2);
	assert_service_core((struct config){.workers = cores()}, cores());
	assert_service_core(
		(struct config){.workers = 1, .worker_lcores = 1, .worker_lcore = {1}}, 0);
	assert_service_core(
		(struct config){.workers = 2, .worker_lcores = 2, .worker_lcore = {0, 2}}, 1);
	assert_service_core(
		(struct config){.workers = 1, .worker_lcores = 2, .worker_lcore = {0, 1}}, 1);
	assert_service_core(
		(struct config){.workers = 4, .worker_lcores = 2, .worker_lcore = {1, 0}}, 2);
}

static void what_was_given(void **state)
{
	struct config c = {.workers = 1, .service_lcore = 0};
	assert_int_equal(config_service_core(&c), 0);
	c.service_lcore = 7;
	assert_int_equal(config_service_core(&c), 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_without_a_worker),
		cmocka_unit_test(what_was_given),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
